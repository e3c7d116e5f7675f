//! What an allocation and its end cost.

use std::time::Instant;

use super::{Measured, Setting, in_step, settled};
use crate::converse::converse;
use crate::dialogue::{Dialogue, Goal};
use crate::endpoint::Endpoint;
use crate::servers::Server;

/// Made first, in the server's cold state, and not measured.
const WARM_UP: usize = 100;

pub(super) fn measure(setting: Setting, server: &Server, line: &str, count: usize) -> Result<Measured, String> {
    let mut endpoint = Endpoint::open(1, false).map_err(|e| format!("a socket of the generator: {e}"))?;
    let mut dialect = server.dialect.clone();
    let mut dialogues: Vec<Dialogue> = (0..count).map(Dialogue::new).collect();
    for goal in [Goal::Allocated, Goal::Deleted] {
        converse(&mut endpoint, server.listen, &mut dialect, &mut dialogues[..WARM_UP.min(count)], goal)?;
    }
    // From a fresh port: the warm-up has left nothing behind for these clients.
    let mut endpoint = Endpoint::open(1, false).map_err(|e| format!("a socket of the generator: {e}"))?;
    let mut dialogues: Vec<Dialogue> = (0..count).map(Dialogue::new).collect();
    let mut measured = Measured::default();
    for (goal, line) in [(Goal::Allocated, line), (Goal::Deleted, "Delete (Refresh with lifetime 0)")] {
        let before = settled(server)?;
        let start = Instant::now();
        let repeats = in_step(setting, || converse(&mut endpoint, server.listen, &mut dialect, &mut dialogues, goal))??;
        let elapsed = start.elapsed();
        measured.add_cost(line, count as u64, settled(server)? - before, elapsed);
        if repeats > 0 {
            measured.remarks.push(format!("{repeats} requests had to be repeated"));
        }
    }
    Ok(measured)
}
