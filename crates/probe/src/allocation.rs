//! One allocation held by hand: chosen lifetime and family, permissions, channels, both ways to send.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use stun::message::{
    CLASS_INDICATION, Getter, METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA,
    METHOD_REFRESH, METHOD_SEND, Message, Method, Setter, is_message,
};
use stun::xoraddr::XorMappedAddress;
use turn::proto::PROTO_UDP;
use turn::proto::chandata::ChannelData;
use turn::proto::channum::{ChannelNumber, MIN_CHANNEL_NUMBER};
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};
use turn::proto::reqtrans::RequestedTransport;

use crate::failure::Failure;
use crate::raw::Client;
use crate::target::{Family, Target};

/// RFC 8656 §12: channel numbers end at 0x4FFF.
const CHANNELS: u16 = 0x1000;

/// What to ask an Allocate for; the default asks for nothing beyond UDP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask {
    /// REQUESTED-ADDRESS-FAMILY; `None` leaves it out, which means IPv4.
    pub family: Option<Family>,
    /// LIFETIME, whole seconds; `None` leaves it out.
    pub lifetime: Option<Duration>,
}

/// How data travels between the client and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Send and Data indications, RFC 8656 §11.
    Indication,
    /// ChannelData, RFC 8656 §12.
    Channel,
}

/// Data that a peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Peer transport address.
    pub from: SocketAddr,
    /// How the server delivered it.
    pub way: Way,
    /// What the peer sent.
    pub payload: Vec<u8>,
}

/// A live allocation. Dropping it leaves it to expire; [`free`](Allocation::free) ends it at once.
pub struct Allocation {
    client: Client,
    relayed: SocketAddr,
    mapped: SocketAddr,
    lifetime: Duration,
    channels: HashMap<SocketAddr, ChannelNumber>,
}

/// Allocates over UDP, [RFC 8656 §7.1](https://www.rfc-editor.org/rfc/rfc8656#section-7.1).
///
/// # Errors
/// [`Failure::Refused`] carries the server's code: 401 for a wrong or expired credential.
pub async fn allocate(target: &Target, ask: &Ask) -> Result<Allocation, Failure> {
    let mut client = Client::open(target.server, Some(target.clone())).await?;
    let transport = RequestedTransport { protocol: PROTO_UDP };
    let lifetime = ask.lifetime.map(Lifetime);
    let family = ask.family.map(|family| match family {
        Family::V4 => REQUESTED_FAMILY_IPV4,
        Family::V6 => REQUESTED_FAMILY_IPV6,
    });
    let mut attributes: Vec<&(dyn Setter + Sync)> = vec![&transport];
    attributes.extend(lifetime.as_ref().map(|lifetime| lifetime as &(dyn Setter + Sync)));
    attributes.extend(family.as_ref().map(|family| family as &(dyn Setter + Sync)));

    let answer = client.request(METHOD_ALLOCATE, &attributes, None).await?;
    let relayed = read::<RelayedAddress>(METHOD_ALLOCATE, &answer, "XOR-RELAYED-ADDRESS")?;
    let mapped = read::<XorMappedAddress>(METHOD_ALLOCATE, &answer, "XOR-MAPPED-ADDRESS")?;
    let lifetime = read::<Lifetime>(METHOD_ALLOCATE, &answer, "LIFETIME")?;
    Ok(Allocation {
        client,
        relayed: SocketAddr::new(relayed.ip, relayed.port),
        mapped: SocketAddr::new(mapped.ip, mapped.port),
        lifetime: lifetime.0,
        channels: HashMap::new(),
    })
}

impl Allocation {
    /// XOR-RELAYED-ADDRESS.
    pub fn relayed(&self) -> SocketAddr {
        self.relayed
    }

    /// XOR-MAPPED-ADDRESS of the Allocate response.
    pub fn mapped(&self) -> SocketAddr {
        self.mapped
    }

    /// LIFETIME as the server last granted it.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Refresh; returns the lifetime that the server granted. Zero ends the allocation.
    ///
    /// # Errors
    /// 437 when there is no allocation any more.
    pub async fn refresh(&mut self, lifetime: Duration) -> Result<Duration, Failure> {
        let answer = self.client.request(METHOD_REFRESH, &[&Lifetime(lifetime)], None).await?;
        self.lifetime = read::<Lifetime>(METHOD_REFRESH, &answer, "LIFETIME")?.0;
        Ok(self.lifetime)
    }

    /// Ends the allocation.
    ///
    /// # Errors
    /// As [`refresh`](Allocation::refresh).
    pub async fn free(mut self) -> Result<(), Failure> {
        self.refresh(Duration::ZERO).await.map(drop)
    }

    /// CreatePermission for a peer's IP address.
    ///
    /// # Errors
    /// 403 when the server's policy denies the peer, 443 when its family is not the allocation's.
    pub async fn permit(&mut self, peer: SocketAddr) -> Result<(), Failure> {
        self.client.request(METHOD_CREATE_PERMISSION, &[&xor_peer_address(peer)], Some(peer)).await.map(drop)
    }

    /// ChannelBind of the next unused channel number, which also permits the peer; binding again refreshes it.
    ///
    /// # Errors
    /// As [`permit`](Allocation::permit).
    pub async fn bind_channel(&mut self, peer: SocketAddr) -> Result<u16, Failure> {
        let next = MIN_CHANNEL_NUMBER + (self.channels.len() as u16) % CHANNELS;
        let number = self.channels.get(&peer).copied().unwrap_or(ChannelNumber(next));
        self.client.request(METHOD_CHANNEL_BIND, &[&number, &xor_peer_address(peer)], Some(peer)).await?;
        self.channels.insert(peer, number);
        Ok(number.0)
    }

    /// Opens `way` to a peer: a permission, or a channel.
    ///
    /// # Errors
    /// As [`permit`](Allocation::permit).
    pub async fn open(&mut self, peer: SocketAddr, way: Way) -> Result<(), Failure> {
        match way {
            Way::Indication => self.permit(peer).await,
            Way::Channel => self.bind_channel(peer).await.map(drop),
        }
    }

    /// Hands one payload to the server for a peer. `Way::Channel` needs [`bind_channel`](Allocation::bind_channel) before.
    ///
    /// # Errors
    /// Only what this machine says: a server drops what it may not relay, silently.
    pub async fn send(&self, peer: SocketAddr, way: Way, payload: &[u8]) -> Result<(), Failure> {
        match way {
            Way::Indication => {
                let data = Data(payload.to_vec());
                self.client.indicate(METHOD_SEND, &[&xor_peer_address(peer), &data]).await
            }
            Way::Channel => {
                let number = *self.channels.get(&peer).ok_or_else(|| Failure::Malformed {
                    method: METHOD_CHANNEL_BIND,
                    what: format!("no channel is bound to {peer}; bind it first"),
                })?;
                let mut message = ChannelData { data: payload.to_vec(), number, raw: Vec::new() };
                message.encode();
                self.client.send(&message.raw).await
            }
        }
    }

    /// The next payload from a peer. Safe to cancel.
    ///
    /// # Errors
    /// [`Failure::Malformed`] for a datagram that is neither a Data indication nor ChannelData of a channel bound here.
    pub async fn receive(&mut self) -> Result<Received, Failure> {
        loop {
            let packet = self.client.receive().await?;
            if !is_message(&packet) {
                return self.channel_data(packet);
            }
            let mut message = Message::new();
            message.unmarshal_binary(&packet).map_err(|error| malformed(METHOD_DATA, &error))?;
            // A second answer to a retransmitted request comes late: not data.
            if message.typ.class == CLASS_INDICATION && message.typ.method == METHOD_DATA {
                let peer = read::<PeerAddress>(METHOD_DATA, &message, "XOR-PEER-ADDRESS")?;
                let data = read::<Data>(METHOD_DATA, &message, "DATA")?;
                let from = SocketAddr::new(peer.ip, peer.port);
                return Ok(Received { from, way: Way::Indication, payload: data.0 });
            }
        }
    }

    fn channel_data(&self, packet: Vec<u8>) -> Result<Received, Failure> {
        let mut message = ChannelData { raw: packet, ..ChannelData::default() };
        message.decode().map_err(|error| malformed(METHOD_DATA, &error))?;
        let bound = self.channels.iter().find(|(_, number)| **number == message.number);
        let Some((&from, _)) = bound else {
            return Err(malformed(METHOD_DATA, &format!("ChannelData on unbound channel {:#06x}", message.number.0)));
        };
        Ok(Received { from, way: Way::Channel, payload: message.data })
    }
}

fn xor_peer_address(peer: SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}

fn read<A: Getter + Default>(method: Method, message: &Message, name: &str) -> Result<A, Failure> {
    let mut attribute = A::default();
    attribute.get_from(message).map_err(|error| malformed(method, &format!("{name}: {error}")))?;
    Ok(attribute)
}

fn malformed(method: Method, what: &impl ToString) -> Failure {
    Failure::Malformed { method, what: what.to_string() }
}
