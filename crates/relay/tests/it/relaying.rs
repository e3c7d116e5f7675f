//! Packets through one relay, both ways.

use std::thread;

use posthouse_relay::Config;

use crate::client::{Client, Incoming, channel_data};
use crate::world::{assert_silent, config, cut_into, payload, peer, receive, start, wait_for};

#[test]
fn binding_tells_the_client_its_address() {
    let relay = start(&config(21000..=21015));
    let client = Client::new(relay.listening()[0], "alice");
    assert_eq!(client.binding(), client.own_address());
}

#[test]
fn indications_carry_payloads_of_every_length_both_ways() {
    let relay = start(&config(21016..=21031));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (peer, address) = peer("127.0.0.9");
    client.permit(address).unwrap();
    for len in [0, 1, 2, 3, 4, 5, 100, 1199, 1200, 1201, 1472, 9000, 60_000] {
        let sent = vec![len as u8; len];
        client.send(address, &sent);
        assert_eq!(receive(&peer), (sent.clone(), client.relayed()), "{len} to the peer");
        peer.send_to(&sent, client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Data(address, sent), "{len} to the client");
    }
}

#[test]
fn a_channel_carries_payloads_of_every_length_both_ways() {
    let relay = start(&config(21032..=21047));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (peer, address) = peer("127.0.0.9");
    client.bind_channel(0x4001, address).unwrap();
    for len in [0, 1, 2, 3, 4, 5, 100, 1199, 1200, 1201, 1472, 9000, 65_000] {
        let sent = vec![len as u8; len];
        client.send_channel(0x4001, &sent);
        assert_eq!(receive(&peer), (sent.clone(), client.relayed()), "{len} to the peer");
        peer.send_to(&sent, client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Channel(0x4001, sent), "{len} to the client");
    }
}

/// 64 packets that arrive in one read leave in one send, and nothing of them is mixed up.
fn a_burst_survives(ports: std::ops::RangeInclusive<u16>, size: usize) {
    let relay = start(&config(ports));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (peer, address) = peer("127.0.0.9");
    client.bind_channel(0x4fff, address).unwrap();
    let burst: Vec<_> = (0..(64_000 / (size + 4)).min(64) as u32).map(|n| payload(n, size)).collect();

    cut_into(&client.socket, size as i32 + 4);
    let bytes: Vec<u8> = burst.iter().flat_map(|p| channel_data(0x4fff, p)).collect();
    client.socket.send_to(&bytes, client.server).unwrap();
    for sent in &burst {
        assert_eq!(&receive(&peer).0, sent);
    }
    cut_into(&client.socket, 0);
    wait_for(&relay, "one send for the burst to the peer", |s| s[0].counters.joined >= burst.len() as u64);

    cut_into(&peer, size as i32);
    peer.send_to(&burst.concat(), client.relayed()).unwrap();
    for sent in &burst {
        assert_eq!(client.incoming(), Incoming::Channel(0x4fff, sent.clone()));
    }
    wait_for(&relay, "one send for the burst to the client", |s| s[0].counters.joined >= 2 * burst.len() as u64);

    // The same as Data indications, which are padded.
    let mut other = Client::allocated(relay.listening()[0], "bob");
    other.permit(address).unwrap();
    peer.send_to(&burst.concat(), other.relayed()).unwrap();
    for sent in &burst {
        assert_eq!(other.incoming(), Incoming::Data(address, sent.clone()));
    }
    let errors = relay.stats()[0].counters.send_errors;
    assert_eq!(errors.total(), 0, "{errors:?}");
}

#[test]
fn a_burst_of_small_packets_is_one_send_each_way() {
    a_burst_survives(21048..=21063, 101);
}

#[test]
fn a_burst_of_large_packets_is_one_send_each_way() {
    a_burst_survives(21064..=21079, 1200);
}

#[test]
fn many_flows_in_one_batch_reach_their_own_peers() {
    let relay = start(&config(21100..=21399));
    let flows: Vec<_> = (0..200)
        .map(|_| {
            let mut client = Client::allocated(relay.listening()[0], "alice");
            let (peer, address) = peer("127.0.0.9");
            client.bind_channel(0x4000, address).unwrap();
            (client, peer)
        })
        .collect();
    for round in 0..5 {
        for (n, (client, _)) in flows.iter().enumerate() {
            client.send_channel(0x4000, &payload(round * 1000 + n as u32, 200));
        }
        for (n, (client, peer)) in flows.iter().enumerate() {
            let (bytes, from) = receive(peer);
            assert_eq!((from, bytes), (client.relayed(), payload(round * 1000 + n as u32, 200)));
            peer.send_to(&payload(round * 2000 + n as u32, 150), from).unwrap();
        }
        for (n, (client, _)) in flows.iter().enumerate() {
            let expected = payload(round * 2000 + n as u32, 150);
            assert_eq!(client.incoming(), Incoming::Channel(0x4000, expected));
        }
    }
}

#[test]
fn a_hundred_thousand_packets_there_and_back_keep_every_byte_and_their_order() {
    const WINDOW: u32 = 50;
    let relay = start(&config(21400..=21415));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (peer, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    let echo = thread::spawn(move || {
        for n in 0..100_000 {
            let (bytes, from) = receive(&peer);
            assert_eq!(bytes, payload(n, length(n)), "to the peer");
            peer.send_to(&bytes, from).unwrap();
        }
    });
    // A window in flight, so that packets meet in batches but never overflow a buffer.
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
}

/// Runs of one size, as media has them, and changes of size, as media has them too.
fn length(n: u32) -> usize {
    [160, 160, 160, 1100, 1100, 1100, 1100, 300][(n / 3 % 8) as usize] + usize::from(n.is_multiple_of(97))
}

#[test]
fn a_peer_without_permission_reaches_nobody() {
    let relay = start(&config(21416..=21431));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let ((friend, friendly), (stranger, _)) = (peer("127.0.0.9"), peer("127.0.0.8"));
    client.permit(friendly).unwrap();
    for _ in 0..100 {
        stranger.send_to(b"knock", client.relayed()).unwrap();
    }
    friend.send_to(b"hello", client.relayed()).unwrap();
    assert_eq!(client.incoming(), Incoming::Data(friendly, b"hello".to_vec()));
    assert_silent(&client.socket);
}

#[test]
fn peers_that_refuse_harm_nobody() {
    let relay = start(&config(21432..=21447));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (peer_socket, address) = peer("127.0.0.9");
    let (gone, closed) = peer("127.0.0.9");
    drop(gone);
    client.permit(address).unwrap();
    for n in 0..1000 {
        client.send(closed, &payload(n, 100));
    }
    client.send(address, b"still here");
    assert_eq!(receive(&peer_socket).0, b"still here");
    peer_socket.send_to(b"me too", client.relayed()).unwrap();
    assert_eq!(client.incoming_past_reports(), Incoming::Data(address, b"me too".to_vec()));
}

#[test]
fn clients_that_are_gone_harm_nobody() {
    let relay = start(&config(21448..=21463));
    let server = relay.listening()[0];
    let request = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for _ in 0..500 {
        let (gone, _) = peer("127.0.0.1");
        gone.send_to(&request, server).unwrap();
    }
    let client = Client::new(server, "alice");
    assert_eq!(client.binding(), client.own_address());
}

#[test]
fn addresses_that_cannot_be_sent_to_cost_only_their_packet() {
    let config = config(21464..=21479);
    let relay = start(&config);
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    // 11.1.1.1 is routable by the rules; from a socket bound to 127.0.0.1 the kernel has no way there.
    let nowhere = "11.1.1.1:9".parse().unwrap();
    client.permit(nowhere).unwrap();
    client.permit(address).unwrap();
    for _ in 0..100 {
        client.send(nowhere, b"into the void");
    }
    client.send(address, b"survived");
    assert_eq!(receive(&socket).0, b"survived");
    wait_for(&relay, "errors are counted", |s| s[0].counters.send_errors.total() == 100);
}

#[test]
fn a_datagram_that_must_not_be_fragmented_is_sent_whole() {
    let relay = start(&config(21480..=21495));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    client.permit(address).unwrap();
    client.send(address, b"before");
    client.send_whole(address, b"whole");
    client.send(address, b"after");
    for expected in [&b"before"[..], b"whole", b"after"] {
        assert_eq!(receive(&socket).0, expected);
    }
}

#[test]
fn what_a_client_sent_before_its_goodbye_arrives() {
    let relay = start(&config(21496..=21511));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    client.bind_channel(0x4000, address).unwrap();
    for n in 0..20 {
        client.send_channel(0x4000, &payload(n, 100));
    }
    client.refresh(0).unwrap();
    for n in 0..20 {
        assert_eq!(receive(&socket).0, payload(n, 100));
    }
}

#[test]
fn ipv6_is_relayed_as_ipv4_is() {
    let config = Config {
        listen: vec!["[::1]:0".parse().unwrap()],
        relay_addresses: vec![std::net::IpAddr::from(std::net::Ipv6Addr::LOCALHOST).into()],
        ..config(21512..=21527)
    };
    let relay = start(&config);
    let mut client = Client::allocated(relay.listening()[0], "alice");
    assert!(client.relayed().is_ipv6());
    let (peer, address) = peer("::1");
    client.permit(address).unwrap();
    client.send(address, b"out");
    assert_eq!(receive(&peer), (b"out".to_vec(), client.relayed()));
    peer.send_to(b"back", client.relayed()).unwrap();
    assert_eq!(client.incoming(), Incoming::Data(address, b"back".to_vec()));

    client.bind_channel(0x4000, address).unwrap();
    cut_into(&peer, 500);
    let burst: Vec<_> = (0..40).map(|n| payload(n, 500)).collect();
    peer.send_to(&burst.concat(), client.relayed()).unwrap();
    for sent in burst {
        assert_eq!(client.incoming(), Incoming::Channel(0x4000, sent));
    }
}

#[test]
fn one_client_may_have_an_allocation_of_both_families() {
    let mut config = config(21528..=21543);
    config.relay_addresses.push(std::net::IpAddr::from(std::net::Ipv6Addr::LOCALHOST).into());
    let relay = start(&config);
    let mut client = Client::new(relay.listening()[0], "alice");
    client
        .allocate(|b| {
            b.number(posthouse_stun::AttributeType::ADDITIONAL_ADDRESS_FAMILY, 2 << 24);
        })
        .unwrap();
    let ((v4, at_v4), (v6, at_v6)) = (peer("127.0.0.9"), peer("::1"));
    for (socket, address) in [(&v4, at_v4), (&v6, at_v6)] {
        client.permit(address).unwrap();
        client.send(address, b"out");
        let (bytes, from) = receive(socket);
        assert_eq!((bytes.as_slice(), from.is_ipv4()), (&b"out"[..], address.is_ipv4()));
        socket.send_to(b"back", from).unwrap();
        assert_eq!(client.incoming(), Incoming::Data(address, b"back".to_vec()));
    }
    assert_eq!(relay.allocations()[0].relayed.len(), 2);
    client.refresh(0).unwrap();
    assert_eq!(relay.ports_taken(), 0);
}
