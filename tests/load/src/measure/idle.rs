//! What allocations cost while nobody uses them: memory, and CPU.

use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::Duration;

use super::{Figure, Measured, Setting, settled};
use crate::converse::converse;
use crate::dialogue::{Dialogue, Goal};
use crate::endpoint::Endpoint;
use crate::memory;
use crate::servers::Candidate;

/// Made before the first reading, so that what the server allocates once is not divided among the rest.
const WARM_UP: usize = 200;
/// For freed memory of the handshakes to be freed.
const REST: Duration = Duration::from_millis(500);
/// How long idleness is watched.
const IDLE: Duration = Duration::from_secs(1);
/// A server of its own for this: others keep what earlier cells made them take.
const IP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 99);

pub(super) fn measure(setting: Setting, candidate: &Candidate, line: &str, count: usize) -> Result<Measured, String> {
    let server = candidate.start(IP, setting.ground)?;
    let open = |net| Endpoint::open(net, false).map_err(|e| format!("a socket of the generator: {e}"));
    let (mut clients, peers) = (open(1)?, open(2)?);
    let mut dialect = server.dialect.clone();
    let mut dialogues: Vec<Dialogue> = (0..count).map(Dialogue::new).collect();
    for (flow, dialogue) in dialogues.iter_mut().enumerate() {
        dialogue.peer = Some(peers.address(flow));
    }
    let (warm, rest) = dialogues.split_at_mut(WARM_UP.min(count / 2));
    converse(&mut clients, server.listen, &mut dialect, warm, Goal::Bound)?;
    sleep(REST);
    let before = read(&server)?;
    // Flows are numbered from 0 on an endpoint: the others need one of their own.
    let mut clients = open(3)?;
    converse(&mut clients, server.listen, &mut dialect, rest, Goal::Bound)?;
    sleep(REST);
    let after = read(&server)?;
    let cpu = settled(&server)?;
    sleep(IDLE);
    let idle = settled(&server)? - cpu;

    let each = |bytes: i64| bytes as f64 / rest.len() as f64;
    let mut measured = Measured::default();
    measured.add(line, Figure::Resident, each(after.resident - before.resident));
    measured.add(line, Figure::Slab, each(after.slab - before.slab));
    measured.add(line, Figure::Busy, idle.as_secs_f64() / IDLE.as_secs_f64());
    Ok(measured)
}

fn read(server: &crate::servers::Server) -> Result<memory::Memory, String> {
    memory::read(server.pid()).map_err(|e| format!("{} is gone: {e}", server.name))
}
