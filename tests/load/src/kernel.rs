//! The only `unsafe` code here: batched datagrams, socket options without a safe wrapper, scheduling.
//!
//! IPv4 only, like every figure that this generator produces.
#![allow(unsafe_code)]

mod control;
mod epoll;
mod option;
mod receive;
mod schedule;
mod send;

use std::net::{Ipv4Addr, SocketAddrV4};

pub use epoll::Epoll;
pub use option::{gro_on, packet_info_on, receive_buffer};
pub use receive::{Datagram, Receiver};
pub use schedule::{inherit, pin, realtime};
pub use send::{Message, Sender};

fn to_raw(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: to_raw_ip(*address.ip()),
        sin_zero: [0; 8],
    }
}

fn from_raw(raw: &libc::sockaddr_in) -> SocketAddrV4 {
    SocketAddrV4::new(from_raw_ip(raw.sin_addr), u16::from_be(raw.sin_port))
}

fn to_raw_ip(ip: Ipv4Addr) -> libc::in_addr {
    libc::in_addr { s_addr: u32::from(ip).to_be() }
}

fn from_raw_ip(raw: libc::in_addr) -> Ipv4Addr {
    Ipv4Addr::from(u32::from_be(raw.s_addr))
}
