//! Collider's WebSocket, from `register` to the end. Exact in what it says (specification: `websocket`, the table of
//! situations), in its own words only where Collider had none.

pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod status;

use std::{pin::Pin, sync::Arc};

use posthouse_rooms::{Body, ClientId, Message, Refusal, RoomId, Socket};
use tracing::debug;

use crate::{
    delivery::{Post, Trouble},
    dialect::{CloseCode, Dialect, Entry, Frame, Hello, Opened, Step, Steps},
    outgoing::Outgoing,
    peer::Peer,
};
use frame::ClientFrame;

pub(crate) static ENTRY: Entry = Entry {
    name: "collider",
    takes: |path| path == ["ws"],
    recognises: |first| matches!(ClientFrame::parse(first), Ok(ClientFrame::Register { .. })),
    open: Collider::open,
    http: None,
};

/// One Collider client on its socket. Its room numbers what it hears, so its peer takes no name.
pub(crate) struct Collider {
    peer: Peer,
    client: Option<(RoomId, ClientId)>,
}

impl Collider {
    fn open(peer: Peer, _: &Hello) -> Opened {
        Ok(Box::new(Self { peer, client: None }))
    }

    async fn step(&mut self, text: &str) -> Step {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Register { room, client }) => self.register(&room, &client).await,
            Ok(ClientFrame::Send { msg }) => self.send(&msg).await,
            Ok(ClientFrame::Unknown) => Step::Say(frame::error("Invalid message: unexpected 'cmd'")),
            Err(problem) => refuse(&format!("websocket.JSON.Receive error: {problem}"), CloseCode::Policy),
        }
    }

    async fn register(&mut self, room: &str, client: &str) -> Step {
        if self.client.is_some() {
            return refuse("Duplicated register request", CloseCode::Normal);
        }
        if room.is_empty() || client.is_empty() {
            return refuse("Invalid register request: missing 'clientid' or 'roomid'", CloseCode::Policy);
        }
        let (Ok(room), Ok(client)) = (RoomId::parse_any(room), ClientId::parse(client)) else {
            return refuse(UNKNOWN, CloseCode::Policy);
        };
        let socket = self.peer.socket();
        let registered =
            self.peer.post().change(&room, |room, policy, now| room.register(policy, now, &client, socket)).await;
        match registered {
            Ok(registered) => {
                debug!(target: "rooms", room = room.as_str(), "a client registered");
                let older = registered.displaced.filter(|older| older.node == socket.node);
                let older = older.and_then(|older| self.peer.post().sessions.find(older.connection));
                self.peer.outgoing().open(older.map(|older| older.unwritten()).unwrap_or_default());
                self.client = Some((room, client));
                Step::Continue
            }
            Err(trouble) => refuse(why_not_registered(trouble), CloseCode::Policy),
        }
    }

    async fn send(&mut self, msg: &str) -> Step {
        let Some((room, client)) = &self.client else {
            return refuse("Client not registered", CloseCode::Policy);
        };
        if msg.is_empty() {
            return refuse("Invalid send request: missing 'msg'", CloseCode::Policy);
        }
        // Collider tells nobody when a message on a socket finds no room; the counters know.
        if let Err(trouble) = self.peer.post().send(room, client, msg).await {
            debug!(target: "rooms", room = room.as_str(), ?trouble, "a message was dropped");
        }
        Step::Continue
    }
}

impl Dialect for Collider {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    fn frame(&self, body: &Body) -> Frame {
        written(body)
    }

    fn same_for_all(&self) -> Option<fn(&Body) -> Frame> {
        Some(written)
    }

    fn flooded(&self) -> Option<String> {
        Some(frame::error("Too many messages"))
    }

    fn is_registered(&self) -> bool {
        self.client.is_some()
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if let Some((room, client)) = self.client.take() {
                deregister(self.peer.post(), &room, &client, self.peer.socket(), unwritten).await;
            }
        })
    }
}

/// A task that died on the way tells the room nevertheless.
impl Drop for Collider {
    fn drop(&mut self) {
        let Some((room, client)) = self.client.take() else { return };
        let (post, socket) = (self.peer.post().clone(), self.peer.socket());
        let unwritten = self.peer.outgoing().unwritten();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { deregister(&post, &room, &client, socket, unwritten).await });
        }
    }
}

async fn deregister(post: &Post, room: &RoomId, client: &ClientId, socket: Socket, unwritten: Vec<Message>) {
    let gone = post.change(room, |room, policy, now| room.deregister(policy, now, client, socket, unwritten.clone()));
    if let Err(trouble) = gone.await {
        debug!(target: "rooms", room = room.as_str(), ?trouble, "a lost socket could not be told");
    }
}

fn written(body: &Body) -> Frame {
    Frame::text(match body {
        Body::Text(text) => frame::message(text),
        Body::Bye | Body::Event(_) => frame::message(r#"{"type":"bye"}"#),
    })
}

/// Collider had no words for it: it took anybody.
const UNKNOWN: &str = "Invalid register request: unknown 'clientid', join the room first";

fn why_not_registered(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Refused(Refusal::Full) | Trouble::Store(_) => "Max room capacity reached",
        Trouble::Refused(Refusal::DuplicateRegistration) => "Duplicated registration",
        Trouble::Refused(_) => UNKNOWN,
    }
}

fn refuse(error: &str, code: CloseCode) -> Step {
    Step::Close { say: Some(frame::error(error)), code }
}
