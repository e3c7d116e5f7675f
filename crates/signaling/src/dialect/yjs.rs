//! y-webrtc's signaling on `/yjs`, and Trystero's relay, which says `topic` where y-webrtc says `topics`.
//!
//! ```text
//! → {"type":"subscribe","topics":["a"]}    {"type":"unsubscribe","topics":["a"]}    Trystero: "topic":"a"
//! → {"type":"publish","topic":"a", ...}    ← the same object and "clients":2, to all subscribers, the sender too
//! → {"type":"ping"}                        ← {"type":"pong"}
//! ```
//! One may publish without subscribing. What else a publication holds is not ours to read: with a password it is one
//! encrypted string.

use std::{pin::Pin, sync::Arc};

use hyper::{Request, StatusCode, body::Incoming};
use posthouse_rooms::{Audience, Body, Entry as Seat, Message, Tenant, TopicId};
use serde::Deserialize;
use tracing::debug;

use super::{Answering, CloseCode, Dialect, Entry, Hello, Http, Opened, Step, Steps};
use crate::{
    Signaling, json,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    random, respond,
    visit::Visit,
};

pub(crate) static ENTRY: Entry = Entry { name: "yjs", takes, recognises, open, http: Some(Http { methods, answer }) };

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// `/yjs`, with or without more behind it: the reference server listens on any path.
fn takes(path: &[&str]) -> bool {
    path.first() == Some(&"yjs")
}

fn recognises(first: &str) -> bool {
    matches!(ClientFrame::parse(first), Some(frame) if !matches!(frame, ClientFrame::Ping))
}

fn open(peer: Peer, _: &Hello) -> Opened {
    let tenant = Tenant::new(ENTRY.name, "").map_err(|_| respond::status(StatusCode::BAD_REQUEST))?;
    Ok(Box::new(Yjs { peer, tenant }))
}

fn methods(path: &[&str]) -> Option<&'static str> {
    takes(path).then_some("GET")
}

/// What the reference server says to a browser that looks whether it is there.
fn answer<'a>(_: &'a Arc<Signaling>, _: Request<Incoming>, _: &'a [&'a str], _: &'a Visit) -> Answering<'a> {
    Box::pin(std::future::ready(Ok(respond::text(StatusCode::OK, "okay"))))
}

/// One client.
struct Yjs {
    peer: Peer,
    tenant: Tenant,
}

#[derive(Debug, PartialEq, Eq)]
enum ClientFrame {
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    Publish(String),
    Ping,
}

/// The keys we read. One that comes twice is refused, so that nobody checks one value and uses the other.
#[derive(Deserialize)]
struct Fields {
    r#type: String,
    topic: Option<String>,
    topics: Option<Vec<String>>,
    clients: Option<serde::de::IgnoredAny>,
}

impl ClientFrame {
    fn parse(text: &str) -> Option<Self> {
        // A list of values would be read as an object's otherwise, and be published with a tail that fits neither.
        if !text.trim_start().starts_with('{') || json::deeper_than(DEPTH, text) {
            return None;
        }
        let Fields { r#type, topic, topics, clients } = serde_json::from_str(text).ok()?;
        let named = |topics: Option<Vec<String>>, topic: Option<String>| topics.or_else(|| Some(vec![topic?]));
        match r#type.as_str() {
            "subscribe" => named(topics, topic).map(Self::Subscribe),
            "unsubscribe" => named(topics, topic).map(Self::Unsubscribe),
            // `clients` is ours to say.
            "publish" if clients.is_none() => topic.map(Self::Publish),
            "ping" => Some(Self::Ping),
            _ => None,
        }
    }
}

/// The publication as it came, with `clients` behind all else.
fn publication(text: &str, clients: usize) -> Body {
    let object = text.trim_end();
    let open = object.strip_suffix('}').unwrap_or(object);
    Body::Text(format!("{open},\"clients\":{clients}}}").into())
}

impl Yjs {
    async fn step(&mut self, text: &str) -> Step {
        // Whatever is not understood is ignored, as in the reference server; what is not JSON stops that one.
        let Some(frame) = ClientFrame::parse(text) else { return Step::Continue };
        if !self.known().await {
            return Step::Close { say: None, code: CloseCode::Again };
        }
        match frame {
            ClientFrame::Subscribe(topics) => self.subscribe(&topics).await,
            ClientFrame::Unsubscribe(topics) => self.unsubscribe(&topics).await,
            ClientFrame::Publish(topic) => self.publish(&topic, text).await,
            ClientFrame::Ping => Step::Say(r#"{"type":"pong"}"#.to_owned()),
        }
    }

    /// Clients have no names here; one that speaks gets one, so that it can be reached.
    async fn known(&mut self) -> bool {
        if self.peer.address().is_some() {
            return true;
        }
        let Ok(address) = self.tenant.address(&random::uuid()) else { return false };
        self.peer.attach(Claim::fresh(address)).await.is_ok()
    }

    async fn subscribe(&self, topics: &[String]) -> Step {
        for topic in self.topics(topics) {
            let joined = match self.peer.recipient() {
                Ok(who) => self.peer.join(&topic, Seat::silent(who)).await.map(drop),
                Err(trouble) => Err(trouble),
            };
            // There is no word for a refusal; a closed socket at least tells the application that something is wrong.
            if let Err(trouble) = joined {
                debug!(target: "rooms", ?trouble, "a subscription was refused");
                return Step::Close { say: None, code: CloseCode::Policy };
            }
        }
        Step::Continue
    }

    async fn unsubscribe(&self, topics: &[String]) -> Step {
        for topic in self.topics(topics) {
            self.peer.leave(&topic).await.unwrap_or_default();
        }
        Step::Continue
    }

    async fn publish(&self, topic: &str, text: &str) -> Step {
        if let Ok(topic) = self.tenant.topic(topic) {
            let said = self.peer.publish(&topic, Audience::All, |clients| publication(text, clients)).await;
            if let Err(trouble) = said {
                debug!(target: "rooms", ?trouble, "a publication was dropped");
            }
        }
        Step::Continue
    }

    /// One more than may be entered, so that the refusal is heard; what lies behind is not worth the work.
    fn topics(&self, names: &[String]) -> Vec<TopicId> {
        let most = self.peer.post().bounds.load().topics + 1;
        names.iter().take(most).filter_map(|name| self.tenant.topic(name).ok()).collect()
    }
}

impl Dialect for Yjs {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    fn is_registered(&self) -> bool {
        self.peer.address().is_some()
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.peer.detach(unwritten))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_passes_as_it_came_with_the_number_of_clients() {
        let text = "{\"type\":\"publish\",\"topic\":\"a\",\"data\":1e400 }\n";
        let expected = "{\"type\":\"publish\",\"topic\":\"a\",\"data\":1e400 ,\"clients\":3}";
        assert_eq!(publication(text, 3), Body::from(expected));
    }

    #[test]
    fn both_spellings_of_a_topic_are_read_and_ambiguity_is_not() {
        let one = || vec!["a".to_owned()];
        let parse = ClientFrame::parse;
        assert_eq!(parse(r#"{"type":"subscribe","topics":["a"]}"#), Some(ClientFrame::Subscribe(one())));
        assert_eq!(parse(r#"{"type":"unsubscribe","topic":"a","x":[{}]}"#), Some(ClientFrame::Unsubscribe(one())));
        assert_eq!(parse(r#"{"type":"ping"}"#), Some(ClientFrame::Ping));
        let deep = format!("{{\"type\":\"ping\",\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
        for ignored in [
            "",
            "[]",
            "null",
            r#"{"type":"publish"}"#,
            r#"{"type":"publish","topic":1}"#,
            r#"{"type":"publish","topic":"a","topic":"b"}"#,
            r#"{"type":"publish","topic":"a","clients":9}"#,
            r#"["publish","a",null,null]"#,
            r#"{"type":"subscribe","topics":"a"}"#,
            r#"{"type":"shout","topic":"a"}"#,
            &deep,
        ] {
            assert_eq!(parse(ignored), None, "{ignored:.40}");
        }
    }
}
