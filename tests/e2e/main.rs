//! The real binary on real sockets of the loopback interface, seen from outside. `tests/README.md` says how to run it.

mod admin;
mod cli;
mod conformance;
mod dashboard;
mod ending;
mod harness;
mod hostile;
mod ice;
mod peerjs;
mod relay_alternate;
mod relay_coturn_client;
mod relay_coturn_families;
mod relay_credentials;
mod relay_discovery;
mod relay_engine;
mod relay_icmp;
mod relay_mobility;
mod relay_natdiscovery;
mod relay_probe;
mod relay_streams;
mod relay_tcp_allocations;
mod relay_tcp_raw;
mod reload;
mod rooms;
mod sockets;
mod v1;
