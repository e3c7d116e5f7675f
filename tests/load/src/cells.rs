//! What is measured: rows that can be chosen, cells that are figures of the report.

use std::time::Duration;

use clap::ValueEnum;

use crate::endpoint::Transport;
use crate::framing::Framing;
use crate::traffic::{Load, Pace};

/// A group of cells, chosen by name on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// ChannelData of 16 interleaved flows at saturation, 100, 200 and 1200 bytes.
    Relay,
    /// 16 packets of one flow back to back, as a video frame or a file.
    Bursts,
    /// 256 and 1,500 flows.
    Flows,
    /// 20,000 packets a second.
    Paced,
    /// Both clients on the server.
    C2c,
    /// Allocate (two round trips) and Refresh with lifetime 0.
    Allocate,
    /// Binding.
    Binding,
    /// 10,000 idle allocations, each with permission and channel.
    Memory,
    /// One-way delay at 5,000 packets a second.
    Latency,
    /// Send and Data indications in place of ChannelData. Not among the default rows.
    Indications,
    /// Clients over TCP. Not among the default rows.
    Tcp,
    /// Clients over TLS. Not among the default rows.
    Tls,
}

impl Row {
    /// What is measured when nothing else is asked for: everything over UDP.
    pub const DEFAULT: [Self; 9] = [
        Self::Relay,
        Self::Bursts,
        Self::Flows,
        Self::Paced,
        Self::C2c,
        Self::Allocate,
        Self::Binding,
        Self::Memory,
        Self::Latency,
    ];
}

/// Which way payloads go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Client to peer.
    ToPeer,
    /// Peer to client.
    ToClient,
    /// Client to client, both with an allocation.
    Between,
}

/// One thing to measure.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its line in the report.
    pub name: String,
    /// How.
    pub work: Work,
    /// Must reach, want: CPU relative to the baseline.
    pub target: Option<(f64, f64)>,
}

/// How to measure it.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// Payloads.
    Relay(Relay),
    /// So many allocations, then deletes.
    Allocate(usize),
    /// Binding requests in a closed loop.
    Binding,
    /// So many idle allocations.
    Memory(usize),
}

/// Payloads through allocations.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    /// How clients reach the server.
    pub transport: Transport,
    /// What payloads travel in on the client's side.
    pub framing: Framing,
    /// Which way.
    pub direction: Direction,
    /// Allocations, or pairs of them.
    pub flows: usize,
    /// What to send.
    pub load: Load,
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Of one measurement.
    pub step: Duration,
    /// Allocations made to measure their cost.
    pub allocations: usize,
    /// Idle allocations.
    pub idle: usize,
}

impl Scale {
    /// For figures.
    pub const FULL: Self = Self { step: Duration::from_millis(600), allocations: 2_000, idle: 10_000 };
    /// To see that everything works.
    pub const QUICK: Self = Self { step: Duration::from_millis(200), allocations: 500, idle: 2_000 };
}

const BOTH: [Direction; 2] = [Direction::ToPeer, Direction::ToClient];

/// The cells of some rows.
#[must_use]
pub fn cells(rows: &[Row], scale: Scale) -> Vec<Cell> {
    rows.iter().flat_map(|&row| row_cells(row, scale)).collect()
}

fn row_cells(row: Row, scale: Scale) -> Vec<Cell> {
    let both = |len, burst, flows, pace, target| BOTH.map(|way| relay(way, len, burst, flows, pace, target));
    match row {
        Row::Relay => [100, 200, 1200].iter().flat_map(|&len| both(len, 1, 16, None, Some((0.75, 0.65)))).collect(),
        Row::Bursts => [(200, None), (1200, Some((0.30, 0.25)))]
            .iter()
            .flat_map(|&(len, target)| both(len, 16, 16, None, target))
            .collect(),
        Row::Flows => [(256, None), (1500, Some((0.70, 0.55)))]
            .iter()
            .flat_map(|&(flows, target)| both(200, 1, flows, None, target))
            .collect(),
        Row::Paced => both(200, 1, 16, Some(20_000), Some((0.85, 0.75))).into(),
        Row::Latency => both(200, 1, 16, Some(5_000), None).into(),
        // The goal is 1.0 and 0.6 of *one* hop of coturn, which needs two hops for this.
        Row::C2c => [200, 1200].map(|len| relay(Direction::Between, len, 1, 16, None, Some((0.50, 0.30)))).into(),
        Row::Allocate => vec![cell("Allocate, two round trips", Work::Allocate(scale.allocations), Some((0.50, 0.35)))],
        Row::Binding => vec![cell("Binding", Work::Binding, Some((0.70, 0.55)))],
        Row::Indications => [200, 1200].into_iter().flat_map(|len| BOTH.map(|way| indications(way, len))).collect(),
        Row::Tcp => streams(Transport::Tcp),
        Row::Tls => streams(Transport::Tls),
        Row::Memory => vec![cell(&format!("{} idle allocations", scale.idle), Work::Memory(scale.idle), None)],
    }
}

fn cell(name: &str, work: Work, target: Option<(f64, f64)>) -> Cell {
    Cell { name: name.into(), work, target }
}

fn indications(direction: Direction, payload_len: usize) -> Cell {
    let mut cell = relay(direction, payload_len, 1, 16, None, None);
    if let Work::Relay(relay) = &mut cell.work {
        relay.framing = Framing::Indication;
    }
    cell.name += ", in indications";
    cell
}

/// Single frames both ways, and several frames a write from clients.
fn streams(transport: Transport) -> Vec<Cell> {
    let over = |direction, payload_len, burst| {
        let mut cell = relay(direction, payload_len, burst, 16, None, Some((0.90, 0.70)));
        if let Work::Relay(relay) = &mut cell.work {
            relay.transport = transport;
        }
        cell.name += &format!(", over {}", if transport == Transport::Tcp { "TCP" } else { "TLS" });
        cell
    };
    let single = [200, 1200].into_iter().flat_map(|len| BOTH.map(|way| over(way, len, 1)));
    single.chain([over(Direction::ToPeer, 200, 8)]).collect()
}

fn relay(
    direction: Direction,
    payload_len: usize,
    burst: usize,
    flows: usize,
    rate: Option<u32>,
    target: Option<(f64, f64)>,
) -> Cell {
    let in_flight = if payload_len > 1000 { 64 } else { 128 };
    let pace = rate.map_or(Pace::InFlight(in_flight), Pace::PerSecond);
    let way = match direction {
        Direction::ToPeer => "client to peer",
        Direction::ToClient => "peer to client",
        Direction::Between => "client to client",
    };
    let mut name =
        format!("{way}, {payload_len} B, {flows} {}", if direction == Direction::Between { "pairs" } else { "flows" });
    if burst > 1 {
        name += &format!(", bursts of {burst}");
    }
    if let Some(rate) = rate {
        name += &format!(", {rate} packets/s");
    }
    let load = Load { payload_len, burst, pace };
    let (transport, framing) = (Transport::Udp, Framing::Channel);
    Cell { name, work: Work::Relay(Relay { transport, framing, direction, flows, load }), target }
}
