//! matchbox's signaling on `/matchbox/ROOM` and `/matchbox/ROOM?next=N` (crates matchbox 0.14, 0.15).
//!
//! ```text
//! ← {"IdAssigned":"UUID"}   first
//! ← {"NewPeer":"UUID"}      to those who were there: they make the offer    ← {"PeerLeft":"UUID"}
//! → {"Signal":{"receiver":"UUID","data":...}}    ← {"Signal":{"sender":"UUID","data":...}}    → "KeepAlive"
//! ```
//! With `?next=N` a room forgets its peers as soon as N have met: they keep each other, the next N meet afresh. A group
//! is a topic, named by its first peer; the lobby that brings it together is another. A signal passes between peers of
//! one group alone (the original lets it cross rooms).

use std::{pin::Pin, sync::Arc};

use hyper::{Request, StatusCode, body::Incoming};
use posthouse_rooms::{Audience, Body, Entry as Seat, Message, Recipient, Tenant, TopicId};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::debug;

use super::{Answering, CloseCode, Dialect, Entry, Hello, Http, Opened, Step, Steps};
use crate::{
    Signaling,
    delivery::Trouble,
    json,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    random, respond,
    visit::Visit,
};

pub(crate) static ENTRY: Entry =
    Entry { name: "matchbox", takes, recognises: |_| false, open, http: Some(Http { methods, answer }) };

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// One segment names the room; none is a room of its own. `health` asks whether we are there, unless it is upgraded.
fn takes(path: &[&str]) -> bool {
    matches!(path, ["matchbox"] | ["matchbox", _])
}

fn open(peer: Peer, hello: &Hello) -> Opened {
    let refused = |_| respond::status(StatusCode::BAD_REQUEST);
    let room = hello.path.get(1).map_or("", String::as_str);
    let next = match hello.visit.query.get("next").map(str::parse::<usize>) {
        None => None,
        // A group of one never meets anybody, and a group of none is never complete.
        Some(Ok(next)) if (2..=peer.post().bounds.load().members).contains(&next) => Some(next),
        Some(_) => return Err(respond::text(StatusCode::BAD_REQUEST, "expected next=2 or more\n")),
    };
    let tenant = Tenant::new(ENTRY.name, "").map_err(refused)?;
    // Rooms and lobbies never share a name: a lobby's begins with its number.
    let named = next.map_or_else(|| format!("/{room}"), |next| format!("{next}/{room}"));
    let topic = tenant.topic(&named).map_err(refused)?;
    Ok(Box::new(Matchbox { peer, tenant, topic, next }))
}

fn methods(path: &[&str]) -> Option<&'static str> {
    matches!(path, ["matchbox", "health"]).then_some("GET")
}

fn answer<'a>(_: &'a Arc<Signaling>, _: Request<Incoming>, _: &'a [&'a str], _: &'a Visit) -> Answering<'a> {
    Box::pin(std::future::ready(Ok(respond::empty(StatusCode::OK))))
}

/// One client.
struct Matchbox {
    peer: Peer,
    tenant: Tenant,
    /// Its room or, until it has joined, its lobby.
    topic: TopicId,
    next: Option<usize>,
}

#[derive(Deserialize)]
enum ClientFrame<'a> {
    Signal {
        receiver: String,
        #[serde(borrow)]
        data: &'a RawValue,
    },
    KeepAlive,
}

impl Matchbox {
    async fn enter(&mut self) -> Result<String, Trouble> {
        let id = random::uuid();
        let refused = |_| Trouble::Refused(posthouse_rooms::Refusal::UnknownClient);
        self.peer.attach(Claim::fresh(self.tenant.address(&id).map_err(refused)?)).await?;
        let who = self.peer.recipient()?;
        if let Some(next) = self.next {
            self.topic = self.meet(who.clone(), next).await?;
        }
        let hello = Some(Body::Text(format!("{{\"NewPeer\":\"{id}\"}}").into()));
        let farewell = Some(Body::Text(format!("{{\"PeerLeft\":\"{id}\"}}").into()));
        self.peer.join(&self.topic, Seat { hello, farewell, ..Seat::silent(who) }).await?;
        Ok(id)
    }

    /// Comes into the lobby; answers the group that is being brought together there.
    async fn meet(&self, who: Recipient, next: usize) -> Result<TopicId, Trouble> {
        let seated = self.peer.join(&self.topic, Seat { capacity: next, seal: true, ..Seat::silent(who) }).await?;
        let refused = |_| Trouble::Refused(posthouse_rooms::Refusal::UnknownRoom);
        self.tenant.topic(&format!("group/{}", seated.first)).map_err(refused)
    }

    async fn first(&mut self) -> Step {
        match self.enter().await {
            Ok(id) => Step::Say(format!("{{\"IdAssigned\":\"{id}\"}}")),
            Err(trouble) => {
                debug!(target: "rooms", ?trouble, "a peer was refused");
                Step::Close { say: None, code: CloseCode::Again }
            }
        }
    }

    async fn step(&self, text: &str) -> Step {
        if json::deeper_than(DEPTH, text) {
            return Step::Continue;
        }
        // What is not understood is ignored, and so is a signal to one who is not there.
        if let (Ok(ClientFrame::Signal { receiver, data }), Some(own)) =
            (serde_json::from_str(text), self.peer.address())
        {
            let frame = format!("{{\"Signal\":{{\"sender\":\"{}\",\"data\":{}}}}}", own.id, data.get());
            let said = self.peer.publish(&self.topic, Audience::One(&receiver), |_| Body::Text(frame.into())).await;
            if let Err(trouble) = said {
                debug!(target: "rooms", ?trouble, "a signal was dropped");
            }
        }
        Step::Continue
    }
}

impl Dialect for Matchbox {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn opened(&mut self) -> Steps<'_> {
        Box::pin(self.first())
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    /// The original ignores what is binary.
    fn handle_binary<'a>(&'a mut self, _: &'a [u8]) -> Steps<'a> {
        Box::pin(std::future::ready(Step::Continue))
    }

    fn is_registered(&self) -> bool {
        self.peer.address().is_some()
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.peer.detach(unwritten))
    }
}
