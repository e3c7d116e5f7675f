//! Payloads from one end to the other: in a closed loop (so many in flight) or at a pace.

use std::io;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use crate::endpoint::Endpoint;
use crate::framing::{Framing, Unreadable};
use crate::ledger::{Counts, Ledger};
use crate::payload::Payload;

/// In a closed loop, what has not arrived after so long is lost.
const PATIENCE: Duration = Duration::from_millis(20);
/// After the last packet was sent, so long a silence ends the wait for the rest.
const DRAIN: Duration = Duration::from_millis(50);
/// A closed loop sends when so many may fly: single packets would be a system call each.
const QUANTUM: usize = 16;

/// Where one flow's payloads leave and arrive.
#[derive(Debug, Clone, Copy)]
pub struct Leg {
    /// Which flow of the sending endpoint.
    pub source: usize,
    /// Where it sends to.
    pub to: SocketAddrV4,
    /// Which flow of the receiving endpoint.
    pub sink: usize,
    /// Who must be the sender there.
    pub sender: SocketAddrV4,
    /// The peer, as the client's indications name it.
    pub peer: SocketAddrV4,
}

/// Two endpoints with the server between them.
pub struct Road {
    /// Clients, peers.
    pub ends: [Endpoint; 2],
    /// Which of `ends` sends, and in what.
    pub source: (usize, Framing),
    /// Which of `ends` receives, and in what.
    pub sink: (usize, Framing),
    /// The flows, in the order of their sinks.
    pub legs: Vec<Leg>,
}

/// When to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as less than this many packets are in flight.
    InFlight(usize),
    /// So many packets per second.
    PerSecond(u32),
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Bytes of a payload.
    pub payload_len: usize,
    /// Packets of one flow back to back, in one send; 1: flows take turns packet by packet.
    pub burst: usize,
    /// When.
    pub pace: Pace,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The verdicts.
    pub counts: Counts,
    /// From the first send to the last arrival.
    pub elapsed: Duration,
    /// One-way delay of each packet in nanoseconds; empty in a closed loop, where it only measures the queue.
    pub delays: Vec<u32>,
    /// The generator itself was late by more than a millisecond so often: the pace was not held.
    pub late: u32,
}

/// Sends for `duration`, waits for the rest, and judges everything.
///
/// # Errors
/// The local sockets failed; what the server does is in the counts.
pub fn run(road: &mut Road, load: Load, cell: u32, duration: Duration) -> io::Result<Outcome> {
    let mut run = Run {
        load,
        cell,
        start: Instant::now(),
        sequences: vec![0; road.legs.len()],
        turn: 0,
        ledger: Ledger::new(road.legs.len()),
        in_flight: 0,
        outcome: Outcome::default(),
    };
    let mut last = run.start;
    let mut due = run.start;
    while run.start.elapsed() < duration {
        match load.pace {
            Pace::InFlight(window) => run.fill(road, window)?,
            Pace::PerSecond(rate) => run.keep_pace(road, rate, &mut due)?,
        }
        if run.receive(road)? > 0 {
            last = Instant::now();
        } else if run.in_flight > 0 && last.elapsed() > PATIENCE {
            run.in_flight = 0;
        } else {
            std::hint::spin_loop();
        }
    }
    let mut silent = Instant::now();
    while run.in_flight > 0 && silent.elapsed() < DRAIN {
        if run.receive(road)? > 0 {
            silent = Instant::now();
            last = silent;
        }
    }
    run.outcome.elapsed = last - run.start;
    run.outcome.counts = run.ledger.counts;
    Ok(run.outcome)
}

struct Run {
    load: Load,
    cell: u32,
    start: Instant,
    sequences: Vec<u64>,
    turn: usize,
    ledger: Ledger,
    in_flight: usize,
    outcome: Outcome,
}

impl Run {
    fn fill(&mut self, road: &mut Road, window: usize) -> io::Result<()> {
        let quantum = QUANTUM.max(self.load.burst);
        if window.saturating_sub(self.in_flight) < quantum {
            return Ok(());
        }
        let sent = self.nanoseconds();
        while self.in_flight + self.load.burst <= window {
            self.push(road, sent)?;
        }
        road.ends[road.source.0].flush()
    }

    fn keep_pace(&mut self, road: &mut Road, rate: u32, due: &mut Instant) -> io::Result<()> {
        let now = Instant::now();
        if *due > now {
            return Ok(());
        }
        if now - *due > Duration::from_millis(1) {
            self.outcome.late += 1;
        }
        let interval = Duration::from_secs(self.load.burst as u64) / rate;
        while *due <= now {
            let sent = self.nanoseconds();
            self.push(road, sent)?;
            *due += interval;
        }
        road.ends[road.source.0].flush()
    }

    /// One burst of the flow whose turn it is.
    fn push(&mut self, road: &mut Road, sent: u64) -> io::Result<()> {
        let flow = self.turn % road.legs.len();
        self.turn += 1;
        let (end, framing) = road.source;
        let Load { payload_len, burst, .. } = self.load;
        let first = self.sequences[flow];
        let leg = road.legs[flow];
        let header = framing.header(leg.peer, payload_len);
        let segment = if burst == 1 { 0 } else { payload_len + header.as_bytes().len() };
        road.ends[end].push(leg.source, leg.to, segment as u16, |bytes| {
            for sequence in first..first + burst as u64 {
                bytes.extend_from_slice(header.as_bytes());
                Payload { cell: self.cell, flow: flow as u32, sequence, sent }.write(payload_len, bytes);
            }
        })?;
        self.sequences[flow] += burst as u64;
        self.in_flight += burst;
        self.ledger.counts.sent += burst as u64;
        Ok(())
    }

    fn receive(&mut self, road: &mut Road) -> io::Result<usize> {
        let (end, framing) = road.sink;
        let first_sink = road.legs[0].sink;
        let legs = &road.legs;
        let mut delivered = 0;
        let (start, load, cell) = (self.start, self.load, self.cell);
        let (ledger, outcome) = (&mut self.ledger, &mut self.outcome);
        let mut arrival = None;
        let count = road.ends[end].receive(|sink, from, bytes| {
            let arrived = *arrival.get_or_insert_with(|| start.elapsed().as_nanos() as u64);
            let leg = sink.checked_sub(first_sink).filter(|&leg| leg < legs.len());
            let peer = leg.map_or(from, |leg| legs[leg].peer);
            match judge(framing.payload(bytes, peer), load.payload_len, cell) {
                Verdict::Stray => ledger.counts.stray += 1,
                Verdict::Corrupt => ledger.counts.corrupt += 1,
                Verdict::Misdelivered => ledger.counts.misdelivered += 1,
                Verdict::Whole(payload) => {
                    let flow = payload.flow as usize;
                    if leg != Some(flow) || legs[flow].sender != from {
                        ledger.counts.misdelivered += 1;
                    } else if ledger.record(flow, payload.sequence) {
                        delivered += 1;
                        if let Pace::PerSecond(_) = load.pace {
                            outcome.delays.push(arrived.saturating_sub(payload.sent) as u32);
                        }
                    }
                }
            }
        })?;
        self.in_flight = self.in_flight.saturating_sub(delivered);
        Ok(count)
    }

    fn nanoseconds(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

enum Verdict {
    Whole(Payload),
    Corrupt,
    Misdelivered,
    Stray,
}

fn judge(payload: Result<&[u8], Unreadable>, payload_len: usize, cell: u32) -> Verdict {
    let payload = match payload {
        Ok(payload) => payload,
        Err(Unreadable::Misdelivered) => return Verdict::Misdelivered,
        Err(Unreadable::Stray) => return Verdict::Stray,
        Err(Unreadable::Corrupt) => return Verdict::Corrupt,
    };
    match Payload::read(payload, payload_len) {
        Some(payload) if payload.cell != cell => Verdict::Stray,
        Some(payload) => Verdict::Whole(payload),
        None => Verdict::Corrupt,
    }
}
