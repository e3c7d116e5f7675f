//! The HTTP routes: rooms made, looked at, changed and closed by whoever need not be in them; ICE servers.

use std::sync::Arc;

use hyper::{
    HeaderMap, Request, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, HeaderValue, LOCATION},
};
use posthouse_rooms::{
    Digest, Outcome, RoomId,
    meeting::{self, Authority, Making},
};
use serde::Serialize;

use super::{
    fault::{Code, Fault},
    frame::Create,
    maker::Maker,
    words,
};
use crate::{
    Signaling,
    dialect::Answering,
    random,
    rates::Table,
    respond::{self, Reply},
    visit::Visit,
};

/// How long a room that was made over HTTP waits for its first member, and for the next one after its last.
const EMPTY_FOR: u64 = 600;

pub(super) fn methods(path: &[&str]) -> Option<&'static str> {
    match path {
        ["v1", "rooms"] => Some("POST"),
        ["v1", "rooms", _] => Some("GET, PATCH, DELETE"),
        ["v1", "rooms", _, "members", _] => Some("DELETE"),
        ["v1", "ice"] => Some("GET"),
        _ => None,
    }
}

pub(super) fn answer<'a>(
    signaling: &'a Arc<Signaling>,
    request: Request<Incoming>,
    path: &'a [&'a str],
    visit: &'a Visit,
) -> Answering<'a> {
    Box::pin(async move { Ok(route(signaling, request, path, visit).await.unwrap_or_else(|fault| reply(&fault))) })
}

async fn route(
    signaling: &Arc<Signaling>,
    request: Request<Incoming>,
    path: &[&str],
    visit: &Visit,
) -> Result<Reply, Fault> {
    let ask = Ask { signaling, visit };
    match (path, request.method().as_str()) {
        (["v1", "ice"], _) => {
            ask.may(&signaling.limits.ice)?;
            let ice = signaling.mint(&random::label().0, &visit.context());
            Ok(respond::json(&words::Ice::of(&ice)))
        }
        (["v1", "rooms"], _) => {
            let bearer = bearer(request.headers()).map(str::to_owned);
            let body = ask.body(request, &signaling.limits.join).await?;
            ask.make(bearer.as_deref(), &Create::read(&body)?).await
        }
        (["v1", "rooms", room], "GET" | "HEAD") => {
            ask.may(&signaling.limits.message)?;
            ask.show(&name(room)?).await
        }
        (["v1", "rooms", room], method) => {
            let (room, patch) = (name(room)?, method == "PATCH");
            let authority = ask.authority(bearer(request.headers()), &room)?;
            let body = ask.body(request, &signaling.limits.join).await?;
            let wish =
                if patch { meeting::Request::Set(Create::read(&body)?.terms()?) } else { meeting::Request::Close };
            ask.command(&room, authority, &wish).await?;
            if patch { ask.show(&room).await } else { Ok(respond::empty(StatusCode::NO_CONTENT)) }
        }
        (["v1", "rooms", room, _, member], _) => {
            let room = name(room)?;
            let authority = ask.authority(bearer(request.headers()), &room)?;
            ask.may(&signaling.limits.join)?;
            ask.command(&room, authority, &meeting::Request::Kick((*member).into())).await?;
            Ok(respond::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(Fault::bad("expected a path of this protocol")),
    }
}

/// One who asks.
struct Ask<'a> {
    signaling: &'a Arc<Signaling>,
    visit: &'a Visit,
}

/// A room as strangers may see it.
#[derive(Serialize)]
struct Shown<'a> {
    room: &'a str,
    members: usize,
    capacity: usize,
    locked: bool,
    passphrase: bool,
    knock: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    room: &'a str,
    url: String,
    owner: &'a str,
    expires_in: u64,
}

impl Ask<'_> {
    /// Origin and rate.
    fn may(&self, table: &Table) -> Result<(), Fault> {
        self.signaling.may_ask(self.visit, table).map_err(|refused| from_reply(&refused))
    }

    async fn body(&self, request: Request<Incoming>, table: &Table) -> Result<String, Fault> {
        self.signaling.body(request, self.visit, table).await.map_err(|refused| from_reply(&refused))
    }

    async fn make(&self, bearer: Option<&str>, create: &Create) -> Result<Reply, Fault> {
        let room = match &create.room {
            Some(room) => name(room)?,
            None => name(&random::label().0)?,
        };
        let maker = self.maker(bearer, &room)?;
        if !maker.may() {
            return Err(maker.too_fast());
        }
        let (owner, keep) = (random::secret(), maker.keep(create.empty_for.unwrap_or(EMPTY_FOR).max(1)));
        let (making, expires_in) = (Making { owner: Digest::of(&owner), keep, terms: create.terms()? }, keep.as_secs());
        self.signaling.post.change_meeting(&room, |one, rules, now| one.make(rules, now, &making)).await?;
        maker.has_made();
        let url = format!("{}/meet/{}", self.visit.current.base, room.as_str());
        let mut reply = respond::json(&Made { room: room.as_str(), url, owner: &owner, expires_in });
        *reply.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::from_str(&format!("/v1/rooms/{}", room.as_str())) {
            reply.headers_mut().insert(LOCATION, location);
        }
        Ok(reply)
    }

    /// Whoever brings a key, or a token that grants it. Where rooms need neither, everybody else too.
    fn maker(&self, bearer: Option<&str>, room: &RoomId) -> Result<Maker<'_>, Fault> {
        let access = &self.visit.current.config.access;
        let maker = |is_vouched_for| Maker { signaling: self.signaling, source: self.visit.peer, is_vouched_for };
        if bearer.is_some_and(|key| access.is_api_key(key)) {
            return Ok(maker(true));
        }
        let needed = Fault::new(Code::Unauthorized, "expected `Authorization: Bearer` with an API key, or a token");
        let grants = bearer.ok_or(needed).and_then(|token| {
            access.grants(token, room.as_str(), self.signaling.post.clock.now()).map_err(Fault::from)
        });
        match grants {
            Ok(grants) if grants.create => Ok(maker(true)),
            _ if !access.create_needs_key => Ok(maker(false)),
            Ok(_) => Err(Fault::new(Code::Forbidden, "the token does not grant `create`")),
            Err(fault) => Err(fault),
        }
    }

    /// Whose word this is: the backend's, that of a token which names an owner, or the owner's secret.
    fn authority(&self, bearer: Option<&str>, room: &RoomId) -> Result<Authority, Fault> {
        let needed = "expected `Authorization: Bearer` with the owner's secret";
        let bearer = bearer.ok_or(Fault::new(Code::Unauthorized, needed))?;
        let access = &self.visit.current.config.access;
        if access.is_api_key(bearer) {
            return Ok(Authority::House);
        }
        // No secret of ours has a dot in it, and no token is without.
        if !access.knows_tokens() || !bearer.contains('.') {
            return Ok(Authority::Secret(Digest::of(bearer)));
        }
        let grants = access.grants(bearer, room.as_str(), self.signaling.post.clock.now())?;
        let owner = Fault::new(Code::Forbidden, "the token does not grant `owner`");
        if grants.owner { Ok(Authority::House) } else { Err(owner) }
    }

    async fn show(&self, room: &RoomId) -> Result<Reply, Fault> {
        let look = self.signaling.post.change_meeting(room, |one, rules, now| {
            let effects = one.expire(rules, now);
            let seen = one.terms().map(|_| (one.state(), one.members().len()));
            Outcome { answer: seen.ok_or(posthouse_rooms::Refusal::UnknownRoom), effects }
        });
        let (state, members) = look.await?;
        let meeting::State { capacity, locked, passphrase, knock } = state;
        Ok(respond::json(&Shown { room: room.as_str(), members, capacity, locked, passphrase, knock }))
    }

    async fn command(&self, room: &RoomId, authority: Authority, wish: &meeting::Request) -> Result<(), Fault> {
        let post = &self.signaling.post;
        Ok(post.change_meeting(room, |one, rules, now| one.command(rules, now, authority, wish)).await?)
    }
}

fn name(room: &str) -> Result<RoomId, Fault> {
    RoomId::parse(room).map_err(|_| Fault::bad("expected a room of 1 to 128 letters, digits, '-' and '_'"))
}

/// What stands behind `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    Some(secret.trim()).filter(|secret| scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty())
}

fn reply(fault: &Fault) -> Reply {
    #[derive(Serialize)]
    struct Answer<'a> {
        error: &'a Fault,
    }
    let mut reply = respond::json(&Answer { error: fault });
    *reply.status_mut() = fault.code.status();
    if fault.retry_in.is_some() {
        reply.headers_mut().insert(hyper::header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

/// What was refused before it was read, in this protocol's words.
fn from_reply(refused: &Reply) -> Fault {
    match refused.status() {
        StatusCode::FORBIDDEN => {
            Fault::new(Code::Forbidden, "pages of this origin may not ask; see web.allowed_origins")
        }
        StatusCode::TOO_MANY_REQUESTS => Fault::new(Code::TooFast, "more than one network may ask in a second"),
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(Code::TooLarge, "longer than signaling.max_message"),
        StatusCode::REQUEST_TIMEOUT => Fault::new(Code::TooSlow, "expected the whole body within 15 s"),
        _ => Fault::bad("expected a whole body in UTF-8"),
    }
}
