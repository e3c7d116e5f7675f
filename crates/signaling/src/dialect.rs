//! Dialects: protocols spoken on a WebSocket, one file each, and the table that says which is spoken where.

pub(crate) mod auto;
#[cfg(test)]
mod echo;
pub(crate) mod hello;
pub(crate) mod matchbox;
pub(crate) mod peerjs;
pub(crate) mod phoenix;
pub(crate) mod tracker;
pub(crate) mod v1;
pub(crate) mod yjs;

use std::{future::Future, pin::Pin, sync::Arc};

use hyper::{HeaderMap, Request, body::Incoming};
use posthouse_rooms::{Body, Closing, Message};
use tokio::time::Instant;
pub(crate) use tungstenite::{Message as Frame, protocol::frame::coding::CloseCode};

use crate::{Signaling, current::Current, outgoing::Outgoing, peer::Peer, respond::Reply, visit::Visit};

/// All dialects. A new one is a module above and a line here.
pub(crate) static TABLE: &[&Entry] = &[
    &crate::collider::ENTRY,
    &auto::ENTRY,
    &hello::ENTRY,
    &matchbox::ENTRY,
    &peerjs::ENTRY,
    &phoenix::ENTRY,
    &tracker::ENTRY,
    &v1::ENTRY,
    &yjs::ENTRY,
    #[cfg(test)]
    &echo::ENTRY,
];

/// The names of all dialects, for the configuration's `disabled` and `root`.
pub fn dialects() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| entry.name)
}

/// What the house must know of a dialect before anybody speaks it.
pub(crate) struct Entry {
    /// Its name in the configuration.
    pub(crate) name: &'static str,
    /// Is it spoken on a WebSocket of this path?
    pub(crate) takes: fn(path: &[&str]) -> bool,
    /// Is this the first message of a client of this dialect? For endpoints that several dialects share.
    pub(crate) recognises: fn(first: &str) -> bool,
    /// Meets a client that has been let in: origin, rate and handshake are checked. A refusal is answered instead of
    /// 101. What the client's name needs is done in [`Dialect::opened`], not here.
    pub(crate) open: fn(Peer, &Hello) -> Opened,
    /// What it answers over HTTP.
    pub(crate) http: Option<Http>,
}

/// A client that was met, or the answer it gets instead of 101.
pub(crate) type Opened = Result<Box<dyn Dialect>, Reply>;

/// The opening request of a WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    /// Decoded segments.
    pub(crate) path: Vec<String>,
    /// Query, address, host.
    pub(crate) visit: Visit,
    /// For subprotocols and tokens.
    #[allow(dead_code, reason = "part of what a dialect may be told by")]
    pub(crate) headers: HeaderMap,
}

/// HTTP routes of a dialect.
pub(crate) struct Http {
    /// The methods of a path that is the dialect's, e.g. `GET` or `GET, POST`; others are left to other routes.
    pub(crate) methods: fn(path: &[&str]) -> Option<&'static str>,
    /// The answer. It asks [`Signaling::may_ask`] or [`Signaling::body`] before it changes or keeps anything.
    pub(crate) answer: for<'a> fn(&'a Arc<Signaling>, Request<Incoming>, &'a [&'a str], &'a Visit) -> Answering<'a>,
}

/// An answer under way.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, Reply>> + Send + 'a>>;

/// A step under way. Boxed, so that an idle socket does not hold room for it.
pub(crate) type Steps<'a> = Pin<Box<dyn Future<Output = Step> + Send + 'a>>;

/// One client of a dialect.
pub(crate) trait Dialect: Send {
    /// What is to be written to it.
    fn outgoing(&self) -> &Arc<Outgoing>;

    /// The socket is open: where a dialect speaks first, or knows from the path who is there.
    fn opened(&mut self) -> Steps<'_> {
        Box::pin(std::future::ready(Step::Continue))
    }

    /// A message from the client.
    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a>;

    /// A binary message from the client; as a rule it is text that was sent as bytes.
    fn handle_binary<'a>(&'a mut self, bytes: &'a [u8]) -> Steps<'a> {
        Box::pin(async move { self.handle(&String::from_utf8_lossy(bytes)).await })
    }

    /// What is said to the client, as a frame. Topics hand one body to all members: a dialect that encodes it when it
    /// is published has nothing to do here.
    fn frame(&self, body: &Body) -> Frame {
        frame(body)
    }

    /// What is written to the client now, in order: where that changes what the dialect knows, or needs the place of
    /// the message ([`Message::seq`]).
    fn write(&mut self, message: &Message) -> Frame {
        self.frame(&message.body)
    }

    /// How any body reads for any client of this dialect: then whoever delivers a message may write it at once while
    /// the socket is idle, and nobody needs to be woken for it. Only for a dialect that says nothing of its own in a
    /// step that lets deliveries through.
    fn same_for_all(&self) -> Option<fn(&Body) -> Frame> {
        None
    }

    /// The code of a socket that rooms close.
    fn closing(&self, _: Closing) -> CloseCode {
        CloseCode::Normal
    }

    /// The code of a client that did not say in time who it is.
    fn too_late(&self) -> CloseCode {
        CloseCode::Policy
    }

    /// What the client is told before it is closed for sending too fast.
    fn flooded(&self) -> Option<String> {
        None
    }

    /// Has the client said who it is? It must within [`Timing::register`](crate::Timing::register).
    fn is_registered(&self) -> bool;

    /// When [`Dialect::handle_timeout`] has something to do.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The moment has come.
    fn handle_timeout(&mut self) -> Steps<'_> {
        Box::pin(std::future::ready(Step::Continue))
    }

    /// The client has closed its socket itself, in good manners; [`Dialect::gone`] follows.
    fn farewell(&mut self) {}

    /// The socket is gone; `unwritten` never reached the client.
    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Continue,
    Say(String),
    /// One after the other.
    SayEach(Vec<String>),
    Close {
        say: Option<String>,
        code: CloseCode,
    },
}

/// A body that is a frame already.
pub(crate) fn frame(body: &Body) -> Frame {
    match body {
        Body::Text(text) => Frame::text(&**text),
        // Said in rooms and meetings alone, whose dialects have their own words for it.
        Body::Bye | Body::Event(_) => Frame::text(""),
    }
}

impl Current {
    /// The dialect of a path, unless it is switched off.
    pub(crate) fn dialect(&self, path: &[&str]) -> Option<&'static Entry> {
        let root = || self.config.root.as_deref().filter(|_| path == [""]);
        self.enabled().find(|entry| (entry.takes)(path) || root().is_some_and(|root| root == entry.name))
    }

    /// The dialect whose client speaks like this.
    pub(crate) fn dialect_of(&self, first: &str) -> Option<&'static Entry> {
        self.enabled().find(|entry| (entry.recognises)(first))
    }

    /// The HTTP routes of a path, and its methods.
    pub(crate) fn dialect_http(&self, path: &[&str]) -> Option<(&'static Http, &'static str)> {
        let routes = self.enabled().filter_map(|entry| entry.http.as_ref());
        routes.filter_map(|http| Some((http, (http.methods)(path)?))).next()
    }

    fn enabled(&self) -> impl Iterator<Item = &'static Entry> {
        let is_on = |entry: &&Entry| !self.config.disabled.iter().any(|name| name == entry.name);
        TABLE.iter().copied().filter(is_on)
    }
}
