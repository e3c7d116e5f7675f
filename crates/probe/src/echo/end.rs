//! The two ends of a leg: an allocation held by hand, a client of the `turn` crate, or a plain socket.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

use super::{Leg, Plan};
use crate::allocation::{Allocation, Ask, Received, Way, allocate};
use crate::failure::Failure;
use crate::target::Target;

/// The first datagram of a `turn` client, which makes it ask for a permission; not counted.
const GREETING: &[u8] = b"greeting";

/// The `turn` client retransmits for longer than a person waits.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);

pub(super) enum End {
    Held {
        allocation: Box<Allocation>,
        way: Way,
        peer: Option<SocketAddr>,
    },
    Client {
        client: Client,
        relay: Box<dyn Conn + Send + Sync>,
        server: SocketAddr,
        peer: Option<SocketAddr>,
        buffer: Vec<u8>,
    },
    Socket {
        socket: UdpSocket,
        peer: Option<SocketAddr>,
        buffer: Vec<u8>,
    },
}

/// What an end got, and whether it came as agreed.
pub(super) struct Got {
    pub(super) payload: Vec<u8>,
    pub(super) as_agreed: bool,
}

impl End {
    pub(super) async fn first(target: &Target, plan: &Plan, leg: Leg) -> Result<Self, Failure> {
        match leg {
            Leg::Clients => Self::client(target).await,
            Leg::RelayToRelay(way) | Leg::Peer { way, .. } => Self::held(target, plan, way).await,
        }
    }

    pub(super) async fn second(target: &Target, plan: &Plan, leg: Leg) -> Result<Self, Failure> {
        match leg {
            Leg::Clients => Self::client(target).await,
            Leg::RelayToRelay(way) => Self::held(target, plan, way).await,
            Leg::Peer { at, .. } => {
                let socket = bind(at).await?;
                Ok(Self::Socket { socket, peer: None, buffer: vec![0; usize::from(u16::MAX)] })
            }
        }
    }

    /// Where the other end sends to.
    pub(super) fn address(&self) -> Result<SocketAddr, Failure> {
        match self {
            Self::Held { allocation, .. } => Ok(allocation.relayed()),
            Self::Client { relay, .. } => {
                relay.local_addr().map_err(|error| gave_up("named its relayed address", &error))
            }
            Self::Socket { socket, .. } => {
                socket.local_addr().map_err(|source| Failure::Socket { local: UNSPECIFIED, source })
            }
        }
    }

    /// Learns the other end's address and lets it in.
    pub(super) async fn meet(&mut self, other: SocketAddr) -> Result<(), Failure> {
        match self {
            Self::Held { allocation, way, peer } => {
                allocation.open(other, *way).await?;
                *peer = Some(other);
            }
            Self::Client { peer, .. } => {
                *peer = Some(other);
                self.send(GREETING).await?;
            }
            Self::Socket { peer, .. } => *peer = Some(other),
        }
        Ok(())
    }

    /// Sends to the end that was met.
    pub(super) async fn send(&self, payload: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Held { allocation, way, peer: Some(peer) } => allocation.send(*peer, *way, payload).await,
            Self::Client { relay, server, peer: Some(peer), .. } => {
                let sent = timeout(CLIENT_PATIENCE, relay.send_to(payload, *peer)).await;
                let sent = sent.map_err(|_| Failure::Silent { server: *server, waited: CLIENT_PATIENCE })?;
                sent.map(drop).map_err(|error| gave_up("sent to its peer", &error))
            }
            Self::Socket { socket, peer: Some(peer), .. } => {
                let sent = socket.send_to(payload, *peer).await;
                sent.map(drop).map_err(|source| Failure::Unreachable { server: *peer, source })
            }
            // Nobody met yet, nobody to send to.
            Self::Held { .. } | Self::Client { .. } | Self::Socket { .. } => Ok(()),
        }
    }

    /// The next payload. Safe to cancel.
    pub(super) async fn receive(&mut self) -> Result<Got, Failure> {
        loop {
            let got = self.receive_any().await?;
            if got.payload != GREETING {
                return Ok(got);
            }
        }
    }

    async fn receive_any(&mut self) -> Result<Got, Failure> {
        match self {
            Self::Held { allocation, way, peer } => {
                let Received { from, way: by, payload } = allocation.receive().await?;
                Ok(Got { payload, as_agreed: Some(from) == *peer && by == *way })
            }
            Self::Client { relay, peer, buffer, .. } => {
                let got = relay.recv_from(buffer).await;
                let (len, from) = got.map_err(|error| gave_up("waited for its peer", &error))?;
                Ok(Got { payload: buffer[..len].to_vec(), as_agreed: Some(from) == *peer })
            }
            Self::Socket { socket, peer, buffer } => {
                let got = socket.recv_from(buffer).await;
                let (len, from) = got.map_err(|source| Failure::Socket { local: UNSPECIFIED, source })?;
                Ok(Got { payload: buffer[..len].to_vec(), as_agreed: Some(from) == *peer })
            }
        }
    }

    /// Gives the allocation back. Best effort: what stays behind expires.
    pub(super) async fn free(self) {
        match self {
            Self::Held { allocation, .. } => drop(allocation.free().await),
            Self::Client { client, relay, .. } => {
                drop(timeout(CLIENT_PATIENCE, relay.close()).await);
                drop(timeout(CLIENT_PATIENCE, client.close()).await);
            }
            Self::Socket { .. } => {}
        }
    }

    async fn held(target: &Target, plan: &Plan, way: Way) -> Result<Self, Failure> {
        let ask = Ask { family: plan.family, lifetime: None };
        Ok(Self::Held { allocation: Box::new(allocate(target, &ask).await?), way, peer: None })
    }

    async fn client(target: &Target) -> Result<Self, Failure> {
        // Its refusals are text: let an allocation held by hand fail first, with a code.
        allocate(target, &Ask::default()).await?.free().await?;
        let server = target.server;
        let conn = Arc::new(bind(crate::raw::any(server)).await?);
        let client = Client::new(config(target, conn)).await.map_err(|error| gave_up("started", &error))?;
        client.listen().await.map_err(|error| gave_up("started", &error))?;
        let allocated = timeout(CLIENT_PATIENCE, client.allocate()).await;
        let allocated = allocated.map_err(|_| Failure::Silent { server, waited: CLIENT_PATIENCE })?;
        let relay = Box::new(allocated.map_err(|error| gave_up("allocated", &error))?);
        Ok(Self::Client { client, relay, server, peer: None, buffer: vec![0; usize::from(u16::MAX)] })
    }
}

const UNSPECIFIED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

fn config(target: &Target, conn: Arc<UdpSocket>) -> ClientConfig {
    ClientConfig {
        stun_serv_addr: target.server.to_string(),
        turn_serv_addr: target.server.to_string(),
        username: target.username.clone(),
        password: target.password.clone(),
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn,
        vnet: None,
    }
}

async fn bind(local: IpAddr) -> Result<UdpSocket, Failure> {
    UdpSocket::bind((local, 0)).await.map_err(|source| Failure::Socket { local, source })
}

fn gave_up(doing: &'static str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Client { doing, detail: error.to_string() }
}
