//! The engines in memory keep the contract.

use posthouse_rooms::{MemoryBus, MemoryStore, contract};

#[test]
fn the_memory_store_keeps_the_contract() {
    contract::store(&MemoryStore::new(100));
}

#[test]
fn the_memory_bus_keeps_the_contract() {
    contract::bus(&MemoryBus::default());
}
