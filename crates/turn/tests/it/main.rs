//! The laws of the server, told as scenarios, against a model, over a bad network, and counted in heap allocations.

mod allocate;
mod alternate;
mod answer;
mod auth;
mod bandwidth;
mod binding;
mod channel_bind;
mod create_permission;
mod discovery;
mod ending;
mod handover;
mod heap;
mod icmp;
mod limiter;
mod mobility;
mod model;
mod policy;
mod refresh;
mod relaying;
mod rfc;
mod sim;
mod tcp_allocations;
mod tcp_client;
mod tcp_connect;
mod tcp_connection_bind;
mod world;
