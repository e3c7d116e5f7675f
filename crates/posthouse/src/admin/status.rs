//! The shape of `GET /api/status`. What is secret has no place in it: labels and socket numbers name members, user ids
//! name holders of allocations.

use std::collections::BTreeMap;

use posthouse_edge::Expiry;
use posthouse_relay::{Allocation, EngineChoice, Flow, WorkerStats};
use posthouse_rooms::Tally;
use posthouse_signaling::{MemberSeen, RoomSeen};
use posthouse_turn::{Traffic, Transport};
use serde::Serialize;

use super::history::Sample;
use super::holdings::{Held, Holdings};

/// One moment of everything.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) server: Server,
    /// As the history has it.
    pub(super) sample: Sample,
    pub(super) totals: Totals,
    /// Counters by reason, in groups; those that stand at zero are left out.
    pub(super) refusals: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    pub(super) workers: Vec<Worker>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) rooms: Rooms,
    /// Holders of allocations who are in no room.
    pub(super) users: Users,
    pub(super) dialects: Vec<Dialect>,
}

#[derive(Debug, Serialize)]
pub(super) struct Server {
    pub(super) version: &'static str,
    /// Seconds since the start.
    pub(super) uptime: u64,
    /// The file, if one was read.
    pub(super) config: Option<String>,
    pub(super) engine: &'static str,
    pub(super) healthy: bool,
    pub(super) ready: bool,
    /// Must one sign in?
    pub(super) token: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Totals {
    pub(super) rooms: u64,
    pub(super) members: u64,
    pub(super) websockets: u64,
    pub(super) allocations: u64,
    pub(super) streams: u64,
    pub(super) to_peers: Moved,
    pub(super) to_clients: Moved,
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Moved {
    packets: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Worker {
    worker: usize,
    allocations: u64,
    streams: u64,
    restarts: u64,
    from_clients: Moved,
    from_peers: Moved,
    to_clients: Moved,
    to_peers: Moved,
    /// Milliseconds of processor time since its thread began.
    processor: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Certificate {
    certificate: String,
    days_left: i64,
}

/// One page of rooms.
#[derive(Debug, Serialize)]
pub(super) struct Rooms {
    pub(super) total: usize,
    /// Those that were asked for, on this page or not.
    pub(super) matching: usize,
    pub(super) list: Vec<Room>,
    /// Where the next page begins: to be sent as `after` and `after_dialect`.
    pub(super) next: Option<[String; 2]>,
}

#[derive(Debug, Serialize)]
pub(super) struct Room {
    room: Box<str>,
    dialect: &'static str,
    capacity: usize,
    locked: bool,
    knock: bool,
    passphrase: bool,
    waiting: usize,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
struct Member {
    member: Option<Box<str>>,
    name: Option<String>,
    role: &'static str,
    seat: &'static str,
    #[serde(flatten)]
    holds: Holds,
}

/// One page of users.
#[derive(Debug, Serialize)]
pub(super) struct Users {
    pub(super) total: usize,
    pub(super) list: Vec<User>,
    /// Where the next page begins: to be sent as `after_user`.
    pub(super) next: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct User {
    user: String,
    #[serde(flatten)]
    holds: Holds,
}

/// What somebody holds on the relay.
#[derive(Debug, Default, Serialize)]
struct Holds {
    /// All of them.
    allocation_count: usize,
    bytes_to_peers: u64,
    bytes_to_clients: u64,
    /// The first of them.
    allocations: Vec<AllocationSeen>,
}

#[derive(Debug, Serialize)]
struct AllocationSeen {
    /// What it can be ended by.
    allocation: String,
    worker: usize,
    transport: &'static str,
    /// `None`: the client is between two places (RFC 8016).
    client: Option<String>,
    server: String,
    relayed: Vec<String>,
    permissions: usize,
    channels: usize,
    connections: Option<usize>,
    to_peers: Moved,
    to_clients: Moved,
    /// Seconds.
    age: u64,
    expires_in: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Dialect {
    dialect: &'static str,
    identities: usize,
    topics: usize,
}

impl Rooms {
    /// `holdings` tells what members hold.
    pub(super) fn page(total: usize, matching: usize, more: bool, rooms: Vec<RoomSeen>, holdings: &Holdings) -> Self {
        let last = rooms.last().filter(|_| more);
        let next = last.map(|last| [last.room.to_string(), last.dialect.to_owned()]);
        Self { total, matching, list: rooms.into_iter().map(|room| Room::of(room, holdings)).collect(), next }
    }
}

impl Room {
    fn of(seen: RoomSeen, holdings: &Holdings) -> Self {
        let RoomSeen { room, dialect, capacity, locked, knock, passphrase, waiting, members } = seen;
        let members = members.into_iter().map(|member| Member::of(member, holdings)).collect();
        Self { room, dialect, capacity, locked, knock, passphrase, waiting, members }
    }
}

impl Member {
    fn of(seen: MemberSeen, holdings: &Holdings) -> Self {
        let MemberSeen { member, label, name, role, seat } = seen;
        let held = label.and_then(|label| holdings.get(&label));
        let name = name.map(|name| name.to_string());
        Self { member, name, role, seat, holds: held.map(Holds::of).unwrap_or_default() }
    }
}

impl User {
    pub(super) fn of(user: &str, held: &Held) -> Self {
        Self { user: user.to_owned(), holds: Holds::of(held) }
    }
}

impl Holds {
    fn of(held: &Held) -> Self {
        Self {
            allocation_count: held.count,
            bytes_to_peers: held.bytes[0],
            bytes_to_clients: held.bytes[1],
            allocations: held.shown.iter().map(AllocationSeen::of).collect(),
        }
    }
}

impl AllocationSeen {
    fn of(allocation: &Allocation) -> Self {
        let client = allocation.client;
        Self {
            allocation: format!("{}-{}-{}", allocation.worker, allocation.id.index, allocation.id.generation),
            worker: allocation.worker,
            transport: match client.transport {
                Transport::Udp => "udp",
                Transport::Tcp => "tcp",
                Transport::Tls => "tls",
            },
            client: (client.client.port() != 0).then(|| client.client.to_string()),
            server: client.server.to_string(),
            relayed: allocation.relayed.iter().map(ToString::to_string).collect(),
            permissions: allocation.permissions,
            channels: allocation.channels,
            connections: allocation.connections,
            to_peers: allocation.forwarded.into(),
            to_clients: allocation.wrapped.into(),
            age: allocation.age.as_secs(),
            expires_in: allocation.expires_in.as_secs(),
        }
    }
}

impl Worker {
    pub(super) fn of(worker: usize, stats: &WorkerStats) -> Self {
        let counters = &stats.counters;
        Self {
            worker,
            allocations: stats.allocations,
            streams: stats.streams,
            restarts: stats.restarts,
            from_clients: counters.from_clients.into(),
            from_peers: counters.from_peers.into(),
            to_clients: counters.to_clients.into(),
            to_peers: counters.to_peers.into(),
            processor: u64::try_from(stats.processor.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<Expiry> for Certificate {
    fn from(expiry: Expiry) -> Self {
        Self { certificate: expiry.certificate.display().to_string(), days_left: expiry.days_left }
    }
}

impl Dialect {
    /// `None` where nobody speaks it now.
    pub(super) fn of(dialect: &'static str, tally: Tally) -> Option<Self> {
        let Tally { identities, topics, .. } = tally;
        (identities + topics > 0).then_some(Self { dialect, identities, topics })
    }
}

impl From<Flow> for Moved {
    fn from(Flow { packets, bytes }: Flow) -> Self {
        Self { packets, bytes }
    }
}

impl From<Traffic> for Moved {
    fn from(Traffic { packets, bytes }: Traffic) -> Self {
        Self { packets, bytes }
    }
}

impl std::ops::AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl Moved {
    pub(super) fn bytes(self) -> u64 {
        self.bytes
    }
}

pub(super) fn engine(engine: EngineChoice) -> &'static str {
    match engine {
        EngineChoice::Auto => "auto",
        EngineChoice::Mmsg => "mmsg",
        EngineChoice::IoUring => "io_uring",
    }
}
