//! A server, and a shell that binds sockets which do not exist.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthouse_stun::ChannelNumber;
use posthouse_stun::attribute::Family;
use posthouse_turn::{
    AllocationId, BindError, BindRelayed, Binding, Bound, ConnectionId, Credentials, Families, FiveTuple, Forward,
    Icmp, NonceKeys, Now, Output, PeerTransportAddress, PortRequest, RelayedTransportAddress, Route, Server, Settings,
    Shared, Wrap,
};

pub(crate) use crate::answer::Answer;
pub(crate) use crate::client::{Client, Proof, build, channel_data, channel_value};

pub(crate) const REALM: &str = "example.org";
pub(crate) const SECRET: &[u8] = b"a secret that signs every credential here";
pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const RELAY_V4: &str = "198.51.100.1";
pub(crate) const RELAY_V6: &str = "2001:db8::1";

pub(crate) fn peer() -> SocketAddr {
    address("9.9.9.9:4000")
}

pub(crate) fn peer_v6() -> SocketAddr {
    address("[2a00:1450::9]:4000")
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn channel(number: u16) -> ChannelNumber {
    ChannelNumber::new(number).unwrap()
}

/// What the shell saw, besides answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Closed(AllocationId),
    ClosedFamily(AllocationId, Family),
    Released(RelayedTransportAddress),
    Installed(Binding),
    Removed(Binding),
    Connect { id: ConnectionId, from: AllocationId, to: SocketAddr, route: Route },
    ClosedPeer(ConnectionId),
    Joined(ConnectionId, FiveTuple),
    Moved(FiveTuple, u8),
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) settings: Settings,
    pub(crate) now: Now,
    /// Every answer of the last input.
    pub(crate) answers: Vec<Answer>,
    /// Everything else since it was last taken.
    pub(crate) events: Vec<Event>,
    /// How the shell fails to bind a family.
    pub(crate) failing: Vec<(Family, BindError)>,
    /// Binds that were asked for and are not reported yet, when `hold` is set.
    pub(crate) held: Vec<BindRelayed>,
    pub(crate) hold: bool,
    pub(crate) binds: usize,
    pub(crate) last_request: Option<PortRequest>,
    next_port: u16,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::sharing(&Shared::new(), change)
    }

    pub(crate) fn sharing(shared: &Shared, change: impl FnOnce(&mut Settings)) -> Self {
        let now = Now { instant: Instant::now_for_tests(), unix: START };
        let mut settings = settings(now);
        change(&mut settings);
        let server = Server::new(Arc::new(settings.clone()), shared.clone(), [7; 32], now);
        Self {
            server,
            settings,
            now,
            answers: Vec::new(),
            events: Vec::new(),
            failing: Vec::new(),
            held: Vec::new(),
            hold: false,
            binds: 0,
            last_request: None,
            next_port: 49152,
        }
    }

    /// One of several servers that share what they share.
    pub(crate) fn numbered(self, number: u8) -> Self {
        Self { server: self.server.numbered(number), ..self }
    }

    pub(crate) fn reload(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.server.handle_settings(self.now, Arc::new(self.settings.clone()));
        self.drain();
    }

    /// One packet from a client, and everything the shell does about it.
    pub(crate) fn packet(&mut self, from: FiveTuple, bytes: &[u8]) -> Option<Forward> {
        self.answers.clear();
        let forward = self.server.handle_client(self.now, from, bytes);
        self.drain();
        forward
    }

    pub(crate) fn peer_sends(&mut self, at: AllocationId, from: SocketAddr, len: usize) -> Option<Wrap> {
        let wrap = self.server.handle_peer(self.now, at, PeerTransportAddress(from), len);
        self.drain();
        wrap
    }

    /// A relayed socket received an ICMP error.
    pub(crate) fn icmp(&mut self, at: AllocationId, peer: SocketAddr, icmp: Icmp) -> Option<Answer> {
        self.answers.clear();
        self.server.handle_icmp(self.now, at, PeerTransportAddress(peer), icmp);
        self.drain();
        self.answer()
    }

    /// Time passes, and the shell wakes whenever it was asked to.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now.after(Duration::from_secs(seconds));
        while let Some(at) = self.server.poll_timeout().filter(|&at| at <= end.instant) {
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            self.server.handle_timeout(self.now);
            self.drain();
            assert!(self.server.poll_timeout().is_none_or(|next| next > at), "a deadline in the past would spin");
        }
        self.now = end;
    }

    /// Time passes, and nobody wakes the server.
    pub(crate) fn pass_asleep(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub(crate) fn drain(&mut self) {
        loop {
            let bind = match self.server.poll_output() {
                None => return,
                Some(Output::Respond { to, message }) => {
                    self.answers.push(Answer { to, bytes: message.to_vec() });
                    continue;
                }
                Some(Output::BindRelayed(bind)) => bind,
                Some(Output::CloseRelayed { id, .. }) => {
                    self.held.retain(|bind| bind.id != id);
                    self.events.push(Event::Closed(id));
                    continue;
                }
                Some(Output::CloseRelayedFamily { id, family }) => {
                    self.events.push(Event::ClosedFamily(id, family));
                    continue;
                }
                Some(Output::ReleaseReserved(relayed)) => {
                    self.events.push(Event::Released(relayed));
                    continue;
                }
                Some(Output::BindingInstalled(binding)) => {
                    self.events.push(Event::Installed(binding));
                    continue;
                }
                Some(Output::BindingRemoved(binding)) => {
                    self.events.push(Event::Removed(binding));
                    continue;
                }
                Some(Output::ConnectPeer { id, from, to, route }) => {
                    self.events.push(Event::Connect { id, from, to: to.0, route });
                    continue;
                }
                Some(Output::ClosePeer(id)) => {
                    self.events.push(Event::ClosedPeer(id));
                    continue;
                }
                Some(Output::JoinClient { id, client }) => {
                    self.events.push(Event::Joined(id, client));
                    continue;
                }
                Some(Output::MoveClient { client, server }) => {
                    self.events.push(Event::Moved(client, server));
                    continue;
                }
            };
            self.last_request = Some(bind.port);
            if self.hold { self.held.push(bind) } else { self.bind(bind) }
        }
    }

    /// The shell's part of an Allocate.
    pub(crate) fn bind(&mut self, bind: BindRelayed) {
        self.binds += 1;
        let result = match self.failing.iter().find(|(family, _)| *family == bind.family) {
            Some(&(_, error)) => Err(error),
            None => Ok(self.socket(bind)),
        };
        self.server.handle_bound(self.now, bind.id, bind.family, result);
        self.drain();
    }

    fn socket(&mut self, bind: BindRelayed) -> Bound {
        let ip = if bind.family == Family::V4 { RELAY_V4 } else { RELAY_V6 };
        let relayed = |port| RelayedTransportAddress(SocketAddr::new(ip.parse().unwrap(), port));
        if let PortRequest::Reserved(relayed) = bind.port {
            return Bound { relayed, reserved: None };
        }
        if self.next_port > 65_000 {
            self.next_port = 49_152;
        }
        let even = matches!(bind.port, PortRequest::Even | PortRequest::EvenAndReserveNext);
        if even && self.next_port % 2 == 1 {
            self.next_port += 1;
        }
        let port = self.next_port;
        let reserved = (bind.port == PortRequest::EvenAndReserveNext).then(|| relayed(port + 1));
        self.next_port += if reserved.is_some() { 2 } else { 1 };
        Bound { relayed: relayed(port), reserved }
    }

    /// The one answer to the last input.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        assert!(self.answers.len() <= 1, "one request, one answer");
        self.answers.pop()
    }

    pub(crate) fn allocations(&self) -> usize {
        self.server.allocations(self.now).count()
    }
}

pub(crate) fn settings(now: Now) -> Settings {
    let mut credentials = Credentials::new(REALM);
    credentials.add_secret(SECRET).add_user("alice", "wonderland").add_user("bob", "builder");
    let mut settings = Settings::new(credentials, NonceKeys::new([3; 32], None, now));
    settings.families = Families { v4: true, v6: true };
    settings.own_addresses = vec![RELAY_V4.parse().unwrap(), RELAY_V6.parse().unwrap()];
    settings
}

/// The one place where a test looks at the real clock: an `Instant` has no other constructor.
trait Beginning {
    fn now_for_tests() -> Instant;
}

impl Beginning for Instant {
    #[expect(clippy::disallowed_methods, reason = "an Instant can be had from the clock only; its value is not used")]
    fn now_for_tests() -> Instant {
        Self::now()
    }
}
