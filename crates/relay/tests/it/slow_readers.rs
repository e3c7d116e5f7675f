//! Clients that do not read what is sent to them.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use posthouse_relay::{Config, Counters, Relay, StreamLimits};
use posthouse_stun::{Kind, Message};

use crate::client::{Client, Incoming, next_id};
use crate::stream_client::{BOTH, Door, StreamClient, binding_request};
use crate::world::{PATIENCE, config, payload, peer, receive, start, wait_for};

/// Packets for a client at a pace that the worker keeps up with, until the counters say `enough`; returns how many.
fn pour(socket: &UdpSocket, to: SocketAddr, relay: &Relay, enough: impl Fn(&Counters) -> bool) -> u32 {
    let (mut sent, until) = (0, Instant::now() + PATIENCE);
    while !enough(&relay.stats()[0].counters) {
        assert!(Instant::now() < until, "never enough: {:#?}", relay.stats()[0].counters);
        for n in sent..sent + 64 {
            socket.send_to(&payload(n, 1200), to).unwrap();
        }
        sent += 64;
        std::thread::sleep(Duration::from_millis(1));
    }
    sent
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn one_that_never_reads_costs_little_and_nobody_else() {
    let relay = start(&config(25600..=25615));
    let door = Door::new();
    for over in BOTH {
        let mut deaf = door.allocated(&relay, over, "alice");
        let (socket, address) = peer("127.0.0.9");
        deaf.bind_channel(0x4000, address).unwrap();
        let mut other = Client::allocated(relay.listening()[0], "bob");
        let mut neighbour = door.allocated(&relay, over, "carol");
        let (friend, friendly) = peer("127.0.0.8");
        other.permit(friendly).unwrap();
        neighbour.permit(friendly).unwrap();
        let before = resident();
        // 24 MB and more.
        let dropped = relay.stats()[0].counters.streams.dropped;
        pour(&socket, deaf.relayed(), &relay, |c| c.streams.dropped > dropped + 20_000);
        // Tests beside this one have memory of their own; 24 MB kept would be seen all the same.
        assert!(resident() < before + (16 << 20), "{} MiB more", (resident() - before) >> 20);
        friend.send_to(b"to other", other.relayed()).unwrap();
        assert_eq!(other.incoming(), Incoming::Data(friendly, b"to other".to_vec()));
        neighbour.send(friendly, b"from neighbour");
        assert_eq!(receive(&friend).0, b"from neighbour");
        friend.send_to(b"to neighbour", neighbour.relayed()).unwrap();
        assert_eq!(neighbour.incoming(), Incoming::Data(friendly, b"to neighbour".to_vec()));
        drop(deaf);
    }
}

/// Everything that came until the answer to `id`: numbers of packets, and answers.
fn hear_until(client: &mut StreamClient, id: posthouse_stun::TransactionId) -> (Vec<u32>, usize) {
    let (mut numbers, mut answers) = (Vec::new(), 0);
    loop {
        let (kind, frame) = client.frame();
        if kind == Kind::ChannelData {
            let n = u32::from_be_bytes(frame[4..8].try_into().unwrap());
            assert_eq!(frame[4..], payload(n, 1200), "packet {n} is whole");
            numbers.push(n);
            continue;
        }
        answers += 1;
        if Message::parse(&frame).unwrap().transaction_id() == id {
            return (numbers, answers);
        }
    }
}

#[test]
fn one_that_pauses_loses_packets_but_no_answer_and_stays_in_step() {
    let relay = start(&config(25616..=25631));
    let door = Door::new();
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (socket, address) = peer("127.0.0.9");
        client.bind_channel(0x4000, address).unwrap();
        let dropped = relay.stats()[0].counters.streams.dropped;
        let count = pour(&socket, client.relayed(), &relay, |c| c.streams.dropped > dropped + 1000);
        let ids: Vec<_> = (0..100).map(|_| next_id()).collect();
        for id in &ids {
            client.say(&binding_request(*id));
        }
        let (numbers, answers) = hear_until(&mut client, ids[99]);
        assert_eq!(answers, 100);
        assert!(numbers.is_sorted_by(|a, b| a < b), "in order, none twice");
        assert!(!numbers.is_empty() && numbers.len() < count as usize);
        // All is as before, behind what the relayed socket still held when the answers left.
        socket.send_to(b"now", client.relayed()).unwrap();
        let now = Incoming::Channel(0x4000, b"now".to_vec());
        assert!((0..count).any(|_| client.incoming() == now));
    }
}

#[test]
fn one_that_makes_no_progress_is_closed() {
    let soon = Duration::from_millis(500);
    let relay =
        start(&Config { streams: StreamLimits { stalled: soon, ..StreamLimits::default() }, ..config(25632..=25647) });
    let door = Door::new();
    for (n, over) in BOTH.into_iter().enumerate() {
        let mut deaf = door.allocated(&relay, over, "alice");
        let (socket, address) = peer("127.0.0.9");
        deaf.permit(address).unwrap();
        pour(&socket, deaf.relayed(), &relay, |c| c.streams.closed.stalled == n as u64 + 1);
        assert_eq!(relay.ports_taken(), 0);
        deaf.until_closed();
    }
}

#[test]
fn one_that_asks_and_never_listens_is_closed() {
    let relay = start(&config(25648..=25663));
    let door = Door::new();
    for (n, over) in BOTH.into_iter().enumerate() {
        let mut rude = door.connect(&relay, over, "alice");
        rude.raw.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let questions: Vec<_> = (0..1000).flat_map(|_| binding_request(next_id())).collect();
        // Until the server has had enough.
        while std::io::Write::write_all(&mut rude.link, &questions).is_ok() {}
        wait_for(&relay, "it is closed", |s| s[0].counters.streams.closed.flooded == n as u64 + 1);
    }
    assert_eq!(relay.stats()[0].streams, 0);
}
