//! Our own protocol, version 1: `GET /v1/socket` and a few HTTP routes beside it. `crates/signaling/V1.md` is its
//! description; this is one client of it.
//!
//! ```text
//! → join ──► joined                    ┐
//! → join ──► waiting ──► joined        ├─► requests, each with an id and one answer; events, each with a seq
//! → resume ─► resumed, what was missed ┘
//! ```
//! The rules are those of a [`Meeting`](posthouse_rooms::Meeting); here frames become its verbs, and its answers frames.

mod arrival;
mod fault;
mod frame;
mod http;
mod maker;
mod seat;
mod words;

use std::{pin::Pin, sync::Arc};

use fault::{Code, Fault};
use frame::Frame as Asked;
use posthouse_rooms::{
    Body, Closing, Message,
    meeting::{Caller, Event, Over, Request},
};
use seat::{Seat, Source, Ticket};
use tokio::time::Instant;

use super::{CloseCode, Dialect, Entry, Frame, Hello, Http, Opened, Step, Steps};
use crate::{json, outgoing::Outgoing, peer::Peer};

pub(crate) static ENTRY: Entry = Entry {
    name: "v1",
    takes: |path| path == ["v1", "socket"],
    recognises: |_| false,
    open,
    http: Some(Http { methods: http::methods, answer: http::answer }),
};

/// What is not a frame of this protocol.
const BAD_REQUEST: CloseCode = CloseCode::Library(4400);
/// Kicked, or not admitted.
const KICKED: CloseCode = CloseCode::Library(4403);
/// The room is closed.
const CLOSED: CloseCode = CloseCode::Library(4404);
/// Neither `join` nor `resume` in time.
const TOO_LATE: CloseCode = CloseCode::Library(4408);
/// The same member is on a newer socket.
const REPLACED: CloseCode = CloseCode::Library(4409);

fn open(peer: Peer, hello: &Hello) -> Opened {
    let source = Source { peer: hello.visit.peer, host: hello.visit.host.as_deref().map(Into::into) };
    Ok(Box::new(V1 { peer, source, seat: Seat::None, renew: None, code: CloseCode::Again }))
}

/// One client.
struct V1 {
    peer: Peer,
    source: Source,
    seat: Seat,
    /// When its relay credentials are to be renewed.
    renew: Option<Instant>,
    /// The code with which a room closes this socket: at first that of a member which did not read.
    code: CloseCode,
}

impl V1 {
    async fn step(&mut self, text: &str) -> Step {
        let Some(frame::Read { id, frame }) = frame::read(text) else {
            let say = Some(Fault::bad("expected a JSON object with a `type`, of at most 32 levels").frame(None));
            return Step::Close { say, code: BAD_REQUEST };
        };
        let frame = match (frame, id) {
            (Ok(Asked::Ack { seq }), _) => return self.acknowledge(seq).await,
            (Ok(frame), Some(id)) => (frame, id),
            (Ok(_), None) => return Step::Say(Fault::bad("expected a number in `id`").frame(None)),
            (Err(fault), id) => return Step::Say(fault.frame(id)),
        };
        match frame {
            (Asked::Join(join), id) => self.join(id, *join).await,
            (Asked::Resume { token, seen }, id) => self.resume(id, &token, seen).await,
            (Asked::Ask { request }, id) => self.ask(id, &request).await,
            (Asked::Ice, id) => self.ice(id).await,
            (Asked::Ping | Asked::Ack { .. }, id) => Step::Say(ok(id)),
        }
    }

    async fn ask(&mut self, id: u64, request: &Request) -> Step {
        let Seat::Taken(Ticket { room, member }) = &self.seat else { return Step::Say(not_joined(id)) };
        let caller = Caller { member, socket: self.peer.socket(), id };
        let asked =
            self.peer.post().change_meeting(room, |one, rules, now| one.request(rules, now, &caller, request)).await;
        let counters = &self.peer.signaling.counters;
        let to = if let Request::Send { to, .. } = request { to.as_deref() } else { None };
        match asked {
            Ok(()) if *request == Request::Leave => {
                self.seat = Seat::None;
                Step::Close { say: Some(ok(id)), code: CloseCode::Normal }
            }
            Ok(()) => {
                if matches!(request, Request::Send { .. }) {
                    counters.messages.add();
                }
                Step::Say(ok(id))
            }
            Err(trouble) => {
                let fault = Fault::from(trouble).of(to);
                if fault.code == Code::MailboxFull {
                    counters.queue_overflows.add();
                }
                Step::Say(fault.frame(Some(id)))
            }
        }
    }

    async fn acknowledge(&mut self, seq: u64) -> Step {
        let Seat::Taken(Ticket { room, member }) = &self.seat else { return Step::Continue };
        let socket = self.peer.socket();
        // An acknowledgement that is lost is made good by the next one.
        let _ = self.peer.post().change_meeting(room, |one, _, _| one.acknowledge(member, socket, seq)).await;
        Step::Continue
    }

    async fn ice(&self, id: u64) -> Step {
        let Seat::Taken(Ticket { room, member }) = &self.seat else { return Step::Say(not_joined(id)) };
        let socket = self.peer.socket();
        // One whose membership has just ended gets nothing more, even if its socket is not closed yet.
        let seated =
            self.peer.post().change_meeting(room, |one, rules, now| one.attend(rules, now, member, socket)).await;
        if let Err(trouble) = seated {
            return Step::Say(Fault::from(trouble).frame(Some(id)));
        }
        let ice = self.mint(member);
        Step::Say(format!(r#"{{"type":"ok","id":{id},"ice":{}}}"#, json::plain(&words::Ice::of(&ice))))
    }

    /// News that is due: fresh relay credentials, before the old ones end.
    async fn renew_ice(&mut self) -> Step {
        self.renew = None;
        let Seat::Taken(Ticket { room, member }) = &self.seat else { return Step::Continue };
        let ice = self.mint(member);
        let news = json::plain(&words::Ice::of(&ice)).into();
        let told = self.peer.post().change_meeting(room, |one, rules, now| one.inform(rules, now, member, &news)).await;
        if let Err(trouble) = told {
            tracing::debug!(target: "rooms", ?trouble, "relay credentials were not renewed");
        }
        self.renew_after(&ice);
        Step::Continue
    }
}

impl Dialect for V1 {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    fn write(&mut self, message: &Message) -> Frame {
        let Body::Event(event) = &message.body else { return super::frame(&message.body) };
        match &**event {
            Event::Admitted(welcome) => Frame::text(self.admitted(welcome)),
            Event::Denied => {
                self.code = KICKED;
                Frame::text(self.turned_away(&Fault::new(Code::Denied, "the owner of the room did not admit you")))
            }
            Event::Closed(over) => {
                self.code = if *over == Over::Kicked { KICKED } else { CLOSED };
                if let Seat::Door(_) = &self.seat {
                    return Frame::text(self.turned_away(&Fault::new(Code::NoSuchRoom, "the room was closed")));
                }
                Frame::text(words::event(message.seq, event))
            }
            event => Frame::text(words::event(message.seq, event)),
        }
    }

    fn closing(&self, why: Closing) -> CloseCode {
        if why == Closing::Displaced { REPLACED } else { self.code }
    }

    fn too_late(&self) -> CloseCode {
        TOO_LATE
    }

    fn flooded(&self) -> Option<String> {
        Some(Fault::new(Code::TooFast, "more messages than a client may send in a second").frame(None))
    }

    fn is_registered(&self) -> bool {
        !matches!(self.seat, Seat::None)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.renew
    }

    fn handle_timeout(&mut self) -> Steps<'_> {
        Box::pin(self.renew_ice())
    }

    /// What was not written waits in the mailbox until the client acknowledges it.
    fn gone(&mut self, _: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if let Some(ticket) = self.seat.give_up() {
                seat::lose(self.peer.post().clone(), ticket, self.peer.socket()).await;
            }
        })
    }
}

/// A task that died on the way lets go of its seat nevertheless.
impl Drop for V1 {
    fn drop(&mut self) {
        let Some(ticket) = self.seat.give_up() else { return };
        let (post, socket) = (self.peer.post().clone(), self.peer.socket());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(seat::lose(post, ticket, socket));
        }
    }
}

fn ok(id: u64) -> String {
    format!(r#"{{"type":"ok","id":{id}}}"#)
}

fn not_joined(id: u64) -> String {
    Fault::new(Code::NotJoined, "join a room or resume first").frame(Some(id))
}
