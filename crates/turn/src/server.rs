//! [`Server`] and its doors; nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use posthouse_stun::Kind;
use posthouse_stun::attribute::Family;

use crate::allocation::AllocationView;
use crate::bandwidth::Limits;
use crate::connection::Asked;
use crate::deadlines::Deadlines;
use crate::entropy::Entropy;
use crate::farewells::Farewells;
use crate::limiter::Limiter;
use crate::mobility::Mobility;
use crate::response::Response;
use crate::table::Table;
use crate::{
    AllocationId, BindError, Bound, ConnectionId, Direction, FiveTuple, Forward, Icmp, Move, Now, Output,
    PeerTransportAddress, RelayedTransportAddress, Settings, Shared, Stats, Wrap,
};

/// A STUN/TURN server without sockets and without a clock.
///
/// One `handle_*`, then [`Self::poll_output`] until `None`, then [`Self::poll_timeout`].
pub struct Server {
    pub(crate) settings: Arc<Settings>,
    pub(crate) shared: Shared,
    /// Bandwidth, if it is limited.
    pub(crate) limits: Option<Limits>,
    pub(crate) table: Table,
    pub(crate) deadlines: Deadlines,
    pub(crate) farewells: Farewells,
    /// Reserved ports this server made, with the time to give them back, in order.
    pub(crate) reserved: VecDeque<(Instant, [u8; 8])>,
    /// Whose each peer data connection is (RFC 6062).
    pub(crate) connections: BTreeMap<ConnectionId, AllocationId>,
    /// Connects that failed and are not answered yet.
    pub(crate) failed: VecDeque<(FiveTuple, Box<Asked>)>,
    /// How many servers share the CONNECTION-IDs.
    pub(crate) servers: u16,
    pub(crate) outputs: VecDeque<Output<'static>>,
    pub(crate) response: Response,
    pub(crate) entropy: Entropy,
    pub(crate) limiter: Limiter,
    pub(crate) mobility: Mobility,
    pub(crate) stats: Stats,
}

impl Server {
    /// `seed` must come from the operating system, once for each server: transaction IDs and reservation tokens are
    /// drawn from it.
    #[must_use]
    pub fn new(settings: Arc<Settings>, shared: Shared, seed: [u8; 32], now: Now) -> Self {
        let mut entropy = Entropy::new(seed);
        let table = Table::new(u64::from_ne_bytes(entropy.take()));
        let limiter = Limiter::new(u64::from_ne_bytes(entropy.take()), now.instant, shared.proofs());
        shared.everyone().begin(now.instant);
        Self {
            limiter,
            limits: Limits::new(&settings.bandwidth, shared.everyone()),
            settings,
            shared,
            table,
            deadlines: Deadlines::default(),
            farewells: Farewells::default(),
            reserved: VecDeque::new(),
            connections: BTreeMap::new(),
            failed: VecDeque::new(),
            servers: 1,
            outputs: VecDeque::new(),
            response: Response::default(),
            mobility: Mobility::default(),
            entropy,
            stats: Stats::default(),
        }
    }

    /// Which of the servers of one process this is, each with a number of its own: what [`Move`] calls them by.
    #[must_use]
    pub fn numbered(mut self, number: u8) -> Self {
        self.mobility.server = number;
        self
    }

    /// This is one of `servers` that clients may reach at the same addresses, numbered from 0 ([`Self::numbered`]). A
    /// ConnectionBind of a connection that another one has is moved there ([`Output::MoveClient`]); alone, which is how
    /// a server begins, it has all.
    #[must_use]
    pub fn among(mut self, servers: u16) -> Self {
        self.servers = servers.max(1);
        self
    }

    /// One datagram, or one frame of a stream, from a client.
    ///
    /// `packet` is a whole message; behind a ChannelData frame there may be padding. `Some` says which part of it to
    /// send where; an answer, if any, waits in [`Self::poll_output`].
    pub fn handle_client(&mut self, now: Now, from: FiveTuple, packet: &[u8]) -> Option<Forward> {
        match packet.first().and_then(|&first| posthouse_stun::kind(first)) {
            Some(Kind::ChannelData) => self.channel_data(now, &from, packet),
            Some(Kind::Stun) => self.message(now, from, packet),
            None => {
                self.stats.drops.malformed += 1;
                None
            }
        }
    }

    /// One datagram of `len` bytes that arrived at a relayed socket of `at`, or that another allocation sent to its
    /// relayed transport address ([`crate::Route::Relay`]); then `from` is that allocation's own address.
    pub fn handle_peer(&mut self, now: Now, at: AllocationId, from: PeerTransportAddress, len: usize) -> Option<Wrap> {
        self.wrap(now, at, from, len)
    }

    /// An ICMP error that a relayed socket of `at` received about a datagram to `peer`. The indication for the client,
    /// if any, waits in [`Self::poll_output`]: at most one a second for each peer's address.
    pub fn handle_icmp(&mut self, now: Now, at: AllocationId, peer: PeerTransportAddress, icmp: Icmp) {
        self.icmp(now, at, peer, icmp);
    }

    /// The living allocation that peers reach at `relayed`: where to deliver a [`crate::Route::Relay`].
    #[must_use]
    pub fn relayed(&self, relayed: RelayedTransportAddress) -> Option<AllocationId> {
        self.table.find_relayed(relayed)
    }

    /// The relayed transport address of an allocation: the `from` of a delivery in process.
    #[must_use]
    pub fn relayed_address(&self, id: AllocationId, family: Family) -> Option<RelayedTransportAddress> {
        self.table.get(id)?.relayed.get(family).map(RelayedTransportAddress)
    }

    /// Where the client of an allocation is.
    #[must_use]
    pub fn client(&self, id: AllocationId) -> Option<FiveTuple> {
        self.table.get(id).map(|allocation| allocation.five_tuple)
    }

    /// How a [`crate::BindRelayed`] ended. For an allocation that ended meanwhile this does nothing: its
    /// [`Output::CloseRelayed`] also calls off every bind that was under way.
    pub fn handle_bound(&mut self, now: Now, id: AllocationId, family: Family, result: Result<Bound, BindError>) {
        self.bound(now, id, family, result);
    }

    /// How an [`Output::ConnectPeer`] ended; the answer to the client waits in [`Self::poll_output`]. After
    /// [`Output::ClosePeer`] this does nothing.
    pub fn handle_connected(&mut self, now: Now, id: ConnectionId, connected: bool) {
        self.connected(now, id, connected);
    }

    /// A peer connected to a relayed transport address of a TCP allocation. `None`: close it at once. Otherwise the
    /// ConnectionAttempt for the client waits in [`Self::poll_output`], and what the peer sends waits for
    /// [`Output::JoinClient`].
    pub fn handle_accepted(&mut self, now: Now, at: AllocationId, from: PeerTransportAddress) -> Option<ConnectionId> {
        self.accepted(now, at, from)
    }

    /// How many of `len` bytes that came on a data connection may go on in `direction` now; they are counted. The rest
    /// is over the bandwidth: ask again a little later.
    pub fn handle_data(&mut self, now: Now, id: ConnectionId, direction: Direction, len: usize) -> usize {
        self.data(now, id, direction, len)
    }

    /// A data connection ended by itself: both its ends are closed.
    pub fn handle_connection_closed(&mut self, id: ConnectionId) {
        self.connection_closed(id);
    }

    /// A stream client is gone; its allocation ends (RFC 8656 §3.2), unless the client may come back with a ticket.
    pub fn handle_disconnect(&mut self, now: Now, gone: FiveTuple) {
        self.expire(now.instant);
        if let Some(id) = self.table.find(&gone)
            && !self.part(id)
        {
            self.end(id);
        }
        // Nobody is left to be told.
        self.failed.retain(|(to, _)| *to != gone);
    }

    /// Ends an allocation whose relayed socket is lost, or that the operator does not want.
    pub fn end_allocation(&mut self, id: AllocationId) {
        self.end(id);
    }

    /// Time has passed [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.expire(now.instant);
    }

    /// New settings apply at once: living permissions and channels are judged by them, cached keys are forgotten.
    pub fn handle_settings(&mut self, now: Now, settings: Arc<Settings>) {
        self.limits = Limits::new(&settings.bandwidth, self.shared.everyone());
        self.settings = settings;
        self.expire(now.instant);
        self.judge_all(now);
    }

    /// Ends every allocation of a user id. Nobody is called "".
    pub fn end_user(&mut self, now: Now, user: &str) {
        self.expire(now.instant);
        for id in self.table.ids(|allocation| !user.is_empty() && allocation.grant.user() == user) {
            self.end(id);
        }
    }

    /// A relay address left this machine: the allocations on it end.
    pub fn relayed_gone(&mut self, now: Now, address: IpAddr) {
        self.expire(now.instant);
        for id in self.table.ids(|allocation| allocation.relayed.is_at(address)) {
            self.end(id);
        }
    }

    /// The next thing to do. Take all of them before the next input: an answer lies in the server's one buffer.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if !self.response.is_ready() {
            self.answer_failed();
        }
        self.response.take().map(|(to, message)| Output::Respond { to, message })
    }

    /// What a moving client asks for: to be taken after the outputs, until there is none. Without mobility there never
    /// is one.
    pub fn poll_move(&mut self) -> Option<Move> {
        self.mobility.moves.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let reserved = self.reserved.front().map(|&(at, _)| at);
        self.deadlines.next().into_iter().chain(reserved).min()
    }

    /// What was counted since the beginning.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Every living allocation, for the operator's view. Walks the whole table.
    pub fn allocations(&self, now: Now) -> impl Iterator<Item = AllocationView<'_>> {
        let living = self.table.iter().filter(move |(_, allocation)| allocation.lives(now.instant));
        living.map(move |(id, allocation)| AllocationView::new(now.instant, id, allocation))
    }

    /// The same in steps, for whoever has packets to relay meanwhile: the living allocations in `most` places of the
    /// table from `from` on. [`Self::places`] is where it ends.
    pub fn allocations_in(&self, now: Now, from: usize, most: usize) -> impl Iterator<Item = AllocationView<'_>> {
        let living = self.table.part(from, most).filter(move |(_, allocation)| allocation.lives(now.instant));
        living.map(move |(id, allocation)| AllocationView::new(now.instant, id, allocation))
    }

    /// Places in the table, taken or free.
    #[must_use]
    pub fn places(&self) -> usize {
        self.table.places()
    }

    /// How many allocations there are, those not bound yet included.
    #[must_use]
    pub fn allocation_count(&self) -> usize {
        self.table.len()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("allocations", &self.table.len()).finish_non_exhaustive()
    }
}
