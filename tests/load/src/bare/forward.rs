//! The loop: wait, receive a batch, send it on.

use std::io;
use std::iter::once;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::os::fd::AsFd;

use posthouse_stun::{ChannelData, ChannelNumber};
use socket2::{Domain, Socket, Type};

use super::flows::Flows;
use super::gather::Gather;
use super::{MARK, Request, read_request, write_answer};
use crate::kernel::{self, Epoll, Receiver, Sender};

const BATCH: usize = 64;
const LISTENER: u64 = u64::MAX;
/// Two ChannelData headers: one for all joined datagrams, one for a shorter last one.
const HEAD_ROOM: usize = 8;
/// Slots start at different offsets of a page, or they would share cache sets.
const DATAGRAM_MAX: usize = 2048 + 56;
const JOINED_MAX: usize = 65_536 + 56;

/// Forwards for ever. `join`: with UDP_GRO and UDP_SEGMENT, else a datagram a message.
///
/// # Errors
/// A socket could not be made, or the kernel failed in the loop.
pub fn serve(listen: SocketAddrV4, relay_ip: Ipv4Addr, join: bool) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    listener.bind(&listen.into())?;
    listener.set_nonblocking(true)?;
    kernel::receive_buffer(listener.as_fd(), 8 << 20)?;
    if join {
        kernel::gro_on(listener.as_fd())?;
    }
    let mut epoll = Epoll::new(BATCH)?;
    epoll.add(listener.as_fd(), LISTENER)?;
    let mut forwarder = Forwarder {
        listener,
        flows: Flows::new(relay_ip, join),
        receiver: Receiver::new(BATCH, if join { JOINED_MAX } else { DATAGRAM_MAX }, HEAD_ROOM),
        sender: Sender::default(),
        gather: Gather::new(join),
        slots: Vec::new(),
    };
    let mut ready = Vec::new();
    loop {
        epoll.wait(&mut ready)?;
        if ready.contains(&LISTENER) {
            forwarder.serve_clients(&epoll)?;
        }
        forwarder.serve_peers(&ready)?;
    }
}

struct Forwarder {
    listener: Socket,
    flows: Flows,
    receiver: Receiver,
    sender: Sender,
    gather: Gather,
    /// (flow, slot) of what was received and is to be sent on.
    slots: Vec<(usize, usize)>,
}

impl Forwarder {
    fn serve_clients(&mut self, epoll: &Epoll) -> io::Result<()> {
        let count = self.receiver.receive(self.listener.as_fd(), 0)?;
        self.slots.clear();
        for slot in 0..count {
            let datagram = self.receiver.get(slot);
            if datagram.bytes.first() == Some(&MARK) {
                let (from, request) = (datagram.from, read_request(datagram.bytes));
                self.answer(from, request, epoll)?;
            } else if let Some(flow) = self.flows.find(datagram.from) {
                self.slots.push((flow, slot));
            }
        }
        // Stable: a flow's datagrams stay in order.
        self.slots.sort_by_key(|&(flow, _)| flow);
        let mut rest = 0;
        while rest < self.slots.len() {
            let number = self.slots[rest].0;
            let end = self.slots[rest..].iter().position(|&(flow, _)| flow != number);
            let end = end.map_or(self.slots.len(), |len| rest + len);
            self.send_to_peer(number, rest..end)?;
            rest = end;
        }
        Ok(())
    }

    fn send_to_peer(&mut self, number: usize, slots: Range<usize>) -> io::Result<()> {
        let Some(flow) = self.flows.get(number) else { return Ok(()) };
        self.gather.clear();
        for &(_, slot) in &self.slots[slots] {
            let datagram = self.receiver.get(slot);
            let mut at = self.receiver.range(slot).start;
            for bytes in datagram.segments() {
                if let Ok(data) = ChannelData::parse(bytes)
                    && data.number.get() == flow.channel
                {
                    let payload = data.payload();
                    self.gather.add(flow.peer, once(at + payload.start..at + payload.end));
                }
                at += bytes.len();
            }
        }
        send(&mut self.sender, &flow.relay, self.receiver.memory(), &self.gather)
    }

    /// Relay sockets are read one after another into one batch, which the listener sends at once.
    fn serve_peers(&mut self, ready: &[u64]) -> io::Result<()> {
        self.slots.clear();
        let mut first = 0;
        for &number in ready.iter().filter(|&&number| number != LISTENER) {
            let Some(flow) = self.flows.get(number as usize) else { continue };
            let count = match self.receiver.receive(flow.relay.as_fd(), first) {
                // The answer to an earlier packet: nobody was there.
                Err(e) if e.raw_os_error() == Some(libc::ECONNREFUSED) => 0,
                other => other?,
            };
            self.slots.extend((first..first + count).map(|slot| (number as usize, slot)));
            first += count;
            if first == self.receiver.slots() {
                self.send_to_clients()?;
                first = 0;
            }
        }
        self.send_to_clients()
    }

    fn send_to_clients(&mut self) -> io::Result<()> {
        self.gather.clear();
        for &(number, slot) in &self.slots {
            let Some(flow) = self.flows.get(number) else { continue };
            let Some(channel) = ChannelNumber::new(flow.channel) else { continue };
            let range = self.receiver.range(slot);
            let segment = self.receiver.get(slot).segment;
            let last = range.len() - (range.len().max(1) - 1) / segment * segment;
            for (at, len) in [(0, last), (4, segment.min(range.len()))] {
                let header = ChannelData::header(channel, len).unwrap_or_default();
                self.receiver.head_room(slot)[at..at + 4].copy_from_slice(&header);
            }
            let mut start = range.start;
            while start < range.end {
                let end = range.end.min(start + segment);
                let header = if end - start == segment { range.start - 4 } else { range.start - HEAD_ROOM };
                // A datagram that came alone lies right behind its header.
                if range.len() <= segment {
                    self.gather.add(flow.client, once(range.start - 4..range.end));
                } else {
                    self.gather.add(flow.client, [header..header + 4, start..end]);
                }
                start = end;
            }
        }
        self.slots.clear();
        send(&mut self.sender, &self.listener, self.receiver.memory(), &self.gather)
    }

    fn answer(&mut self, client: SocketAddrV4, request: Option<Request>, epoll: &Epoll) -> io::Result<()> {
        let Some(request) = request else { return Ok(()) };
        let found = self.flows.find(client);
        let number = match (&request, found) {
            (Request::Allocate, None) => Some(self.flows.open(client, epoll)?),
            _ => found,
        };
        let flow = number.and_then(|number| self.flows.get_mut(number));
        let relayed = flow.as_ref().map_or(client, |flow| flow.relayed);
        if let (Request::Bind { channel, peer }, Some(flow)) = (&request, flow) {
            (flow.channel, flow.peer) = (*channel, *peer);
        }
        let answer = write_answer(&request, relayed);
        if let (Request::Delete, Some(number)) = (&request, number) {
            self.flows.close(number);
        }
        self.listener.send_to(&answer, &client.into()).map(|_| ())
    }
}

/// What the kernel does not take is lost, as on any network.
fn send(sender: &mut Sender, socket: &Socket, memory: &[u8], gather: &Gather) -> io::Result<()> {
    let mut done = 0;
    while done < gather.messages.len() {
        match sender.send(socket.as_fd(), memory, &gather.pieces, &gather.messages[done..]) {
            Ok(0) => return Ok(()),
            Ok(sent) => done += sent,
            Err(e) if matches!(e.raw_os_error(), Some(libc::ECONNREFUSED | libc::ENOBUFS)) => done += 1,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
