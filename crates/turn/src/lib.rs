//! A STUN/TURN server as a state machine: datagrams and time in, decisions out.
//!
//! Speaks RFC 8489 and RFC 8656. There is no socket, clock, task, lock on the packet path or randomness in here.
#![forbid(unsafe_code)]

mod five_tuple;
mod now;
mod output;

pub use five_tuple::{FiveTuple, PeerTransportAddress, RelayedTransportAddress, Transport};
pub use now::Now;
pub use output::{
    AllocationId, BindError, BindRelayed, Binding, Bound, Forward, Output, PortRequest, Route, Wrap, WrapHeader,
};
