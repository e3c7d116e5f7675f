//! A client, its relay socket and its peer.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;

use foldhash::{HashMap, HashMapExt};
use socket2::{Domain, Socket, Type};

use crate::kernel::{self, Epoll};

/// One client.
pub(super) struct Flow {
    pub(super) client: SocketAddrV4,
    pub(super) relay: Socket,
    pub(super) relayed: SocketAddrV4,
    pub(super) peer: SocketAddrV4,
    pub(super) channel: u16,
}

/// All clients; a number is reused once its flow is gone.
pub(super) struct Flows {
    flows: Vec<Option<Flow>>,
    free: Vec<usize>,
    by_client: HashMap<u64, usize>,
    relay_ip: Ipv4Addr,
    join: bool,
}

impl Flows {
    pub(super) fn new(relay_ip: Ipv4Addr, join: bool) -> Self {
        Self { flows: Vec::new(), free: Vec::new(), by_client: HashMap::new(), relay_ip, join }
    }

    pub(super) fn find(&self, client: SocketAddrV4) -> Option<usize> {
        self.by_client.get(&pack(client)).copied()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Flow> {
        self.flows.get(number)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Flow> {
        self.flows.get_mut(number)?.as_mut()
    }

    /// Binds a relay socket for a client that has none.
    pub(super) fn open(&mut self, client: SocketAddrV4, epoll: &Epoll) -> io::Result<usize> {
        let relay = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        relay.bind(&SocketAddrV4::new(self.relay_ip, 0).into())?;
        relay.set_nonblocking(true)?;
        kernel::receive_buffer(relay.as_fd(), 1 << 20)?;
        if self.join {
            kernel::gro_on(relay.as_fd())?;
        }
        let relayed = relay.local_addr()?.as_socket_ipv4().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let number = self.free.pop().unwrap_or(self.flows.len());
        epoll.add(relay.as_fd(), number as u64)?;
        if number == self.flows.len() {
            self.flows.push(None);
        }
        self.flows[number] = Some(Flow { client, relay, relayed, peer: relayed, channel: 0 });
        self.by_client.insert(pack(client), number);
        Ok(number)
    }

    /// Closes a relay socket; closing takes it out of the epoll set too.
    pub(super) fn close(&mut self, number: usize) {
        if let Some(flow) = self.flows.get_mut(number).and_then(Option::take) {
            self.by_client.remove(&pack(flow.client));
            self.free.push(number);
        }
    }
}

fn pack(address: SocketAddrV4) -> u64 {
    u64::from(u32::from(*address.ip())) << 16 | u64::from(address.port())
}
