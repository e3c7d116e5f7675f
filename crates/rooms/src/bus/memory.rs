//! The bus of one process: for one node that never needs it, and for tests with several.

use std::{
    collections::HashMap,
    future::ready,
    sync::{PoisonError, RwLock},
};

use super::{Bus, BusError, Parcel, Receiver};
use crate::{NodeId, Pending};

/// Nodes of one process hear each other directly.
#[derive(Default)]
pub struct MemoryBus {
    receivers: RwLock<HashMap<NodeId, Receiver>>,
}

impl Bus for MemoryBus {
    fn publish(&self, to: NodeId, parcel: Parcel) -> Pending<'_, Result<(), BusError>> {
        let receiver = self.receivers.read().unwrap_or_else(PoisonError::into_inner).get(&to).cloned();
        let heard = receiver.map(|hear| hear(parcel)).ok_or(BusError::NoSuchNode);
        Box::pin(ready(heard))
    }

    fn announce(&self, from: NodeId, parcel: Parcel) -> Pending<'_, Result<(), BusError>> {
        let receivers = self.receivers.read().unwrap_or_else(PoisonError::into_inner);
        let others: Vec<Receiver> =
            receivers.iter().filter(|(node, _)| **node != from).map(|(_, hear)| hear.clone()).collect();
        drop(receivers);
        others.iter().for_each(|hear| hear(parcel.clone()));
        Box::pin(ready(Ok(())))
    }

    fn subscribe(&self, node: NodeId, receiver: Receiver) {
        self.receivers.write().unwrap_or_else(PoisonError::into_inner).insert(node, receiver);
    }
}
