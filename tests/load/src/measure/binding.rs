//! What a Binding request costs.

use std::net::{SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use posthouse_stun::{AttributeType, Builder, Class, Message, MessageType, Method, TransactionId};

use super::{Figure, Measured, Setting, in_step, settled};
use crate::endpoint::Endpoint;
use crate::ledger::Ledger;
use crate::servers::Server;

const CLIENTS: usize = 16;
const IN_FLIGHT: usize = 128;
const QUANTUM: usize = 16;
const PATIENCE: Duration = Duration::from_millis(20);
const WARM_UP: Duration = Duration::from_millis(60);

pub(super) fn measure(setting: Setting, server: &Server, line: &str) -> Result<Measured, String> {
    let mut endpoint = Endpoint::open(1, false).map_err(|e| format!("a socket of the generator: {e}"))?;
    let mut run = |duration| -> Result<(Ledger, Duration), String> {
        in_step(setting, || ask(&mut endpoint, server.listen, duration))?.map_err(|e| format!("the generator: {e}"))
    };
    run(WARM_UP)?;
    let before = settled(server)?;
    let (ledger, elapsed) = run(setting.scale.step)?;
    let cpu = settled(server)? - before;
    let mut measured = Measured { counts: ledger.counts, ..Measured::default() };
    measured.add_cost(line, ledger.counts.delivered, cpu, elapsed);
    let loss = ledger.counts.lost() as f64 / ledger.counts.sent.max(1) as f64;
    measured.add(line, Figure::Loss, loss);
    if loss > 0.001 {
        measured.remarks.push(format!("left {:.2} % of the requests unanswered", loss * 100.0));
    }
    Ok(measured)
}

fn ask(endpoint: &mut Endpoint, server: SocketAddrV4, duration: Duration) -> std::io::Result<(Ledger, Duration)> {
    let mut ledger = Ledger::new(CLIENTS);
    let (mut in_flight, start) = (0usize, Instant::now());
    let mut last = start;
    while start.elapsed() < duration || (in_flight > 0 && last.elapsed() < PATIENCE) {
        if start.elapsed() < duration && in_flight + QUANTUM <= IN_FLIGHT {
            while in_flight < IN_FLIGHT {
                let (turn, flow) = (ledger.counts.sent, ledger.counts.sent as usize % CLIENTS);
                endpoint.push(flow, server, 0, |bytes| write(turn, bytes))?;
                (ledger.counts.sent, in_flight) = (turn + 1, in_flight + 1);
            }
            endpoint.flush()?;
        }
        let addresses: [SocketAddrV4; CLIENTS] = std::array::from_fn(|flow| endpoint.address(flow));
        let count = endpoint.receive(|flow, from, bytes| match read(bytes) {
            Some((turn, mapped)) if flow < CLIENTS && from == server => {
                if mapped != addresses[flow] || turn as usize % CLIENTS != flow {
                    ledger.counts.misdelivered += 1;
                } else if ledger.record(flow, turn / CLIENTS as u64) {
                    in_flight = in_flight.saturating_sub(1);
                }
            }
            Some(_) => ledger.counts.stray += 1,
            None => ledger.counts.corrupt += 1,
        })?;
        if count > 0 {
            last = Instant::now();
        } else if last.elapsed() > PATIENCE {
            (in_flight, last) = (0, Instant::now());
        } else {
            std::hint::spin_loop();
        }
    }
    Ok((ledger, last - start))
}

fn write(turn: u64, bytes: &mut Vec<u8>) {
    let mut buffer = [0; 20];
    let mut id = *b"load--------";
    id[4..].copy_from_slice(&turn.to_be_bytes());
    let kind = MessageType::new(Method::BINDING, Class::Request);
    let len = Builder::new(&mut buffer, kind, TransactionId(id)).finish().expect("a header has 20 bytes");
    bytes.extend_from_slice(&buffer[..len]);
}

/// The request's number and XOR-MAPPED-ADDRESS of a success response.
fn read(bytes: &[u8]) -> Option<(u64, SocketAddrV4)> {
    let message = Message::parse(bytes).ok()?;
    if message.method() != Method::BINDING || message.class() != Class::Success {
        return None;
    }
    let TransactionId(id) = message.transaction_id();
    match message.xor_address(AttributeType::XOR_MAPPED_ADDRESS) {
        Ok(Some(SocketAddr::V4(mapped))) => Some((u64::from_be_bytes(*id.last_chunk()?), mapped)),
        _ => None,
    }
}
