//! [`measure`]: one cell on one server.

mod allocate;
mod binding;
mod idle;
mod relay;

use std::thread::sleep;
use std::time::Duration;

use crate::cells::{Cell, Scale, Work};
use crate::cpu;
use crate::kernel;
use crate::ledger::Counts;
use crate::servers::{Candidate, Ground, Server};

/// A kind of number in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Microseconds of server CPU per unit of work: a delivered packet, an allocation, an answer.
    Cpu,
    /// Units per second.
    Rate,
    /// Share of its processor that the server used.
    Busy,
    /// Share of what was sent and not delivered.
    Loss,
    /// Median one-way delay, microseconds.
    P50,
    /// 99th percentile of the one-way delay, microseconds.
    P99,
    /// Bytes of user memory per allocation.
    Resident,
    /// Bytes of kernel slab per allocation.
    Slab,
}

/// A figure of a line of the report.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The line.
    pub line: String,
    /// Which kind.
    pub figure: Figure,
    /// The number.
    pub value: f64,
}

/// What a measurement brought.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The figures.
    pub samples: Vec<Sample>,
    /// The verdicts over all payloads (or answers), warm-up included.
    pub counts: Counts,
    /// What a reader of the figures must know.
    pub remarks: Vec<String>,
}

/// What every measurement needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// How long and how much.
    pub scale: Scale,
    /// Where servers run.
    pub ground: Ground,
    /// Take joined datagrams at the far end (UDP_GRO), which spares the server the cutting.
    pub far_gro: bool,
}

/// Measures a cell. `number` marks the payloads.
///
/// # Errors
/// The words for the report: this server could not do it.
pub fn measure(
    setting: Setting,
    candidate: &Candidate,
    server: &Server,
    cell: &Cell,
    number: u32,
) -> Result<Measured, String> {
    match cell.work {
        Work::Relay(relay) => relay::measure(setting, server, &cell.name, relay, number),

        Work::Allocate(count) => allocate::measure(setting, server, &cell.name, count),
        Work::Binding => binding::measure(setting, server, &cell.name),
        Work::Memory(count) => idle::measure(setting, candidate, &cell.name, count),
    }
}

impl Measured {
    fn add(&mut self, line: &str, figure: Figure, value: f64) {
        self.samples.push(Sample { line: line.into(), figure, value });
    }

    /// CPU per unit, units per second, and how busy the server was.
    fn add_cost(&mut self, line: &str, units: u64, cpu: Duration, elapsed: Duration) {
        if units > 0 && !elapsed.is_zero() {
            self.add(line, Figure::Cpu, cpu.as_secs_f64() * 1e6 / units as f64);
            self.add(line, Figure::Rate, units as f64 / elapsed.as_secs_f64());
            self.add(line, Figure::Busy, cpu.as_secs_f64() / elapsed.as_secs_f64());
        }
    }
}

/// The server's CPU time once it has gone to sleep, when the reading is exact.
fn settled(server: &Server) -> Result<Duration, String> {
    sleep(Duration::from_millis(3));
    cpu::time(server.pid()).map_err(|e| format!("{} is gone: {e}", server.name))
}

/// Runs `step` in real time, if the setting says so: then nothing but the server decides how long an answer takes.
fn in_step<T>(setting: Setting, step: impl FnOnce() -> T) -> Result<T, String> {
    let switch = |on| kernel::realtime(on).map_err(|e| format!("real-time priority: {e}; try --no-realtime"));
    if !setting.ground.realtime {
        return Ok(step());
    }
    switch(true)?;
    let result = step();
    switch(false)?;
    Ok(result)
}
