//! Clients that do not read what is sent to them.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use posthouse_relay::{Closed, Config, Relay, StreamLimits};
use posthouse_stun::{Kind, Message};

use crate::client::{Client, Incoming, next_id};
use crate::stream_client::{BOTH, Door, StreamClient, binding_request};
use crate::world::{config, payload, peer, receive, start, wait_for};

/// Many packets for a client, at a pace that the worker keeps up with; returns how many.
fn pour(socket: &UdpSocket, to: SocketAddr, bytes: usize, relay: &Relay) -> u32 {
    const LEN: usize = 1200;
    let before = relay.stats()[0].counters.from_peers.packets;
    let count = (bytes / LEN) as u32;
    for n in 0..count {
        socket.send_to(&payload(n, LEN), to).unwrap();
        if n % 64 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    wait_for(relay, "most of it came", |s| s[0].counters.from_peers.packets - before > u64::from(count) / 2);
    count
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
        pour(&socket, deaf.relayed(), 24_000_000, &relay);
        // Tests beside this one have memory of their own; 24 MB kept would be seen all the same.
        assert!(resident() < before + (16 << 20), "{} MiB more", (resident() - before) >> 20);
        friend.send_to(b"to other", other.relayed()).unwrap();
        assert_eq!(other.incoming(), Incoming::Data(friendly, b"to other".to_vec()));
        neighbour.send(friendly, b"from neighbour");
        assert_eq!(receive(&friend).0, b"from neighbour");
        friend.send_to(b"to neighbour", neighbour.relayed()).unwrap();
        assert_eq!(neighbour.incoming(), Incoming::Data(friendly, b"to neighbour".to_vec()));
        wait_for(&relay, "its packets were dropped", |s| s[0].counters.streams.dropped > 1000);
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
        let count = pour(&socket, client.relayed(), 16_000_000, &relay);
        let ids: Vec<_> = (0..100).map(|_| next_id()).collect();
        for id in &ids {
            client.say(&binding_request(*id));
        }
        let (numbers, answers) = hear_until(&mut client, ids[99]);
        assert_eq!(answers, 100);
        assert!(numbers.is_sorted_by(|a, b| a < b), "in order, none twice");
        assert!(!numbers.is_empty() && numbers.len() < count as usize);
        // All is as before.
        socket.send_to(b"now", client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, b"now".to_vec()));
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
        pour(&socket, deaf.relayed(), 16_000_000, &relay);
        // By us or by the kernel, which was told the same patience.
        let both = |closed: Closed| closed.stalled + closed.reset;
        wait_for(&relay, "it is closed", |s| both(s[0].counters.streams.closed) == n as u64 + 1);
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
