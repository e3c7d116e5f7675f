//! `PeerJS` (npm `peerjs` 1.x, its server `peer` 1.0.2) on `/peerjs`, for clients with `path: '/'` and `path: '/peerjs'`.
//!
//! ```text
//! GET /peerjs/KEY/id → an id    GET /peerjs/KEY/peers → ["ID"] or 401    /peerjs?key=K&id=I&token=T: the WebSocket
//! ← {"type":"OPEN"} | {"type":"ID-TAKEN" or "ERROR","payload":{"msg":"..."}} and the end
//! → {"type":"OFFER","dst":"ID","payload":...}    ← {"type":"OFFER","src":"ID","dst":"ID","payload":...}; ANSWER, CANDIDATE
//! → {"type":"LEAVE","dst":"ID"}: now or never    ← {"type":"EXPIRE","src":"ID","dst":"ID"}: nobody took it in time
//! ```
//! The token is the client's own choice (a random word by default, a JWT if it likes) and proves that a name is its own:
//! who comes back with it gets the name and hears `OPEN` again. The key is a name space. Where the operator wants to know who
//! comes, the token is a JWT that a backend signed, and a name belongs to whom it was made for, with whatever token of theirs.

mod frame;
mod waiting;

use std::{pin::Pin, sync::Arc, time::Duration};

use hyper::{Request, StatusCode, body::Incoming};
use posthouse_rooms::{
    Body, Digest, Entry as Seat, Keep, Letter, Message, Put, Refusal, Returned, Taken, Tenant, Timestamp,
};
use serde_json::{json, value::RawValue};
use tracing::debug;

use super::{Answering, CloseCode, Dialect, Entry, Hello, Http, Opened, Step, Steps};
use crate::{
    Signaling,
    current::Current,
    delivery::Trouble,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    random,
    respond::{self, Reply},
    visit::Visit,
};
use frame::{ClientFrame, Kind};
use waiting::Waiting;

pub(crate) static ENTRY: Entry =
    Entry { name: "peerjs", takes, recognises: |_| false, open, http: Some(Http { methods, answer }) };

/// The key of clients that name none.
const KEY: &str = "peerjs";

/// Longest id of a peer, in characters. Clients choose theirs, the library's rule allows any length.
const LONGEST_ID: usize = 64;

/// The topic that lists the peers of a key.
const PEERS: &str = "peers";

/// The client appends `peerjs` to its `path`.
fn takes(path: &[&str]) -> bool {
    matches!(path, ["peerjs"] | ["peerjs", "peerjs"])
}

fn open(peer: Peer, hello: &Hello) -> Opened {
    let given = |name| hello.visit.query.get(name).unwrap_or_default().to_owned();
    let wish = Wish { key: given("key"), id: given("id"), token: given("token") };
    Ok(Box::new(PeerJs { peer, wish, waiting: Waiting::default(), goodbye: false }))
}

/// What is asked over HTTP.
enum Question<'a> {
    Info,
    Id,
    Peers { key: &'a str },
}

/// The key is a segment behind the client's `path`; `/peerjs/id` is what `path: '/'` and the default key make of it.
fn question<'a>(path: &[&'a str]) -> Option<Question<'a>> {
    match path {
        ["peerjs"] | ["peerjs", ""] => Some(Question::Info),
        ["peerjs", "id"] | ["peerjs", _, "id"] => Some(Question::Id),
        ["peerjs", "peers"] => Some(Question::Peers { key: KEY }),
        ["peerjs", key, "peers"] => Some(Question::Peers { key }),
        _ => None,
    }
}

fn methods(path: &[&str]) -> Option<&'static str> {
    question(path).map(|_| "GET")
}

fn answer<'a>(
    signaling: &'a Arc<Signaling>,
    _: Request<Incoming>,
    path: &'a [&'a str],
    visit: &'a Visit,
) -> Answering<'a> {
    Box::pin(async move {
        signaling.may_ask(visit, &signaling.limits.join)?;
        match question(path) {
            Some(Question::Info) => Ok(respond::json(&json!({
                "name": "PeerJS Server",
                "description": "A server side element to broker connections between PeerJS clients.",
                "website": "https://peerjs.com/",
            }))),
            // Any key may ask, as in the original: an id is no secret, and a wrong key is told so on the WebSocket.
            Some(Question::Id) => Ok(respond::text(StatusCode::OK, random::uuid())),
            Some(Question::Peers { key }) => peers(signaling, visit, key).await,
            None => Err(respond::status(StatusCode::NOT_FOUND)),
        }
    })
}

/// Those who are there, if the operator lets them be listed. The client words its advice on 401.
async fn peers(signaling: &Arc<Signaling>, visit: &Visit, key: &str) -> Result<Reply, Reply> {
    let refused = || respond::text(StatusCode::UNAUTHORIZED, "Unauthorized");
    let tenant = tenant(&visit.current, key).filter(|_| visit.current.config.peerjs.allow_discovery);
    let topic = tenant.and_then(|tenant| tenant.topic(PEERS).ok()).ok_or_else(refused)?;
    let names = |topic: &posthouse_rooms::Topic| topic.members().map(|(id, _)| id.to_string()).collect::<Vec<_>>();
    let listed = signaling.post.look(&topic, names).await;
    listed.map(|ids| respond::json(&ids)).map_err(|_| respond::later(StatusCode::SERVICE_UNAVAILABLE))
}

/// The name space of a key that is one of ours.
fn tenant(current: &Current, key: &str) -> Option<Tenant> {
    let keys = &current.config.peerjs.keys;
    let known = keys.is_empty() || keys.iter().any(|one| one == key);
    Tenant::new(ENTRY.name, key).ok().filter(|_| known)
}

/// Who somebody wants to be.
#[derive(Default)]
struct Wish {
    key: String,
    id: String,
    token: String,
}

/// One peer.
struct PeerJs {
    peer: Peer,
    wish: Wish,
    waiting: Waiting,
    /// Has the client closed its socket itself? A page that is loaded again closes it, and comes back under the same id
    /// with another token.
    goodbye: bool,
}

impl PeerJs {
    /// The original's order of questions, and its words.
    async fn enter(&mut self) -> Result<(), String> {
        // A token may be long: an idle peer does not hold it.
        let Wish { key, id, token } = std::mem::take(&mut self.wish);
        if key.is_empty() || id.is_empty() || token.is_empty() {
            return Err(frame::error("No id, token, or key supplied to websocket server"));
        }
        let current = self.peer.signaling.current.load_full();
        let tenant = tenant(&current, &key).ok_or_else(|| frame::error("Invalid key provided"))?;
        let sound = id.chars().count() <= LONGEST_ID && !id.chars().any(char::is_control);
        let address = tenant.address(&id).ok().filter(|_| sound);
        let address = address.ok_or_else(|| frame::error("Invalid id provided, expected at most 64 characters"))?;
        let secret = Some(self.secret(&current, &key, &id, token)?);
        let grace = self.peer.post().policy.load().resume;
        let attached = self.peer.attach(Claim { address, secret, taken: Taken::Owner, grace, label: None }).await;
        attached.map_err(|trouble| match trouble {
            Trouble::Refused(Refusal::IdTaken) => frame::id_taken(),
            _ => frame::error("Server has reached its concurrent user limit"),
        })?;
        if current.config.peerjs.allow_discovery {
            self.be_listed(&tenant).await;
        }
        Ok(())
    }

    /// What proves that a name is its owner's: the token or, where tokens are signed and soon replaced, for whom it is.
    fn secret(&self, current: &Current, key: &str, id: &str, token: String) -> Result<Digest, String> {
        if !current.config.peerjs.needs_token {
            return Ok(Digest::of(&token));
        }
        let judged = current.config.access.subject(&token, key, id, self.peer.post().clock.now());
        judged.map(|subject| Digest::of(&subject.unwrap_or(token))).map_err(|why| {
            debug!(target: "rooms", ?why, "a token was refused");
            frame::error("Invalid token provided")
        })
    }

    /// Who does not fit on the list is there nevertheless.
    async fn be_listed(&self, tenant: &Tenant) {
        let (Ok(topic), Ok(who)) = (tenant.topic(PEERS), self.peer.recipient()) else { return };
        if let Err(trouble) = self.peer.join(&topic, Seat::silent(who)).await {
            debug!(target: "rooms", ?trouble, "a peer is not listed");
        }
    }

    async fn first(&mut self) -> Step {
        match self.enter().await {
            Ok(()) => Step::Say(frame::open()),
            Err(said) => Step::Close { say: Some(said), code: CloseCode::Policy },
        }
    }

    async fn step(&mut self, text: &str) -> Step {
        // What is not understood is dropped, as in the original. `HEARTBEAT` has done its work: any frame is a sign of life.
        match ClientFrame::parse(text) {
            Some(ClientFrame { kind: Kind::Leave, dst: None, .. }) => {
                self.peer.release().await;
                Step::Close { say: None, code: CloseCode::Normal }
            }
            Some(ClientFrame { kind, dst: Some(dst), payload }) => self.pass_on(kind, &dst, payload).await,
            _ => Step::Continue,
        }
    }

    async fn pass_on(&mut self, kind: Kind, dst: &str, payload: Option<&RawValue>) -> Step {
        let Some(own) = self.peer.address().cloned() else { return Step::Continue };
        let expired = frame::expire(dst, &own.id);
        let body = Body::Text(frame::message(kind, &own.id, dst, payload).into());
        let waits = matches!(kind, Kind::Offer | Kind::Answer | Kind::Candidate);
        let (until, bytes) = (self.peer.post().clock.now().after(self.patience()), body.len());
        let keep = if waits { self.keep(until, bytes) } else { Keep::ForOwner };
        let returned = waits.then(|| Returned { to: own.clone(), body: Body::from(expired.as_str()) });
        let put = match own.tenant.address(dst) {
            Ok(to) => self.peer.send_to(&to, Letter { body, keep, returned, only: None }).await,
            Err(_) => Ok(Put::Nobody),
        };
        match put {
            Ok(Put::Kept) if waits => self.waiting.add(until, bytes),
            // It waits for nobody: the sender need not wait either.
            Ok(Put::Nobody) | Err(_) if waits => return Step::Say(expired),
            _ => {}
        }
        Step::Continue
    }

    fn patience(&self) -> Duration {
        self.peer.signaling.current.load().config.peerjs.expire_timeout
    }

    /// What it may keep waiting for peers who are not there has a bound; those who are there hear it in any case.
    fn keep(&mut self, until: Timestamp, bytes: usize) -> Keep {
        let post = self.peer.post();
        let (bounds, now) = (post.bounds.load().mailbox, post.clock.now());
        if self.waiting.allows(bounds, now, bytes) { Keep::Until(until) } else { Keep::No }
    }
}

impl Dialect for PeerJs {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn opened(&mut self) -> Steps<'_> {
        Box::pin(self.first())
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    fn flooded(&self) -> Option<String> {
        Some(frame::error("Too many messages"))
    }

    fn is_registered(&self) -> bool {
        self.peer.address().is_some()
    }

    fn farewell(&mut self) {
        self.goodbye = true;
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.goodbye {
                self.peer.release().await;
            } else {
                self.peer.detach(unwritten).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_the_client_makes_of_its_two_usual_settings() {
        assert!(takes(&["peerjs"]) && takes(&["peerjs", "peerjs"]));
        for other in [&["peerjs", ""][..], &["peerjs", "id"], &["peerjs", "peerjs", "peerjs"], &["PeerJS"], &[""]] {
            assert!(!takes(other), "{other:?}");
        }
        let key = |path: &[&'static str]| match question(path) {
            Some(Question::Peers { key }) => Some(key),
            _ => None,
        };
        assert_eq!(key(&["peerjs", "peers"]), Some("peerjs"));
        assert_eq!(key(&["peerjs", "app", "peers"]), Some("app"));
        assert!(matches!(question(&["peerjs", "id"]), Some(Question::Id)));
        assert!(matches!(question(&["peerjs", "app", "id"]), Some(Question::Id)));
        for other in [&["peerjs", "peerjs"][..], &["peerjs", "a", "b", "id"], &["peerjs", "app", "ids"], &["id"]] {
            assert!(methods(other).is_none(), "{other:?}");
        }
    }
}
