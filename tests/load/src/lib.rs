//! A load generator for any TURN server, and a bare forwarder as the yardstick of what the kernel allows.
//!
//! `load` starts servers, makes real allocations on them, sends payloads that carry flow, sequence number and check
//! tail, verifies every one of them at the far end, and reads the CPU time that the server spent. `bare` forwards
//! datagrams with no rule at all. The method is in `README.md`.
//!
//! Bottom up: [`kernel`] has the system calls, [`endpoint`] many transport addresses on one socket, [`payload`], [`framing`] and
//! [`ledger`] what travels and what is counted, [`dialogue`] and [`converse`] the handshakes, [`traffic`] the packets,
//! [`servers`] the programs under test, [`cells`] what is measured, [`report`] the table. [`meeting`] is about signaling alone.

pub mod bare;
pub mod cells;
pub mod converse;
pub mod cpu;
pub mod dialogue;
pub mod drops;
pub mod endpoint;
pub mod framing;
pub mod kernel;
pub mod ledger;
pub mod machine;
pub mod measure;
pub mod meeting;
pub mod memory;
pub mod payload;
pub mod report;
pub mod servers;
pub mod statistics;
pub mod traffic;
