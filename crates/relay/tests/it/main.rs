//! A real relay on loopback, driven through its sockets.

mod client;
mod coalescing;
mod discovery;
mod engine;
mod icmp;
mod lifecycle;
mod limits;
mod listening;
mod mobility;
mod relay_to_relay;
mod relaying;
mod slow_readers;
mod stream_client;
mod streams;
mod streams_end;
mod tcp_allocations;
mod tcp_client;
mod tcp_ends;
mod world;
