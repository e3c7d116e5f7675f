//! [`Table`]: the only index. Allocations by 5-tuple, by relayed transport address, by id.
//!
//! The maps hold nothing but places: an entry is four bytes, and a key is compared where it already lies, in the
//! allocation that the caller wants anyway.

use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr};

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use hashbrown::HashTable;
use posthouse_stun::attribute::Family;

use crate::allocation::Allocation;
use crate::{AllocationId, FiveTuple, RelayedTransportAddress};

pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_five_tuple: HashTable<u32>,
    by_relayed: HashTable<u32>,
    state: SeedableRandomState,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    allocation: Option<Box<Allocation>>,
}

impl Table {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_five_tuple: HashTable::new(),
            by_relayed: HashTable::new(),
            state: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn insert(&mut self, allocation: Box<Allocation>) -> AllocationId {
        let hash = hash_five_tuple(&self.state, &allocation.five_tuple);
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            // Every allocation needs a port of its own: four thousand million are never reached.
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.allocation = Some(allocation);
        let generation = slot.generation;
        let (slots, state) = (&self.slots, &self.state);
        self.by_five_tuple.insert_unique(hash, index, |&i| hash_five_tuple(state, &at(slots, i).five_tuple));
        AllocationId { index, generation }
    }

    /// Makes `id` findable by a relayed transport address. The allocation must already hold it.
    pub(crate) fn index_relayed(&mut self, id: AllocationId, relayed: SocketAddr) {
        // A dual allocation stands here twice, so an entry is its place and its family.
        let (slots, state) = (&self.slots, &self.state);
        let entry = id.index << 1 | u32::from(relayed.is_ipv6());
        let rehash = |&entry: &u32| hash_address(state, relayed_at(slots, entry).expect("indexed while it is held"));
        self.by_relayed.insert_unique(hash_address(state, relayed), entry, rehash);
    }

    /// Undoes [`Self::index_relayed`]; call it while the allocation still holds the address.
    pub(crate) fn forget_relayed(&mut self, id: AllocationId, relayed: SocketAddr) {
        let entry = id.index << 1 | u32::from(relayed.is_ipv6());
        if let Ok(found) = self.by_relayed.find_entry(hash_address(&self.state, relayed), |&e| e == entry) {
            found.remove();
        }
    }

    pub(crate) fn remove(&mut self, id: AllocationId) -> Option<Box<Allocation>> {
        let relayed = self.get(id)?.relayed;
        for address in relayed.iter() {
            self.forget_relayed(id, address);
        }
        self.forget_five_tuple(id);
        let slot = &mut self.slots[id.index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        slot.allocation.take()
    }

    fn forget_five_tuple(&mut self, id: AllocationId) {
        let Some(five_tuple) = self.get(id).map(|allocation| allocation.five_tuple) else { return };
        let hash = hash_five_tuple(&self.state, &five_tuple);
        if let Ok(found) = self.by_five_tuple.find_entry(hash, |&i| i == id.index) {
            found.remove();
        }
    }

    /// The client is at another 5-tuple.
    pub(crate) fn rekey(&mut self, id: AllocationId, to: FiveTuple) {
        self.forget_five_tuple(id);
        let Some(allocation) = self.get_mut(id) else { return };
        allocation.five_tuple = to;
        let (slots, state) = (&self.slots, &self.state);
        let rehash = |&i: &u32| hash_five_tuple(state, &at(slots, i).five_tuple);
        self.by_five_tuple.insert_unique(hash_five_tuple(state, &to), id.index, rehash);
    }

    /// The client is nowhere. Nobody comes from port 0, and nothing is sent to it.
    pub(crate) fn set_away(&mut self, id: AllocationId) {
        self.forget_five_tuple(id);
        if let Some(allocation) = self.get_mut(id) {
            allocation.five_tuple.client.set_port(0);
        }
    }

    pub(crate) fn get(&self, id: AllocationId) -> Option<&Allocation> {
        let slot = self.slots.get(id.index as usize)?;
        if slot.generation == id.generation { slot.allocation.as_deref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, id: AllocationId) -> Option<&mut Allocation> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.allocation.as_deref_mut() } else { None }
    }

    /// The allocation of a 5-tuple: the one hash of a packet from a client.
    pub(crate) fn find(&self, from: &FiveTuple) -> Option<AllocationId> {
        let hash = hash_five_tuple(&self.state, from);
        let &index = self.by_five_tuple.find(hash, |&i| at(&self.slots, i).five_tuple == *from)?;
        Some(AllocationId { index, generation: self.slots[index as usize].generation })
    }

    /// The allocation that peers reach at an address.
    pub(crate) fn find_relayed(&self, relayed: RelayedTransportAddress) -> Option<AllocationId> {
        let hash = hash_address(&self.state, relayed.0);
        let &entry = self.by_relayed.find(hash, |&e| {
            relayed_at(&self.slots, e).is_some_and(|a| (a.ip(), a.port()) == (relayed.0.ip(), relayed.0.port()))
        })?;
        let index = entry >> 1;
        Some(AllocationId { index, generation: self.slots[index as usize].generation })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (AllocationId, &Allocation)> {
        self.part(0, usize::MAX)
    }

    /// The allocations in `most` places from `from` on.
    pub(crate) fn part(&self, from: usize, most: usize) -> impl Iterator<Item = (AllocationId, &Allocation)> {
        self.slots.iter().enumerate().skip(from).take(most).filter_map(|(index, slot)| {
            let id = AllocationId { index: index as u32, generation: slot.generation };
            Some((id, slot.allocation.as_deref()?))
        })
    }

    pub(crate) fn places(&self) -> usize {
        self.slots.len()
    }

    /// Ids of the allocations that `matches` picks: a walk over all, for reload, kick and vanished addresses only.
    pub(crate) fn ids(&self, matches: impl Fn(&Allocation) -> bool) -> Vec<AllocationId> {
        self.iter().filter(|(_, allocation)| matches(allocation)).map(|(id, _)| id).collect()
    }
}

fn at(slots: &[Slot], index: u32) -> &Allocation {
    slots[index as usize].allocation.as_deref().expect("the maps name only places that are taken")
}

fn relayed_at(slots: &[Slot], entry: u32) -> Option<SocketAddr> {
    let family = if entry & 1 == 1 { Family::V6 } else { Family::V4 };
    at(slots, entry >> 1).relayed.get(family)
}

fn hash_five_tuple(state: &SeedableRandomState, five_tuple: &FiveTuple) -> u64 {
    let mut hasher = state.build_hasher();
    let FiveTuple { client, server, transport } = *five_tuple;
    if let (IpAddr::V4(c), IpAddr::V4(s)) = (client.ip(), server.ip()) {
        // client 32 | port 16 | server 32 | port 16 | transport 8
        let client = u128::from(c.to_bits()) << 16 | u128::from(client.port());
        let server = u128::from(s.to_bits()) << 16 | u128::from(server.port());
        hasher.write_u128((client << 48 | server) << 8 | transport as u128);
    } else {
        for address in [client, server] {
            write_address(&mut hasher, address);
        }
        hasher.write_u8(transport as u8);
    }
    hasher.finish()
}

fn hash_address(state: &SeedableRandomState, address: SocketAddr) -> u64 {
    let mut hasher = state.build_hasher();
    write_address(&mut hasher, address);
    hasher.finish()
}

fn write_address(hasher: &mut impl Hasher, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => hasher.write_u32(ip.to_bits()),
        IpAddr::V6(ip) => hasher.write_u128(ip.to_bits()),
    }
    hasher.write_u16(address.port());
}
