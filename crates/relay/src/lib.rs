//! Sockets, workers and kernel tricks around the TURN server. Knows no rule of any RFC: those are `posthouse-turn`'s.
//!
//! [`Relay::start`] binds what [`Config`] names and runs one thread per core. Each worker has its own SO_REUSEPORT
//! listening sockets, its own [`posthouse_turn::Server`] and the relayed sockets of its clients, so that a packet never
//! crosses threads. The journey of a packet is drawn in `worker.rs`, its memory in `arena.rs`.
#![deny(unsafe_code)]

mod arena;
mod clock;
mod config;
mod counters;
mod data_connection;
mod engine;
mod kernel;
mod listener;
mod outbox;
mod ports;
mod relay;
mod sockets;
mod start_error;
mod stream;
mod worker;

pub use clock::now;
pub use config::{Buffers, Config, EngineChoice, RelayAddress, StreamLimits};
pub use counters::{Calls, Closed, Counters, DataConnections, Flow, SendErrors, Streams};
pub use relay::Relay;
pub use start_error::StartError;
pub use stream::Adopted;
pub use worker::{Allocation, WorkerStats};
