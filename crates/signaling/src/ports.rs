//! What signaling needs from the rest of the house, and does not know.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use bytes::Bytes;
use posthouse_rooms::RoomEvent;
use serde::Serialize;

/// The ports, as the binary plugs them.
#[derive(Clone)]
pub struct Ports {
    /// Who mints relay credentials.
    pub ice: Arc<dyn IceServers>,
    /// Who frees a member's allocations.
    pub relay: Arc<dyn RelayControl>,
    /// Who has the pages.
    pub pages: Arc<dyn Pages>,
    /// Who is told what happens to rooms.
    pub events: Arc<dyn RoomEvents>,
}

/// Hears what happens to the rooms of AppRTC and of our own protocol, on the node where it happened.
pub trait RoomEvents: Send + Sync {
    /// Does anybody listen? If not, nothing is worked out.
    fn wanted(&self) -> bool;

    /// Something happened. It must not wait: a room does.
    fn tell(&self, dialect: &'static str, room: &str, event: RoomEvent);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl RoomEvents for NoEvents {
    fn wanted(&self) -> bool {
        false
    }

    fn tell(&self, _: &'static str, _: &str, _: RoomEvent) {}
}

/// Mints time-limited relay credentials.
pub trait IceServers: Send + Sync {
    /// ICE servers for the one who asks; the user name of each relay credential carries `label`.
    fn ice_servers(&self, label: &str, request: &RequestContext<'_>) -> IceConfig;
}

/// Who asks, for whoever must name a server that the asker can reach.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The asker's address, seen through trusted proxies.
    pub peer: IpAddr,
    /// The host name or address in the request, without the port. An outsider's word: fit for an answer to that
    /// outsider alone.
    pub host: Option<&'a str>,
}

/// ICE servers and how long their credentials live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceConfig {
    /// The servers; one without URLs is left out of every answer, for browsers refuse the whole list because of it.
    pub servers: Vec<IceServer>,
    /// Seconds until the credentials expire, exact.
    pub lifetime: u64,
}

/// One entry of `iceServers`, as browsers read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// At least one `stun:`, `turn:` or `turns:` URL; `stun:` without `?transport=`.
    pub urls: Vec<String>,
    /// For `turn:` and `turns:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For `turn:` and `turns:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Ends what a member holds on the relay.
pub trait RelayControl: Send + Sync {
    /// The membership that `label` was minted for is over for good: free its allocations. It must not wait.
    fn end_user(&self, label: &str);

    /// The membership was ended by the owner of the room or by the operator: free its allocations, and refuse from now on every credential
    /// that was ever minted for `label`. It must not wait.
    fn revoke_user(&self, label: &str);
}

/// Hands out the browser pages.
pub trait Pages: Send + Sync {
    /// The page, if there is one.
    fn page(&self, request: PageRequest<'_>) -> Option<Page>;
}

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageRequest<'a> {
    /// `/`
    Landing,
    /// `/?peer_id=ID`: the link of peer-id file sharing.
    Drop,
    /// `/r/ROOM`
    Room {
        /// The room's name, `[A-Za-z0-9_-]{1,128}`.
        room: &'a str,
        /// Is every seat taken? Then the page says so.
        full: bool,
    },
    /// Anything else, e.g. `/js/call.js`: a path of plain characters, beginning with a slash.
    Asset(&'a str),
}

/// A page and how to serve it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The bytes.
    pub body: Bytes,
    /// `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// `Cache-Control`, e.g. `no-cache` or `public, max-age=31536000, immutable`.
    pub cache_control: Cow<'static, str>,
    /// Further headers, e.g. the content security policy; they replace ours of the same name.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
}
