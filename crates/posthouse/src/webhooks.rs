//! Webhooks: what happens to rooms, posted to servers of the operator. Each server has a bounded queue and a task of its
//! own, so that nobody waits for it: not a room, and not another server.
//!
//! The form is that of Standard Webhooks (standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`.

mod post;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use hyper::Uri;
use posthouse_config::Webhooks as Settings;
use posthouse_rooms::{Departure, RoomEvent};
use posthouse_signaling::RoomEvents;
use serde_json::json;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::warn;

pub(crate) use post::Patience;
use post::{Poster, Signer};

/// Events that may wait for one server. A server that is away for half a minute gets them late; for longer, fewer.
const QUEUE: usize = 1024;

/// What is told to whom.
pub(crate) struct Webhooks {
    targets: ArcSwap<Targets>,
    patience: Patience,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Targets {
    queues: Vec<Sender<Event>>,
    wanted: Vec<&'static str>,
}

/// One event on its way.
#[derive(Clone, Debug)]
struct Event {
    /// The same at every attempt, so that a receiver knows a repetition.
    id: Arc<str>,
    body: Arc<str>,
}

/// What became of events.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Counts {
    /// By outcome: answered 2xx, given up, dropped because too many waited.
    pub(crate) fn outcomes(&self) -> [(&'static str, u64); 3] {
        [("delivered", &self.delivered), ("failed", &self.failed), ("dropped", &self.dropped)]
            .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

impl Webhooks {
    /// Nobody is told anything before [`Webhooks::apply`].
    pub(crate) fn new(patience: Patience) -> Self {
        Self { targets: ArcSwap::default(), patience, counts: Arc::default() }
    }

    /// Others from now on. What waits for a server that is no longer named is still posted. Needs a runtime.
    pub(crate) fn apply(&self, settings: &Settings) {
        let Settings { urls, secret, events } = settings;
        let secret = secret.as_ref().map(|secret| Signer::new(secret.expose()));
        let queue = |url: &String| {
            let (uri, signer) = (url.parse::<Uri>().ok()?, secret.clone()?);
            let (queue, events) = mpsc::channel(QUEUE);
            let poster = Poster::new(uri, signer, self.patience);
            tokio::spawn(serve(poster, events, Arc::clone(&self.counts)));
            Some(queue)
        };
        let queues = urls.iter().filter_map(queue).collect();
        self.targets.store(Arc::new(Targets { queues, wanted: events.clone() }));
    }

    /// For the metrics.
    pub(crate) fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

impl RoomEvents for Webhooks {
    fn wanted(&self) -> bool {
        !self.targets.load().queues.is_empty()
    }

    fn tell(&self, dialect: &'static str, room: &str, event: RoomEvent) {
        let targets = self.targets.load();
        let name = name(&event);
        if !targets.wanted.contains(&name) {
            return;
        }
        let Some(id) = id() else { return };
        let body = body(dialect, room, name, event).to_string().into();
        let event = Event { id: id.into(), body };
        for queue in &targets.queues {
            if queue.try_send(event.clone()).is_err() {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Posts one after the other, in order, until nobody sends any more.
async fn serve(poster: Poster, mut events: Receiver<Event>, counts: Arc<Counts>) {
    let mut away = false;
    while let Some(event) = events.recv().await {
        let posted = poster.post(&event).await;
        let count = if posted.is_ok() { &counts.delivered } else { &counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        // Once for each time that it is away, not for each event.
        if let (Err(problem), false) = (&posted, away) {
            warn!(target: "webhooks", host = poster.host(), %problem, "an event was given up");
        }
        away = posted.is_err();
    }
}

fn name(event: &RoomEvent) -> &'static str {
    match event {
        RoomEvent::RoomOpened => "room-opened",
        RoomEvent::MemberJoined { .. } => "member-joined",
        RoomEvent::MemberLeft { .. } => "member-left",
        RoomEvent::RoomClosed => "room-closed",
    }
}

fn body(dialect: &str, room: &str, name: &str, event: RoomEvent) -> serde_json::Value {
    let mut data = json!({ "room": room, "dialect": dialect });
    match event {
        RoomEvent::RoomOpened | RoomEvent::RoomClosed => {}
        RoomEvent::MemberJoined { member, members } => {
            data["member"] = json!(*member);
            data["members"] = json!(members);
        }
        RoomEvent::MemberLeft { member, why, members } => {
            data["member"] = json!(*member);
            data["members"] = json!(members);
            data["reason"] = json!(why.map(reason));
        }
    }
    json!({ "type": name, "timestamp": seconds(), "data": data })
}

fn reason(why: Departure) -> &'static str {
    match why {
        Departure::Left | Departure::Bye => "left",
        Departure::Deleted | Departure::Kicked => "deleted",
        Departure::Lost => "lost",
        Departure::NeverRegistered | Departure::Evicted => "never-came",
    }
}

/// Seconds since 1970.
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// 128 random bits.
fn id() -> Option<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    Some(format!("msg_{:032x}", u128::from_be_bytes(random)))
}

#[cfg(test)]
mod tests;
