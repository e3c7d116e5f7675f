//! Many dialogues at once over an endpoint, a window of them waiting for their answers.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use crate::dialogue::{Dialect, Dialogue, Goal, Progress};
use crate::endpoint::Endpoint;

/// How many requests may wait for an answer.
const WINDOW: usize = 64;
/// After so much silence whatever waits is sent again (RFC 8489 §6.2.1 starts at 500 ms).
const RETRANSMIT: Duration = Duration::from_millis(500);
/// After so many silent intervals the server is given up.
const RETRANSMISSIONS_MAX: u32 = 6;

/// Brings every dialogue to `goal`; dialogue `i` is flow `i` of the endpoint. Returns the number of retransmissions.
///
/// # Errors
/// The words for the report: a refusal, silence, or the local socket.
pub fn converse(
    endpoint: &mut Endpoint,
    server: SocketAddrV4,
    dialect: &mut Dialect,
    dialogues: &mut [Dialogue],
    goal: Goal,
) -> Result<u32, String> {
    let mut waiting = vec![false; dialogues.len()];
    let (mut started, mut open, mut repeats, mut silent) = (0, 0, 0, 0);
    let mut last = Instant::now();
    while started < dialogues.len() || open > 0 {
        while started < dialogues.len() && open < WINDOW {
            dialogues[started].aim(goal);
            waiting[started] = true;
            ask(endpoint, server, dialect, dialogues, started)?;
            (started, open) = (started + 1, open + 1);
        }
        endpoint.flush().map_err(|e| format!("sending a request: {e}"))?;
        let progress = take(endpoint, server, dialect, dialogues, goal, &mut waiting)?;
        for flow in progress.ask {
            ask(endpoint, server, dialect, dialogues, flow)?;
        }
        open -= progress.reached;
        if progress.heard {
            (last, silent) = (Instant::now(), 0);
        } else if last.elapsed() > RETRANSMIT {
            (last, silent) = (Instant::now(), silent + 1);
            if silent > RETRANSMISSIONS_MAX {
                return Err(format!("{goal:?}: no answer from {server} for {:?}", RETRANSMIT * silent));
            }
            for flow in (0..started).filter(|&flow| waiting[flow]) {
                ask(endpoint, server, dialect, dialogues, flow)?;
                repeats += 1;
            }
        } else {
            std::hint::spin_loop();
        }
    }
    Ok(repeats)
}

#[derive(Default)]
struct Taken {
    heard: bool,
    reached: usize,
    ask: Vec<usize>,
}

fn take(
    endpoint: &mut Endpoint,
    server: SocketAddrV4,
    dialect: &mut Dialect,
    dialogues: &mut [Dialogue],
    goal: Goal,
    waiting: &mut [bool],
) -> Result<Taken, String> {
    let (mut taken, mut refusal) = (Taken::default(), None);
    let each = |flow: usize, from: SocketAddrV4, bytes: &[u8]| {
        if from != server || !waiting.get(flow).is_some_and(|&waits| waits) {
            return;
        }
        match dialogues[flow].answer(dialect, goal, bytes) {
            Ok(Progress::Ask) => taken.ask.push(flow),
            Ok(Progress::Reached) => {
                waiting[flow] = false;
                taken.reached += 1;
            }
            Ok(Progress::Ignored) => return,
            Err(words) => refusal = Some(words),
        }
        taken.heard = true;
    };
    endpoint.receive(each).map_err(|e| format!("receiving an answer: {e}"))?;
    refusal.map_or(Ok(taken), Err)
}

fn ask(
    endpoint: &mut Endpoint,
    server: SocketAddrV4,
    dialect: &Dialect,
    dialogues: &[Dialogue],
    flow: usize,
) -> Result<(), String> {
    let pushed = endpoint.push(flow, server, 0, |bytes| dialogues[flow].write(dialect, bytes));
    pushed.map_err(|e| format!("sending a request: {e}"))
}
