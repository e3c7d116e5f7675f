//! An endpoint that several dialects share: the first message tells which of them a client speaks. For `/auto`, and for
//! a listener's root, where clients that know no paths arrive.

use std::{pin::Pin, sync::Arc};

use posthouse_rooms::{Body, Message};
use tokio::time::Instant;

use super::{CloseCode, Dialect, Entry, Frame, Hello, Opened, Step, Steps};
use crate::{outgoing::Outgoing, peer::Peer};

pub(crate) static ENTRY: Entry =
    Entry { name: "auto", takes: |path| path == ["auto"], recognises: |_| false, open, http: None };

fn open(peer: Peer, hello: &Hello) -> Opened {
    let outgoing = peer.outgoing().clone();
    // Whoever recognises the message decides by the query at most: the path is ours.
    let hello = Hello { path: Vec::new(), ..hello.clone() };
    Ok(Box::new(Auto { outgoing, state: State::Waiting(Some(Box::new((peer, hello)))) }))
}

struct Auto {
    outgoing: Arc<Outgoing>,
    state: State,
}

enum State {
    Waiting(Option<Box<(Peer, Hello)>>),
    Speaking(Box<dyn Dialect>),
}

impl Auto {
    fn inner(&self) -> Option<&dyn Dialect> {
        match &self.state {
            State::Speaking(dialect) => Some(dialect.as_ref()),
            State::Waiting(_) => None,
        }
    }

    fn spoken<'a>(&'a mut self, step: impl FnOnce(&'a mut (dyn Dialect + 'static)) -> Steps<'a>) -> Steps<'a> {
        match &mut self.state {
            State::Speaking(dialect) => step(dialect.as_mut()),
            State::Waiting(_) => Box::pin(std::future::ready(Step::Continue)),
        }
    }

    async fn first(&mut self, text: &str) -> Step {
        let refuse = Step::Close { say: None, code: CloseCode::Policy };
        let State::Waiting(waiting) = &mut self.state else { return refuse };
        let Some((peer, hello)) = waiting.take().map(|waiting| *waiting) else { return refuse };
        let opened = peer.signaling.current.load().dialect_of(text).map(|entry| (entry.open)(peer, &hello));
        let Some(Ok(mut dialect)) = opened else { return refuse };
        let before = dialect.opened().await;
        let then = if matches!(before, Step::Close { .. }) { Step::Continue } else { dialect.handle(text).await };
        self.state = State::Speaking(dialect);
        both(before, then)
    }
}

impl Dialect for Auto {
    fn outgoing(&self) -> &Arc<Outgoing> {
        &self.outgoing
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        match self.inner() {
            None => Box::pin(self.first(text)),
            Some(_) => self.spoken(|dialect| dialect.handle(text)),
        }
    }

    fn handle_binary<'a>(&'a mut self, bytes: &'a [u8]) -> Steps<'a> {
        match self.inner() {
            None => Box::pin(async move { self.first(&String::from_utf8_lossy(bytes)).await }),
            Some(_) => self.spoken(|dialect| dialect.handle_binary(bytes)),
        }
    }

    fn frame(&self, body: &Body) -> Frame {
        self.inner().map_or_else(|| super::frame(body), |dialect| dialect.frame(body))
    }

    fn flooded(&self) -> Option<String> {
        self.inner().and_then(Dialect::flooded)
    }

    fn is_registered(&self) -> bool {
        self.inner().is_some_and(Dialect::is_registered)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner().and_then(Dialect::poll_timeout)
    }

    fn handle_timeout(&mut self) -> Steps<'_> {
        self.spoken(Dialect::handle_timeout)
    }

    fn farewell(&mut self) {
        if let State::Speaking(dialect) = &mut self.state {
            dialect.farewell();
        }
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        match &mut self.state {
            State::Speaking(dialect) => dialect.gone(unwritten),
            State::Waiting(_) => Box::pin(std::future::ready(())),
        }
    }
}

/// What is said on opening comes before the answer to the first message.
fn both(before: Step, then: Step) -> Step {
    let mut said = match before {
        Step::Continue => return then,
        Step::Close { .. } => return before,
        Step::Say(text) => vec![text],
        Step::SayEach(texts) => texts,
    };
    match then {
        Step::Continue => {}
        Step::Say(text) => said.push(text),
        Step::SayEach(texts) => said.extend(texts),
        // A client that is closed at its first message learns why from what is said last.
        Step::Close { .. } => return then,
    }
    Step::SayEach(said)
}
