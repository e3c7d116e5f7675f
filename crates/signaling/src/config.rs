//! What the operator decided, in engineers' types.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use posthouse_rooms::{Limits, Policy};

use crate::Access;

/// Everything that `signaling` can be told. [`Config::default`] serves localhost.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients arrive: links are made of it when `public_url` is not given.
    pub listen: SocketAddr,
    /// Scheme and authority that links, `wss_url` and `wss_post_url` are made of, e.g. `https://meet.example.org`.
    /// Once given, a request for another host is answered 421, unless it comes from a trusted proxy.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may call us, e.g. `https://app.example.org`; `*` is everybody. Our own is always allowed.
    pub allowed_origins: Vec<String>,
    /// May a request come without `Origin`? Apps and scripts send none.
    pub allow_no_origin: bool,
    /// Dialects that are not spoken here, by their names ([`dialects`](crate::dialects)).
    pub disabled: Vec<String>,
    /// The dialect of a WebSocket at `/`, for clients that know no paths.
    pub root: Option<String>,
    /// What `HelloWebRTC`'s dialect may do.
    pub hello: Hello,
    /// What the rooms work with.
    pub rooms: Policy,
    /// What identities and topics of all other dialects work with. Its `max_message` is that of the rooms, and room for
    /// a dialect's envelope.
    pub bounds: Limits,
    /// Who may make and enter rooms of our own protocol.
    pub access: Access,
    /// Rooms kept at once; the join of one more is answered 503.
    pub max_rooms: usize,
    /// Identities kept at once.
    pub max_identities: usize,
    /// Topics kept at once.
    pub max_topics: usize,
    /// Does `debug=loopback` make a pair that fills the room?
    pub loopback: bool,
    /// Connections at once, HTTP and WebSocket together; further ones wait in the kernel's backlog.
    pub max_connections: usize,
    /// WebSockets from one address at once. A large office behind one NAT may need more.
    pub sockets_per_source: u32,
    /// What `PeerJS` clients may.
    pub peerjs: PeerJs,
    /// How often one source may ask.
    pub rates: Rates,
    /// How long things may take.
    pub timing: Timing,
}

/// Settings of `HelloWebRTC`'s dialect. The default refuses a stolen name, and says no more than the original.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Does a name belong to whoever used it last, also when another live client has it? That one is closed.
    pub legacy: bool,
    /// Do the others hear `leave` when a client's socket is gone?
    pub leave: bool,
}

/// What `PeerJS` clients may.
#[derive(Clone, Debug)]
pub struct PeerJs {
    /// Keys that are accepted, each a name space of its own; none: every key is.
    pub keys: Vec<String>,
    /// Must a peer's token be a JWT that verifies (the keys are those of [`Config::access`]), has its key in `key` or `*`
    /// there, and its id in `sub`, if it says one?
    pub needs_token: bool,
    /// May everybody who knows a key list its peers?
    pub allow_discovery: bool,
    /// How long a message waits for a peer who is not there, until its sender is told.
    pub expire_timeout: Duration,
}

/// How often one source prefix (IPv4 /24, IPv6 /56) may ask. A refusal is 429; loopback addresses are exempt if
/// `exempt_loopback`, for a local proxy without `trusted_proxies` would share one budget among all its users.
#[derive(Clone, Debug)]
pub struct Rates {
    /// `/join`.
    pub join: Rate,
    /// `/message`, `/leave`, Collider's `POST` and `DELETE`. An initiator with many network interfaces posts dozens of
    /// candidates within a second, and an office shares a prefix: more than the other budgets.
    pub message: Rate,
    /// `/v1alpha/iceconfig` and `/turn`.
    pub ice: Rate,
    /// Wrong passphrases of `/v1`: few, for people choose them.
    pub guess: Rate,
    /// Rooms of `/v1` that are made without an API key or a token: they may outlive whoever made them.
    pub make: Rate,
    /// New WebSockets.
    pub upgrade: Rate,
    /// Messages on one WebSocket; a faster one is closed with 1008.
    pub socket_messages: Rate,
    /// Pings on one WebSocket; a faster one is closed with 1008.
    pub socket_pings: Rate,
    /// Are loopback sources exempt from the per-source limits?
    pub exempt_loopback: bool,
}

/// So many a second, after so many at once.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Per second; 0 is no limit.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// How long things may take.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Until the headers of a request are there; also how long a connection may idle between requests.
    pub headers: Duration,
    /// Until the body of a request is there.
    pub body: Duration,
    /// From a WebSocket's opening to its `register`.
    pub register: Duration,
    /// Between our pings.
    pub ping: Duration,
    /// Without any frame from the client, after which it is dead.
    pub dead: Duration,
    /// Until a write to a WebSocket makes progress.
    pub write: Duration,
    /// Until the client answers our close frame.
    pub close: Duration,
}

impl Config {
    /// What rooms work with. A meeting has the capacity of a room unless its maker asks for another one.
    pub(crate) fn policy(&self) -> Policy {
        let mut policy = self.rooms.clone();
        (policy.meetings.capacity, policy.meetings.max_message) = (policy.capacity, policy.max_message);
        policy
    }

    /// The bounds, with room for what a dialect adds to a message of the longest kind.
    pub(crate) fn limits(&self) -> Limits {
        Limits { max_message: 2 * self.rooms.max_message + 1024, ..self.bounds.clone() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: Vec::new(),
            allowed_origins: vec!["*".to_owned()],
            allow_no_origin: true,
            disabled: Vec::new(),
            root: None,
            hello: Hello::default(),
            rooms: Policy::default(),
            bounds: Limits::default(),
            access: Access::default(),
            max_rooms: 100_000,
            max_identities: 200_000,
            max_topics: 100_000,
            loopback: true,
            max_connections: 50_000,
            sockets_per_source: 64,
            peerjs: PeerJs::default(),
            rates: Rates::default(),
            timing: Timing::default(),
        }
    }
}

impl Default for PeerJs {
    fn default() -> Self {
        Self { keys: Vec::new(), needs_token: false, allow_discovery: false, expire_timeout: Duration::from_secs(5) }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            join: Rate { per_second: 10, burst: 50 },
            message: Rate { per_second: 50, burst: 200 },
            ice: Rate { per_second: 10, burst: 50 },
            guess: Rate { per_second: 1, burst: 20 },
            make: Rate { per_second: 1, burst: 30 },
            upgrade: Rate { per_second: 20, burst: 40 },
            socket_messages: Rate { per_second: 100, burst: 200 },
            socket_pings: Rate { per_second: 50, burst: 100 },
            exempt_loopback: true,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(10),
            body: Duration::from_secs(15),
            register: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            dead: Duration::from_secs(45),
            write: Duration::from_secs(5),
            close: Duration::from_secs(5),
        }
    }
}
