//! The Phoenix broker of peer-id file sharing (`ephemeral_share`): Phoenix channels, `vsn` 1.0.0 and 2.0.0, on two sockets.
//!
//! ```text
//! /ws/websocket     join broker:match   → register {}                   ← registered {"id":"UUID"}
//! /peer/websocket   join peer:OWN-ID    → connect {"peer_id":ID}        ← there: peer_connect {"peer_id":OWN-ID}
//!                                                                       ← or here: error_connect {"id":ID}
//!                                       → offer {"offer":S,"peer_id":ID}   ← there: offer {"offer":S,"peer_id":OWN-ID}
//!                                       → answer {"answer":S,"peer_id":ID} ← there: answer {"answer":S,"peer_id":OWN-ID}
//! ```
//! Whoever has joined `peer:ID` is ID, alone and as long as its socket lives. The original lets a second one listen in, and
//! believes the `sender_id` that a client writes.

mod frame;

use std::{pin::Pin, sync::Arc};

use hyper::StatusCode;
use posthouse_rooms::{Audience, Body, Entry as Seat, Message, Refusal, Tenant, TopicId};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::debug;

use super::{CloseCode, Dialect, Entry, Hello, Opened, Step, Steps};
use crate::{
    delivery::Trouble,
    json,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    random, respond,
};
use frame::{Frame, Version};

pub(crate) static ENTRY: Entry = Entry { name: "phoenix", takes, recognises: |_| false, open, http: None };

fn takes(path: &[&str]) -> bool {
    matches!(path, ["ws" | "peer", "websocket"])
}

fn open(peer: Peer, hello: &Hello) -> Opened {
    let advice = || respond::text(StatusCode::FORBIDDEN, "expected vsn=1.0.0 or vsn=2.0.0\n");
    let version = Version::of(hello.visit.query.get("vsn")).ok_or_else(advice)?;
    let tenant = Tenant::new(ENTRY.name, "").map_err(|_| respond::status(StatusCode::BAD_REQUEST))?;
    let is_broker = hello.path.first().is_some_and(|first| first == "ws");
    let end = if is_broker { End::Broker { id: random::uuid() } } else { End::Peers };
    Ok(Box::new(Phoenix { peer, tenant, version, end, channels: Vec::new(), spoken: false }))
}

/// One client on one of its two sockets.
struct Phoenix {
    peer: Peer,
    tenant: Tenant,
    version: Version,
    end: End,
    channels: Vec<Channel>,
    /// Has it said anything that we understood?
    spoken: bool,
}

/// What a socket is for.
enum End {
    /// Gives out an id: one for each socket, however often it is asked for.
    Broker { id: String },
    /// Carries what peers say to each other.
    Peers,
}

/// A topic that the client has joined.
struct Channel {
    topic: String,
    join_ref: Option<String>,
}

#[derive(Deserialize)]
struct Connect {
    peer_id: String,
}

#[derive(Deserialize)]
struct Signal<'a> {
    peer_id: String,
    #[serde(borrow)]
    offer: Option<&'a RawValue>,
    #[serde(borrow)]
    answer: Option<&'a RawValue>,
}

impl Phoenix {
    async fn step(&mut self, text: &str) -> Step {
        let Some(frame) = self.version.parse(text) else {
            return Step::Close { say: None, code: CloseCode::Policy };
        };
        self.spoken = true;
        let at = self.channels.iter().position(|channel| channel.topic == frame.topic);
        match (frame.event.as_str(), at) {
            ("heartbeat", _) if frame.topic == "phoenix" => Step::Say(self.version.reply(&frame, Ok(()))),
            ("phx_join", at) => self.join(&frame, at).await,
            ("phx_leave", None) => Step::Say(self.version.reply(&frame, Ok(()))),
            ("phx_leave", Some(at)) => self.leave(&frame, at).await,
            (_, None) => Step::Say(self.version.reply(&frame, Err("unmatched topic"))),
            ("register", Some(at)) => self.register(at),
            ("connect", Some(at)) => self.connect(&frame, at).await,
            ("offer" | "answer", Some(_)) => self.signal(&frame).await,
            _ => Step::Continue,
        }
    }

    /// One that has joined before and joins again is told that its former channel is closed.
    async fn join(&mut self, frame: &Frame<'_>, at: Option<usize>) -> Step {
        if let Err(reason) = self.enter(&frame.topic).await {
            return Step::Say(self.version.reply(frame, Err(reason)));
        }
        let former = at.map(|at| self.channels.remove(at));
        let closed = former.map(|former| self.version.close(former.join_ref.as_deref(), &former.topic));
        let join_ref = frame.join_ref.clone().or_else(|| frame.r#ref.clone());
        self.channels.push(Channel { topic: frame.topic.clone(), join_ref });
        Step::SayEach(closed.into_iter().chain([self.version.reply(frame, Ok(()))]).collect())
    }

    async fn enter(&mut self, topic: &str) -> Result<(), &'static str> {
        match (&self.end, topic.split_once(':')) {
            (End::Broker { .. }, Some(("broker", "match"))) => Ok(()),
            (End::Broker { .. }, Some(("broker", _))) => Err("Invalid subchannel"),
            (End::Peers, Some(("peer", id))) if is_uuid(id) => self.become_peer(topic).await,
            (End::Peers, Some(("peer", _))) => Err("Invalid peer id"),
            _ => Err("unmatched topic"),
        }
    }

    async fn become_peer(&mut self, topic: &str) -> Result<(), &'static str> {
        self.take_seat(topic).await.map_err(|trouble| {
            debug!(target: "rooms", ?trouble, "a peer was refused");
            match trouble {
                Trouble::Refused(Refusal::Full) => "Peer id is taken",
                Trouble::Refused(Refusal::TooManyTopics) => "Too many topics",
                _ => "Try again later",
            }
        })
    }

    /// The socket has a name of its own; the ids that others know are topics with one seat.
    async fn take_seat(&mut self, topic: &str) -> Result<(), Trouble> {
        let unknown = |_| Trouble::Refused(Refusal::UnknownClient);
        let topic = self.tenant.topic(topic).map_err(unknown)?;
        if self.peer.address().is_none() {
            let address = self.tenant.address(&random::uuid()).map_err(unknown)?;
            self.peer.attach(Claim::fresh(address)).await?;
        }
        let seat = Seat { capacity: 1, ..Seat::silent(self.peer.recipient()?) };
        self.peer.join(&topic, seat).await.map(drop)
    }

    async fn leave(&mut self, frame: &Frame<'_>, at: usize) -> Step {
        let Channel { topic, join_ref } = self.channels.remove(at);
        if let (End::Peers, Ok(topic)) = (&self.end, self.tenant.topic(&topic)) {
            self.peer.leave(&topic).await.unwrap_or_default();
        }
        let closed = self.version.close(join_ref.as_deref(), &topic);
        Step::SayEach(vec![self.version.reply(frame, Ok(())), closed])
    }

    fn register(&self, at: usize) -> Step {
        match &self.end {
            End::Broker { id } => self.push(at, "registered", &format!(r#"{{"id":"{id}"}}"#)),
            End::Peers => Step::Continue,
        }
    }

    /// No reply is ever sent to a connect, an offer or an answer.
    async fn connect(&self, frame: &Frame<'_>, at: usize) -> Step {
        let (Some(own), Ok(Connect { peer_id })) = (own_id(frame), serde_json::from_str(frame.payload.get())) else {
            return Step::Continue;
        };
        if self.tell(&peer_id, "peer_connect", &format!(r#"{{"peer_id":"{own}"}}"#)).await {
            return Step::Continue;
        }
        self.push(at, "error_connect", &format!(r#"{{"id":{}}}"#, json::write(&peer_id)))
    }

    async fn signal(&self, frame: &Frame<'_>) -> Step {
        let parsed = serde_json::from_str(frame.payload.get());
        let (Some(own), Ok(Signal { peer_id, offer, answer })) = (own_id(frame), parsed) else {
            return Step::Continue;
        };
        let event = frame.event.as_str();
        if let Some(signal) = if event == "offer" { offer } else { answer } {
            let payload = format!(r#"{{"{event}":{},"peer_id":"{own}"}}"#, signal.get());
            self.tell(&peer_id, event, &payload).await;
        }
        Step::Continue
    }

    /// Says something to a peer; was anybody there? It is written as the older or newer client there reads it.
    async fn tell(&self, peer: &str, event: &str, payload: &str) -> bool {
        let Some(topic) = self.peer_topic(peer) else { return false };
        let body = Body::Text(Version::Two.write(None, None, &topic.name, event, payload).into());
        let told = self.peer.publish(&topic, Audience::All, |_| body).await;
        told.is_ok_and(|heard| heard > 0)
    }

    fn peer_topic(&self, peer: &str) -> Option<TopicId> {
        self.tenant.topic(&format!("peer:{peer}")).ok().filter(|_| is_uuid(peer))
    }

    fn push(&self, at: usize, event: &str, payload: &str) -> Step {
        let Channel { topic, join_ref } = &self.channels[at];
        Step::Say(self.version.write(join_ref.as_deref(), None, topic, event, payload))
    }
}

/// Who speaks in `peer:ID`: its own id and no other, whatever it writes.
fn own_id<'a>(frame: &'a Frame<'_>) -> Option<&'a str> {
    frame.topic.strip_prefix("peer:")
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(group.len()));
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

impl Dialect for Phoenix {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    /// What others said is in the form of version 2.
    fn frame(&self, body: &Body) -> super::Frame {
        match (self.version, body) {
            (Version::One, Body::Text(text)) if let Some(frame) = Version::Two.parse(text) => {
                let Frame { topic, event, payload, .. } = frame;
                super::Frame::text(Version::One.write(None, None, &topic, &event, payload.get()))
            }
            _ => super::frame(body),
        }
    }

    fn is_registered(&self) -> bool {
        self.spoken
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.peer.detach(unwritten))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid() {
        assert!(is_uuid(&random::uuid()));
        assert!(is_uuid("00000000-0000-4000-8000-00000000ABCD"));
        for other in ["", "-", "x", "00000000-0000-4000-8000-00000000abc", "00000000-0000-4000-8000-00000000abcg"] {
            assert!(!is_uuid(other), "{other}");
        }
        assert!(!is_uuid(&format!("{}-", random::uuid())) && !is_uuid("000000000000-4000-8000-00000000abcd"));
    }

    #[test]
    fn the_broker_sits_beside_colliders_path() {
        assert!(takes(&["ws", "websocket"]) && takes(&["peer", "websocket"]));
        for other in
            [&["ws"][..], &["ws", ""], &["ws", "longpoll"], &["peer"], &["websocket"], &["ws", "websocket", ""]]
        {
            assert!(!takes(other), "{other:?}");
        }
    }
}
