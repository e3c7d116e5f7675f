//! Rooms and signaling under load: clients of AppRTC and Collider, thousands on one thread.
//!
//! [`client`] is one of them, [`crowd`] all of them behind one epoll, [`house`] the server, [`rows`] what is measured; [`v1`] speaks our own protocol.

pub mod client;
pub mod crowd;
pub mod house;
pub mod rows;
pub mod v1;
