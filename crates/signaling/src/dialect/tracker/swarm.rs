//! The peers of one torrent, as topics.

use posthouse_rooms::{Address, Entry as Seat, Incarnation, Refusal, Tenant, Topic, TopicId};

use super::{frame::Hash, problem::Problem};
use crate::{delivery::Trouble, peer::Peer, random};

/// A client's part in one torrent.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) peer_id: Hash,
    /// Has it all of the torrent?
    pub(super) seeds: bool,
}

/// How many peers a torrent has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) complete: usize,
    pub(super) incomplete: usize,
}

/// A torrent. Its seeders and its leechers are two topics, so that counting them costs nothing.
pub(super) struct Swarm {
    tenant: Tenant,
    info_hash: Hash,
    seeders: TopicId,
    leechers: TopicId,
}

impl Swarm {
    pub(super) fn of(tenant: &Tenant, info_hash: &Hash) -> Result<Self, Problem> {
        let topic = |role: &str| tenant.topic(&format!("{role}/{}", info_hash.0)).map_err(|_| Problem::Busy);
        let (seeders, leechers) = (topic("seed")?, topic("leech")?);
        Ok(Self { tenant: tenant.clone(), info_hash: info_hash.clone(), seeders, leechers })
    }

    /// The seat of a peer id: whoever sits there is that peer, and nobody else is at the same time.
    pub(super) fn seat(&self, peer_id: &Hash) -> Result<TopicId, Problem> {
        // Both have their fixed length, so no two pairs read alike.
        self.tenant.topic(&format!("seat/{}{}", self.info_hash.0, peer_id.0)).map_err(|_| Problem::Busy)
    }

    pub(super) async fn enter(&self, peer: &Peer, part: &Part) -> Result<(), Trouble> {
        let seat = self.seat(&part.peer_id).map_err(|_| Trouble::Refused(Refusal::UnknownRoom))?;
        let who = peer.recipient()?;
        let taken = |trouble| match trouble {
            Trouble::Refused(Refusal::Full) => Trouble::Refused(Refusal::IdTaken),
            other => other,
        };
        peer.join(&seat, Seat { capacity: 1, ..Seat::silent(who.clone()) }).await.map_err(taken)?;
        let crowd = if part.seeds { &self.seeders } else { &self.leechers };
        if let Err(trouble) = peer.join(crowd, Seat::silent(who)).await {
            peer.leave(&seat).await?;
            return Err(trouble);
        }
        Ok(())
    }

    /// From the leechers to the seeders.
    pub(super) async fn complete(&self, peer: &Peer) -> Result<(), Trouble> {
        // It leaves first: one in the middle is in one topic fewer than it may be, and never counted twice.
        peer.leave(&self.leechers).await?;
        let joined = peer.join(&self.seeders, Seat::silent(peer.recipient()?)).await;
        if joined.is_err() {
            peer.join(&self.leechers, Seat::silent(peer.recipient()?)).await?;
        }
        joined.map(drop)
    }

    pub(super) async fn exit(&self, peer: &Peer, part: &Part) -> Result<(), Trouble> {
        let seat = self.seat(&part.peer_id).map_err(|_| Trouble::Refused(Refusal::UnknownRoom))?;
        peer.leave(if part.seeds { &self.seeders } else { &self.leechers }).await?;
        peer.leave(&seat).await
    }

    pub(super) async fn counts(&self, peer: &Peer) -> Result<Counts, Problem> {
        let complete = peer.post().look(&self.seeders, Topic::occupancy).await.map_err(|_| Problem::Busy)?;
        let incomplete = peer.post().look(&self.leechers, Topic::occupancy).await.map_err(|_| Problem::Busy)?;
        Ok(Counts { complete, incomplete })
    }

    /// Up to `most` others: those who want the torrent first, then those who have it.
    pub(super) async fn sample(&self, peer: &Peer, most: usize) -> Result<Vec<(Address, Incarnation)>, Trouble> {
        let own = peer.recipient()?.id;
        let mut others = Vec::new();
        for crowd in [&self.leechers, &self.seeders] {
            let (random, left) = (random::number(), most - others.len());
            let sample = |topic: &Topic| -> Vec<(Address, Incarnation)> {
                let sampled = topic.sample(random, left, &own);
                sampled.map(|(id, member)| (crowd.address(id), member.incarnation)).collect()
            };
            others.extend(peer.post().look(crowd, sample).await?);
        }
        Ok(others)
    }
}
