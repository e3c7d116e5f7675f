//! Real bytes through real allocations, both ways, counted and compared.

mod count;
mod end;
mod exchange;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

pub use count::Count;

use crate::allocation::Way;
use crate::binding::{Mapped, binding};
use crate::failure::Failure;
use crate::target::{Family, Target};
use end::End;
use exchange::exchange;

/// Which road the bytes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Relayed address to relayed address between two whole clients of the `turn` crate, which choose for themselves
    /// when to permit, to bind a channel and to change from indications to ChannelData. IPv4 relays only.
    Clients,
    /// Relayed address to relayed address between two allocations held by hand.
    RelayToRelay(Way),
    /// One allocation and a plain UDP socket of this machine as its peer. The server's policy must allow the peer.
    Peer {
        /// How the allocation's client talks to the server.
        way: Way,
        /// Where the peer's socket is bound; the server must reach it there.
        at: IpAddr,
    },
}

/// What to send over which legs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The legs, one after the other.
    pub legs: Vec<Leg>,
    /// Payloads each way on each leg.
    pub payloads: u32,
    /// Bytes of one payload, at least [`Count::SMALLEST`].
    pub payload_len: usize,
    /// Pause between two payloads of one direction.
    pub gap: Duration,
    /// How long to wait for payloads still on their way once nothing moves any more.
    pub patience: Duration,
    /// Family of the relayed addresses; `None` leaves it to the server, which means IPv4.
    pub family: Option<Family>,
}

impl Plan {
    /// The default plan for relayed addresses of one family.
    pub fn of(family: Family) -> Self {
        let plan = Self { family: Some(family), ..Self::default() };
        match family {
            Family::V4 => plan,
            // The `turn` crate's client cannot ask for IPv6.
            Family::V6 => Self { legs: plan.legs.into_iter().filter(|leg| *leg != Leg::Clients).collect(), ..plan },
        }
    }
}

/// Relay to relay in every manner: what two browsers that both need the relay do, and what every policy allows.
impl Default for Plan {
    fn default() -> Self {
        Self {
            legs: vec![Leg::Clients, Leg::RelayToRelay(Way::Indication), Leg::RelayToRelay(Way::Channel)],
            payloads: 20,
            payload_len: 200,
            gap: Duration::from_millis(5),
            patience: Duration::from_secs(2),
            family: None,
        }
    }
}

/// What one leg carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which road.
    pub leg: Leg,
    /// First end to second.
    pub there: Count,
    /// Second end to first.
    pub back: Count,
}

/// What all legs carried. Its `Display` is for an operator, one line a leg.
#[derive(Clone, Debug)]
pub struct Report {
    /// The Binding that went first.
    pub mapped: Mapped,
    /// One entry a leg, in the plan's order.
    pub passages: Vec<Passage>,
}

impl Report {
    /// Every payload arrived once, unchanged, from where it should.
    pub fn is_whole(&self) -> bool {
        self.passages.iter().all(|passage| passage.there.is_whole() && passage.back.is_whole())
    }
}

/// A Binding, then every leg of the plan with allocations of its own, which are freed at its end.
///
/// # Errors
/// The first step that could not be taken at all. Payloads that were lost on the way are no error: the [`Report`]
/// counts them.
pub async fn echo(target: &Target, plan: &Plan) -> Result<Report, Failure> {
    let mapped = binding(target.server).await?;
    let mut passages = Vec::with_capacity(plan.legs.len());
    for &leg in &plan.legs {
        passages.push(pass(target, plan, leg).await?);
    }
    Ok(Report { mapped, passages })
}

async fn pass(target: &Target, plan: &Plan, leg: Leg) -> Result<Passage, Failure> {
    let mut left = End::first(target, plan, leg).await?;
    let mut right = match End::second(target, plan, leg).await {
        Ok(right) => right,
        Err(failure) => {
            left.free().await;
            return Err(failure);
        }
    };
    let counted = meet_and_exchange(&mut left, &mut right, plan).await;
    left.free().await;
    right.free().await;
    counted.map(|(there, back)| Passage { leg, there, back })
}

async fn meet_and_exchange(left: &mut End, right: &mut End, plan: &Plan) -> Result<(Count, Count), Failure> {
    let (a, b) = (left.address()?, right.address()?);
    // Both permissions stand before the first payload: what comes earlier is dropped, rightly.
    right.meet(a).await?;
    left.meet(b).await?;
    exchange(left, right, plan).await
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |way: &Way| match way {
            Way::Indication => "Send and Data indications",
            Way::Channel => "ChannelData",
        };
        match self {
            Self::Clients => write!(f, "relay to relay, two clients of their own mind"),
            Self::RelayToRelay(way) => write!(f, "relay to relay, {}", name(way)),
            Self::Peer { way, at } => write!(f, "relay to a peer on {at}, {}", name(way)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mapped { address, local, round_trip } = self.mapped;
        write!(f, "the server sees {address} (here {local}), round trip {round_trip:.1?}")?;
        for Passage { leg, there, back } in &self.passages {
            write!(f, "\n{leg}: there {there}, back {back}")?;
        }
        if !self.is_whole() {
            write!(
                f,
                "\nsome payloads did not arrive as they were sent: the network between here and the server loses \
                 packets, or a firewall stands between the server and its relay ports; try again, then open relay.ports for UDP"
            )?;
        }
        Ok(())
    }
}
