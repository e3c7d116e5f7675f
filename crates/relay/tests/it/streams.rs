//! Clients over TCP and TLS: what they say arrives, however it is cut, and what is meant for them as well.

use std::io::Read;
use std::thread;
use std::time::Duration;

use posthouse_relay::Config;
use posthouse_stun::Message;

use crate::client::{Client, Incoming, next_id};
use crate::stream_client::{BOTH, Door, Over, StreamClient, binding_request, padded};
use crate::world::{config, cut_into, payload, peer, receive, start, wait_for};

#[test]
fn indications_carry_payloads_of_every_length_both_ways() {
    let (relay, door) = (start(&config(25000..=25015)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.permit(address).unwrap();
        for len in [0, 1, 2, 3, 4, 5, 100, 1199, 1200, 1201, 9000, 60_000] {
            let sent = vec![len as u8; len];
            client.send(address, &sent);
            assert_eq!(receive(&peer), (sent.clone(), client.relayed()), "{len} to the peer over {over:?}");
            peer.send_to(&sent, client.relayed()).unwrap();
            assert_eq!(client.incoming(), Incoming::Data(address, sent), "{len} to the client over {over:?}");
        }
    }
}

#[test]
fn a_channel_carries_payloads_of_every_length_both_ways() {
    let (relay, door) = (start(&config(25016..=25031)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.bind_channel(0x4001, address).unwrap();
        for len in [0, 1, 2, 3, 4, 5, 100, 1199, 1200, 1201, 9000, 65_507] {
            let sent = vec![len as u8; len];
            client.send_channel(0x4001, &sent);
            assert_eq!(receive(&peer), (sent.clone(), client.relayed()), "{len} to the peer over {over:?}");
            peer.send_to(&sent, client.relayed()).unwrap();
            assert_eq!(client.incoming(), Incoming::Channel(0x4001, sent), "{len} to the client over {over:?}");
        }
    }
}

#[test]
fn a_burst_that_arrives_in_one_read_reaches_the_client_whole() {
    let (relay, door) = (start(&config(25032..=25047)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.permit(address).unwrap();
        cut_into(&peer, 101);
        let burst: Vec<_> = (0..60).map(|n| payload(n, 101)).collect();
        peer.send_to(&burst.concat(), client.relayed()).unwrap();
        for sent in &burst {
            assert_eq!(client.incoming(), Incoming::Data(address, sent.clone()));
        }
        client.bind_channel(0x4000, address).unwrap();
        peer.send_to(&burst.concat(), client.relayed()).unwrap();
        for sent in &burst {
            assert_eq!(client.incoming(), Incoming::Channel(0x4000, sent.clone()));
        }
    }
}

/// Some clients take a TLS record for a message.
#[test]
fn every_frame_of_a_burst_has_a_record_of_its_own() {
    let (relay, door) = (start(&config(25980..=25995)), Door::new());
    let mut client = door.allocated(&relay, Over::Tls, "alice");
    let (peer, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    cut_into(&peer, 101);
    peer.send_to(&[7; 60 * 101], client.relayed()).unwrap();
    for n in 0..60 {
        // RFC 8446 §5.1: type, version, length.
        let mut header = [0; 5];
        client.raw.read_exact(&mut header).unwrap();
        let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        client.raw.read_exact(&mut record).unwrap();
        // ChannelData with its padding, the content type, the tag.
        assert_eq!((header[0], record.len()), (23, 4 + 101 + 3 + 1 + 16), "record {n}");
    }
}

#[test]
fn frames_may_be_split_at_every_byte() {
    let (relay, door) = (start(&config(25048..=25063)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.bind_channel(0x4000, address).unwrap();
        let size = padded(0x4000, &payload(0, 61)).len() + binding_request(next_id()).len();
        for at in 0..=size {
            let (data, id) = (payload(at as u32, 61), next_id());
            let bytes = [padded(0x4000, &data), binding_request(id)].concat();
            client.say(&bytes[..at]);
            // Enough for the worker to see the first part alone, nearly always; no matter if it does not.
            thread::sleep(Duration::from_millis(1));
            client.say(&bytes[at..]);
            assert_eq!(receive(&peer).0, data, "split at {at} over {over:?}");
            client.answer(id);
        }
    }
}

#[test]
fn frames_may_come_byte_by_byte() {
    let (relay, door) = (start(&config(25064..=25079)), Door::new());
    for over in BOTH {
        let mut client = door.connect(&relay, over, "alice");
        let ids = [next_id(), next_id(), next_id()];
        for byte in ids.iter().flat_map(|id| binding_request(*id)) {
            client.say(&[byte]);
        }
        for id in ids {
            client.answer(id);
        }
    }
}

#[test]
fn pipelined_frames_are_all_heard_in_order() {
    let (relay, door) = (start(&config(25080..=25095)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.bind_channel(0x4000, address).unwrap();
        let ids: Vec<_> = (0..200).map(|_| next_id()).collect();
        let mut bytes = Vec::new();
        for (n, id) in ids.iter().enumerate() {
            bytes.extend(if n % 2 == 0 { binding_request(*id) } else { client.refresh_bytes(*id) });
            bytes.extend(padded(0x4000, &payload(n as u32, n)));
        }
        client.say(&bytes);
        for (n, id) in ids.iter().enumerate() {
            let (_, frame) = client.frame();
            assert_eq!(Message::parse(&frame).unwrap().transaction_id(), *id, "answers come in order");
            assert_eq!(receive(&peer).0, payload(n as u32, n));
        }
    }
}

#[test]
fn what_was_said_before_the_worker_took_over_is_heard() {
    let (relay, door) = (start(&config(25096..=25111)), Door::new());
    for over in BOTH {
        for early in [0, 1, 4, 19, 20, 21, 40, 45, 60] {
            let ids = [next_id(), next_id(), next_id()];
            let bytes: Vec<_> = ids.iter().flat_map(|id| binding_request(*id)).collect();
            let mut client = door.connect_early(&relay, over, "alice", |c| c.say(&bytes), early);
            for id in ids {
                client.answer(id);
            }
        }
    }
}

#[test]
fn channel_data_longer_than_any_datagram_is_lost_and_the_stream_stays_in_step() {
    let (relay, door) = (start(&config(25112..=25127)), Door::new());
    let mut other = Client::allocated(relay.listening()[0], "bob");
    for (n, over) in BOTH.into_iter().enumerate() {
        let mut client = door.allocated(&relay, over, "alice");
        let (peer, address) = peer("127.0.0.9");
        client.bind_channel(0x4000, address).unwrap();
        client.bind_channel(0x4001, other.relayed()).unwrap();
        other.permit(client.relayed()).unwrap();
        let lost_before = n as u64 * 6;
        for len in [65_508, 65_533, 65_535] {
            client.send_channel(0x4000, &vec![1; len]);
            client.send_channel(0x4001, &vec![1; len]);
            client.send_channel(0x4000, b"in step");
            assert_eq!(receive(&peer).0, b"in step");
        }
        assert_eq!(client.binding(), client.own);
        wait_for(&relay, "each is counted", |s| s[0].counters.send_errors.too_long == lost_before + 6);
    }
    other.binding();
}

/// A window in flight, so that packets meet in batches but never overflow a buffer.
fn a_hundred_thousand(over: Over, ports: std::ops::RangeInclusive<u16>) {
    const WINDOW: u32 = 50;
    let length = |n: u32| [160, 160, 160, 1100, 1100, 1101, 1102, 300][(n / 3 % 8) as usize];
    let (relay, door) = (start(&config(ports)), Door::new());
    let mut client = door.allocated(&relay, over, "alice");
    let (peer, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    let echo = thread::spawn(move || {
        for n in 0..100_000 {
            let (bytes, from) = receive(&peer);
            assert_eq!(bytes, payload(n, length(n)), "to the peer");
            peer.send_to(&bytes, from).unwrap();
        }
    });
    for n in 0..100_000 + WINDOW {
        if n < 100_000 {
            client.send_channel(0x4000, &payload(n, length(n)));
        }
        if let Some(n) = n.checked_sub(WINDOW) {
            assert_eq!(client.incoming(), Incoming::Channel(0x4000, payload(n, length(n))), "to the client");
        }
    }
    echo.join().unwrap();
    wait_for(&relay, "all counted", |s| s[0].turn.wrapped.packets == 100_000);
    let streams = relay.stats()[0].counters.streams;
    assert_eq!((streams.dropped, streams.closed), (0, Default::default()));
}

#[test]
fn a_hundred_thousand_packets_over_tcp_keep_every_byte_and_their_order() {
    a_hundred_thousand(Over::Tcp, 25128..=25143);
}

#[test]
fn a_hundred_thousand_packets_over_tls_keep_every_byte_and_their_order() {
    a_hundred_thousand(Over::Tls, 25144..=25159);
}

fn to_and_fro(stream: &mut StreamClient, other: &mut Client) {
    let (here, there) = (stream.relayed(), other.relayed());
    stream.permit(there).unwrap();
    other.permit(here).unwrap();
    for len in [0, 1, 4, 1000, 30_000] {
        stream.send(there, &vec![1; len]);
        assert_eq!(other.incoming(), Incoming::Data(here, vec![1; len]));
        other.send(here, &vec![2; len]);
        assert_eq!(stream.incoming(), Incoming::Data(there, vec![2; len]));
    }
    stream.bind_channel(0x4000, there).unwrap();
    other.bind_channel(0x4001, here).unwrap();
    for n in 0..100 {
        stream.send_channel(0x4000, &payload(n, 301));
        assert_eq!(other.incoming(), Incoming::Channel(0x4001, payload(n, 301)));
        other.send_channel(0x4001, &payload(n, 202));
        assert_eq!(stream.incoming(), Incoming::Channel(0x4000, payload(n, 202)));
    }
}

#[test]
fn a_client_on_a_stream_meets_one_on_datagrams_in_process() {
    let (relay, door) = (start(&config(25160..=25175)), Door::new());
    for over in BOTH {
        to_and_fro(&mut door.allocated(&relay, over, "alice"), &mut Client::allocated(relay.listening()[0], "bob"));
    }
    wait_for(&relay, "all in process", |s| s[0].counters.in_process.packets == 420);
    assert_eq!(relay.stats()[0].counters.to_peers.packets, 0);
}

#[test]
fn clients_meet_across_workers() {
    let (relay, door) = (start(&Config { workers: 2, ..config(25176..=25239) }), Door::new());
    for over in [Over::Tcp, Over::Tls, Over::Tcp, Over::Tls] {
        for _ in 0..4 {
            to_and_fro(&mut door.allocated(&relay, over, "alice"), &mut Client::allocated(relay.listening()[0], "bob"));
        }
    }
}

#[test]
fn two_clients_on_streams_meet() {
    let (relay, door) = (start(&config(25240..=25255)), Door::new());
    let mut alice = door.allocated(&relay, Over::Tcp, "alice");
    let mut bob = door.allocated(&relay, Over::Tls, "bob");
    alice.bind_channel(0x4000, bob.relayed()).unwrap();
    bob.bind_channel(0x4001, alice.relayed()).unwrap();
    // Many frames of one read, wrapped in place for another stream.
    let bytes: Vec<_> = (0..300).flat_map(|n| padded(0x4000, &payload(n, 99 + n as usize % 5))).collect();
    alice.say(&bytes);
    for n in 0..300 {
        assert_eq!(bob.incoming(), Incoming::Channel(0x4001, payload(n, 99 + n as usize % 5)));
    }
    bob.send_channel(0x4001, b"all of it");
    assert_eq!(alice.incoming(), Incoming::Channel(0x4000, b"all of it".to_vec()));
}

#[test]
fn ipv6_clients_and_peers_are_served_over_streams() {
    let config = Config {
        listen: vec!["[::1]:0".parse().unwrap()],
        relay_addresses: vec![std::net::IpAddr::from(std::net::Ipv6Addr::LOCALHOST).into()],
        ..config(25256..=25271)
    };
    let (relay, door) = (start(&config), Door::at("[::1]:0"));
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        assert!(client.relayed().is_ipv6());
        assert_eq!(client.binding(), client.own);
        let (peer, address) = peer("::1");
        client.bind_channel(0x4000, address).unwrap();
        client.send_channel(0x4000, b"out");
        assert_eq!(receive(&peer), (b"out".to_vec(), client.relayed()));
        peer.send_to(b"back", client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, b"back".to_vec()));
    }
}

#[test]
fn connections_spread_over_the_workers() {
    let (relay, door) = (start(&Config { workers: 2, ..config(25272..=25335) }), Door::new());
    let mut clients: Vec<_> = (0..20).map(|_| door.allocated(&relay, Over::Tcp, "alice")).collect();
    wait_for(&relay, "half and half", |s| s.iter().all(|s| s.streams == 10 && s.counters.streams.opened == 10));
    assert!(clients.iter_mut().all(|c| c.binding() == c.own));
    drop(clients);
    wait_for(&relay, "none", |s| s.iter().all(|s| s.streams == 0 && s.counters.streams.closed.by_client == 10));
}
