//! How a node reaches the sockets of another.

mod memory;

use std::sync::Arc;

pub use memory::MemoryBus;

use crate::{Address, Close, Delivery, Label, NodeId, Pending, Placed, RoomId, meeting::Tell};

/// What travels from node to node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parcel {
    /// A message for one of the receiver's sockets.
    Deliver {
        /// Whose member it is for.
        room: RoomId,
        /// The message.
        delivery: Delivery,
    },
    /// A message for an identity on one of the receiver's sockets.
    Place {
        /// Whom it is for.
        address: Address,
        /// The message.
        placed: Placed,
    },
    /// An event of a meeting for one of the receiver's sockets.
    Tell(Tell),
    /// One of the receiver's sockets is to be closed.
    Close(Close),
    /// A membership is over: whatever its relay credentials made on the receiver's relay ends.
    Free {
        /// Whom the credentials were made for.
        label: Label,
        /// Are they to be refused from now on?
        revoke: bool,
    },
}

/// Who hears a node's parcels. Called from the engine's task or thread; it must not wait.
pub type Receiver = Arc<dyn Fn(Parcel) + Send + Sync>;

/// Carries parcels to nodes. Contract, checked by [`contract`](crate::contract): a parcel reaches the node it is for, at
/// most once, and no other; one that is announced reaches every node but the one it comes from; parcels of one node to
/// another arrive in the order they were published. Order between nodes is restored at the socket, by
/// [`Delivery::index`].
pub trait Bus: Send + Sync {
    /// Hands a parcel to a node.
    fn publish(&self, to: NodeId, parcel: Parcel) -> Pending<'_, Result<(), BusError>>;

    /// Hands a parcel to every node but `from`: a member's relay credentials are good wherever it ever was.
    fn announce(&self, from: NodeId, parcel: Parcel) -> Pending<'_, Result<(), BusError>>;

    /// From now on `receiver` hears what is published to `node`.
    fn subscribe(&self, node: NodeId, receiver: Receiver);
}

/// Why a parcel went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nobody hears this node's parcels (any more).
    #[error("the node is not there")]
    NoSuchNode,
    /// The engine did not answer.
    #[error("the bus did not answer")]
    Unavailable,
}
