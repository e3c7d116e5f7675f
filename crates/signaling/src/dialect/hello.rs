//! `HelloWebRTC`'s exchange on `/hello`, `/hello/ROOM` or `?room=ROOM` (its server of 2014 listened on any path).
//!
//! ```text
//! A → {"_messageType":"unicast","_contentType":"offer","_content":...,"_to":"b","_from":"a"}
//!   ← {"_contentType":"offer","_content":...,"_to":"b","_from":"a"}    a broadcast has no _to: to all, the sender too
//! B → {"messageType":"broadcast","content":{...},"from":"a"}           ← {"content":{...},"from":"a"}
//! ```
//! The first message tells A from B, and its `_from` names the client; any other `_messageType` does nothing else. The
//! two never meet: a client of one chokes on a frame of the other.

mod frame;

use std::{pin::Pin, sync::Arc, time::Duration};

use hyper::StatusCode;
use posthouse_rooms::{
    Address, Audience, Body, Entry as Seat, IdError, Letter, Message, Refusal, Taken, Tenant, TopicId,
};
use tracing::debug;

use self::frame::{ClientFrame, Kind, Spelling};
use super::{CloseCode, Dialect, Entry, Hello as Opening, Opened, Step, Steps};
use crate::{
    delivery::Trouble,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    respond,
};

pub(crate) static ENTRY: Entry = Entry { name: "hello", takes, recognises, open, http: None };

/// The one topic of a room: all its clients.
const ALL: &str = "all";

fn takes(path: &[&str]) -> bool {
    matches!(path, ["hello"] | ["hello", _])
}

fn recognises(first: &str) -> bool {
    ClientFrame::parse(first).is_some_and(|frame| frame.spelling == Spelling::A || frame.kind.is_some())
}

fn open(peer: Peer, opening: &Opening) -> Opened {
    let asked = opening.path.get(1).map(String::as_str).filter(|room| !room.is_empty());
    let room = asked.or_else(|| opening.visit.query.get("room")).unwrap_or_default().to_owned();
    // Whatever it will speak, its room has a name that can be kept.
    match Room::of(Spelling::A, &room) {
        Ok(_) => Ok(Box::new(Hello { peer, name: room, room: None })),
        Err(problem) => Err(respond::text(StatusCode::BAD_REQUEST, format!("the room's name: {problem}\n"))),
    }
}

/// One client.
struct Hello {
    peer: Peer,
    name: String,
    /// Where it is, once it has said how it speaks.
    room: Option<Room>,
}

/// A room, of those who spell alike.
#[derive(Clone)]
struct Room {
    spelling: Spelling,
    tenant: Tenant,
    all: TopicId,
}

impl Room {
    fn of(spelling: Spelling, name: &str) -> Result<Self, IdError> {
        let tenant = Tenant::new(ENTRY.name, &format!("{}/{name}", spelling.name()))?;
        let all = tenant.topic(ALL)?;
        Ok(Self { spelling, tenant, all })
    }
}

impl Hello {
    async fn step(&mut self, text: &str) -> Step {
        // The original stops at what is not JSON; here it is nobody's concern.
        let Some(frame) = ClientFrame::parse(text) else { return Step::Continue };
        let Ok(room) = self.room(frame.spelling) else { return Step::Continue };
        let Ok(own) = room.tenant.address(&frame.from) else { return Step::Continue };
        if room.spelling != frame.spelling {
            return Step::Continue;
        }
        if let Err(trouble) = self.bind(&room, own).await {
            debug!(target: "rooms", ?trouble, "a name was refused");
            let taken = matches!(trouble, Trouble::Refused(Refusal::IdTaken | Refusal::Full));
            return Step::Close { say: None, code: if taken { CloseCode::Policy } else { CloseCode::Again } };
        }
        let said = match frame.kind {
            Some(Kind::Broadcast) => {
                let body = Body::Text(frame.write().into());
                self.peer.publish(&room.all, Audience::All, |_| body).await.map(drop)
            }
            Some(Kind::Unicast) => self.unicast(&room, &frame).await,
            None => Ok(()),
        };
        if let Err(trouble) = said {
            debug!(target: "rooms", ?trouble, "a message was dropped");
        }
        Step::Continue
    }

    fn room(&mut self, spelling: Spelling) -> Result<Room, IdError> {
        if self.room.is_none() {
            self.room = Some(Room::of(spelling, &self.name)?);
        }
        self.room.clone().ok_or(IdError::Empty)
    }

    /// Every message names its sender. A name that another live client has is not given away, unless the operator
    /// wants the original's "who spoke last has it".
    async fn bind(&mut self, room: &Room, address: Address) -> Result<(), Trouble> {
        if self.peer.address() == Some(&address) {
            return Ok(());
        }
        let id = address.id.clone();
        let settings = self.peer.signaling.current.load().config.hello.clone();
        let taken = if settings.legacy { Taken::Newest } else { Taken::Refuse };
        let claim = Claim { address, secret: None, taken, grace: Duration::ZERO, label: None };
        self.peer.attach(claim).await?;
        let farewell = settings.leave.then(|| Body::Text(room.spelling.leave(&id).into()));
        let who = self.peer.recipient()?;
        self.peer.join(&room.all, Seat { farewell, ..Seat::silent(who) }).await.map(drop)
    }

    /// To one client of the same room; where nobody has that name, nothing happens.
    async fn unicast(&self, room: &Room, frame: &ClientFrame<'_>) -> Result<(), Trouble> {
        let to = frame.to.as_deref().and_then(|to| room.tenant.address(to).ok());
        let Some(to) = to else { return Ok(()) };
        self.peer.send_to(&to, Letter::now(Body::Text(frame.write().into()))).await.map(drop)
    }
}

impl Dialect for Hello {
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
