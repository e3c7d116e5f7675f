//! Payloads through allocations.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::{Figure, Measured, Setting, in_step, settled};
use crate::cells::{Direction, Relay};
use crate::converse::converse;
use crate::dialogue::{Dialogue, Goal};
use crate::drops::Drops;
use crate::endpoint::{Endpoint, Streams, Transport};
use crate::framing::Framing;
use crate::servers::Server;
use crate::statistics::percentile;
use crate::traffic::{self, Leg, Load, Outcome, Pace, Road};

/// Long enough for buffers, caches and lazy set-up of the server.
const WARM_UP: Duration = Duration::from_millis(60);

pub(super) fn measure(
    setting: Setting,
    server: &Server,
    line: &str,
    relay: Relay,
    number: u32,
) -> Result<Measured, String> {
    let Relay { transport, framing, direction, flows, load } = relay;
    let listen = server.address(transport);
    let mut dialect = server.dialect.clone();
    let count = if direction == Direction::Between { 2 * flows } else { flows };
    let mut ends = open(setting, transport, listen, count)?;
    let mut dialogues: Vec<Dialogue> = (0..count).map(Dialogue::new).collect();
    converse(&mut ends[0], listen, &mut dialect, &mut dialogues, Goal::Allocated)?;
    let relayed: Vec<SocketAddrV4> = dialogues.iter().filter_map(|dialogue| dialogue.relayed).collect();
    for (flow, dialogue) in dialogues.iter_mut().enumerate() {
        dialogue.peer = Some(match direction {
            Direction::Between => relayed[(flow + flows) % count],
            _ => ends[1].address(flow),
        });
    }
    let goal = if framing == Framing::Indication { Goal::Permitted } else { Goal::Bound };
    converse(&mut ends[0], listen, &mut dialect, &mut dialogues, goal)?;
    let mut road = road(ends, direction, framing, listen, &relayed);

    let run = |road: &mut Road, number, duration| -> Result<Outcome, String> {
        in_step(setting, || traffic::run(road, load, number, duration))?.map_err(|e| format!("the generator: {e}"))
    };
    let drops = Drops::read();
    let warm = run(&mut road, 2 * number, WARM_UP)?;
    let before = settled(server)?;
    let outcome = run(&mut road, 2 * number + 1, setting.scale.step)?;
    let cpu = settled(server)? - before;
    converse(&mut road.ends[0], listen, &mut dialect, &mut dialogues, Goal::Deleted)?;

    let mut measured = summarise(line, load, outcome, cpu);
    measured.counts += warm.counts;
    if measured.counts.lost() > 0 {
        measured.remarks.extend(Drops::read().since(drops));
    }
    Ok(measured)
}

fn open(setting: Setting, transport: Transport, listen: SocketAddrV4, count: usize) -> Result<[Endpoint; 2], String> {
    let datagrams = |net| Endpoint::open(net, setting.far_gro).map_err(|e| format!("a socket of the generator: {e}"));
    let streams = |tls: Option<&Arc<ClientConfig>>| {
        let streams =
            Streams::connect(listen, count, tls).map_err(|e| format!("connecting over {transport:?}: {e}"))?;
        Ok::<_, String>(Endpoint::Streams(streams))
    };
    let clients = match transport {
        Transport::Udp => datagrams(1)?,
        Transport::Tcp => streams(None)?,
        Transport::Tls => streams(Some(&setting.ground.tls.ok_or("no certificate was made")?.trusted()?))?,
    };
    Ok([clients, datagrams(2)?])
}

fn road(
    ends: [Endpoint; 2],
    direction: Direction,
    framing: Framing,
    listen: SocketAddrV4,
    relayed: &[SocketAddrV4],
) -> Road {
    let flows = if direction == Direction::Between { relayed.len() / 2 } else { relayed.len() };
    let leg = |flow: usize| match direction {
        Direction::ToPeer => {
            Leg { source: flow, to: listen, sink: flow, sender: relayed[flow], peer: ends[1].address(flow) }
        }
        Direction::ToClient => {
            Leg { source: flow, to: relayed[flow], sink: flow, sender: listen, peer: ends[1].address(flow) }
        }
        Direction::Between => {
            Leg { source: flow, to: listen, sink: flow + flows, sender: listen, peer: relayed[flow + flows] }
        }
    };
    let legs = (0..flows).map(leg).collect();
    let (clients, peers) = ((0, framing), (1, Framing::Bare));
    let (source, sink) = match direction {
        Direction::ToPeer => (clients, peers),
        Direction::ToClient => (peers, clients),
        Direction::Between => (clients, clients),
    };
    Road { ends, source, sink, legs }
}

fn summarise(line: &str, load: Load, mut outcome: Outcome, cpu: Duration) -> Measured {
    let mut measured = Measured { counts: outcome.counts, ..Measured::default() };
    measured.add_cost(line, outcome.counts.delivered, cpu, outcome.elapsed);
    let loss = outcome.counts.lost() as f64 / outcome.counts.sent.max(1) as f64;
    measured.add(line, Figure::Loss, loss);
    if loss > 0.001 {
        measured.remarks.push(format!("lost {:.2} % of its packets", loss * 100.0));
    }
    if outcome.late > 0 {
        measured.remarks.push(format!("the generator was late {} times", outcome.late));
    }
    if let Pace::PerSecond(_) = load.pace {
        for (figure, share) in [(Figure::P50, 0.5), (Figure::P99, 0.99)] {
            if let Some(delay) = percentile(&mut outcome.delays, share) {
                measured.add(line, figure, f64::from(delay) / 1000.0);
            }
        }
    }
    measured
}
