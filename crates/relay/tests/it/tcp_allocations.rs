//! TCP allocations (RFC 6062): what is said arrives, whoever connects and whichever worker hears of it.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::thread;

use posthouse_relay::{Config, RelayAddress};
use posthouse_stun::{ErrorCode, Method};

use crate::stream_client::{BOTH, Door, Over};
use crate::tcp_client::{accepted, connected_peer, listening_peer, read_exactly, start, start_with, until_end};
use crate::world::{RELAY, config, payload, wait_for};

#[test]
fn bytes_pass_both_ways_as_they_are_over_tcp_and_tls() {
    let (relay, door) = (start(&config(27000..=27015)), Door::new());
    for over in BOTH {
        let mut control = door.allocated_tcp(&relay, over, "alice");
        let (listener, address) = listening_peer();
        let connection = control.connect_to(address).unwrap();
        let (peer, from) = accepted(&listener);
        assert_eq!(from, control.relayed(), "the near end is the relayed transport address");
        let mut data = door.bound(&relay, over, "alice", connection);
        for len in [1, 2, 3, 5, 1000, 65_536, 200_000] {
            let sent = &payload(len as u32, len)[..len];
            let peer = &peer;
            thread::scope(|scope| {
                let heard = scope.spawn(move || read_exactly(&mut &*peer, len));
                data.say(sent);
                assert!(heard.join().unwrap() == sent, "{len} to the peer over {over:?}");
                scope.spawn(|| (&mut &*peer).write_all(sent).unwrap());
                assert!(data.bytes(sent.len()) == sent, "{len} to the client over {over:?}");
            });
        }
    }
}

#[test]
fn megabytes_pass_both_ways_at_once() {
    let (relay, door) = (start(&config(27016..=27031)), Door::new());
    let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
    let (listener, address) = listening_peer();
    let connection = control.connect_to(address).unwrap();
    let (peer, _) = accepted(&listener);
    let mut data = door.bound(&relay, Over::Tcp, "alice", connection);
    let (up, down) = (payload(1, 5_000_000), payload(2, 5_000_000));
    let raw = data.raw.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (&raw).write_all(&up).unwrap());
        scope.spawn(|| (&peer).write_all(&down).unwrap());
        let heard = scope.spawn(|| read_exactly(&mut &peer, up.len()));
        assert!(data.bytes(down.len()) == down);
        assert!(heard.join().unwrap() == up);
    });
    wait_for(&relay, "every byte counted", |stats| {
        (stats[0].turn.forwarded.bytes, stats[0].turn.wrapped.bytes) == (5_000_000, 5_000_000)
    });
    let flows = relay.stats()[0].counters.data_connections;
    assert_eq!((flows.to_peers.bytes, flows.to_clients.bytes, flows.joined), (5_000_000, 5_000_000, 1));
}

#[test]
fn what_is_said_in_one_breath_with_the_connection_bind_is_for_the_peer() {
    let (relay, door) = (start(&config(27032..=27047)), Door::new());
    for over in BOTH {
        let mut control = door.allocated_tcp(&relay, over, "alice");
        for len in [1, 19, 20, 4096, 60_000, 150_000] {
            let (listener, address) = listening_peer();
            let connection = control.connect_to(address).unwrap();
            let (mut peer, _) = accepted(&listener);
            let mut data = door.connect(&relay, over, "alice");
            // Learns its nonce.
            assert_eq!(data.bind_connection(connection ^ 1), Err(ErrorCode::BAD_REQUEST));
            let sent = &payload(len as u32, len)[..len];
            thread::scope(|scope| {
                let heard = scope.spawn(|| read_exactly(&mut peer, len));
                data.bind_and_say(connection, sent);
                assert!(heard.join().unwrap() == sent, "{len} over {over:?}");
            });
        }
    }
}

#[test]
fn what_the_peer_said_before_the_connection_bind_is_not_lost() {
    let (relay, door) = (start(&config(27048..=27063)), Door::new());
    let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
    let (listener, address) = listening_peer();
    let connection = control.connect_to(address).unwrap();
    let (mut peer, _) = accepted(&listener);
    peer.write_all(b"220 welcome\r\n").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut data = door.bound(&relay, Over::Tcp, "alice", connection);
    assert_eq!(data.bytes(13), b"220 welcome\r\n");
    data.until_closed();
}

#[test]
fn a_permitted_peer_is_announced_and_another_closed_at_once() {
    let (relay, door) = (start(&config(27064..=27079)), Door::new());
    for over in BOTH {
        let mut control = door.allocated_tcp(&relay, over, "alice");
        assert_eq!(until_end(&mut connected_peer(control.relayed())), b"", "no permission");
        control.permit((RELAY, 1).into()).unwrap();
        let mut peer = connected_peer(control.relayed());
        let (from, connection) = control.attempt();
        assert_eq!(from, peer.local_addr().unwrap());
        peer.write_all(b"early").unwrap();
        let mut data = door.bound(&relay, over, "alice", connection);
        assert_eq!(data.bytes(5), b"early");
        data.say(b"late");
        assert_eq!(read_exactly(&mut peer, 4), b"late");
    }
}

#[test]
fn a_connection_bind_finds_its_connection_whichever_worker_hears_of_it() {
    let config = Config { workers: 3, ..config(27080..=27099) };
    let (relay, door) = (start(&config), Door::new());
    for over in BOTH {
        let mut control = door.allocated_tcp(&relay, over, "alice");
        let mut open = Vec::new();
        for n in 0..9 {
            let (listener, address) = listening_peer();
            let connection = control.connect_to(address).unwrap();
            let (mut peer, _) = accepted(&listener);
            let mut data = door.connect(&relay, over, "alice");
            assert_eq!(data.bind_connection(u32::MAX).unwrap_err(), ErrorCode::BAD_REQUEST);
            let sent = payload(n, 70_000);
            thread::scope(|scope| {
                let heard = scope.spawn(|| read_exactly(&mut peer, sent.len()));
                data.bind_and_say(connection, &sent);
                assert!(heard.join().unwrap() == sent, "{n} over {over:?}");
            });
            peer.write_all(&sent).unwrap();
            assert!(data.bytes(sent.len()) == sent);
            open.push((peer, data));
        }
    }
    wait_for(&relay, "connections handed over", |stats| {
        stats.iter().map(|s| s.counters.data_connections.handed_over).sum::<u64>() > 0
    });
}

#[test]
fn a_connection_whose_bind_failed_on_another_worker_goes_on_there() {
    let config = Config { workers: 3, ..config(27100..=27119) };
    let (relay, door) = (start(&config), Door::new());
    let mut client = door.connect(&relay, Over::Tcp, "alice");
    for unknown in 0..6 {
        assert_eq!(client.bind_connection(unknown), Err(ErrorCode::BAD_REQUEST));
    }
    client.allocate_over(6).unwrap();
    client.refresh(600).unwrap();
}

#[test]
fn a_peer_that_refuses_is_447() {
    let (relay, door) = (start(&config(27120..=27135)), Door::new());
    let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
    let (listener, address) = listening_peer();
    drop(listener);
    assert_eq!(control.connect_to(address), Err(ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE));
    // IPv4 has no route there, or nobody answers for half a minute: the first is true of loopback.
    assert_eq!(control.connect_to("127.0.0.9:0".parse().unwrap()), Err(ErrorCode::BAD_REQUEST));
}

#[test]
fn of_this_machine_nothing_but_relayed_addresses_is_reached() {
    let config = config(27136..=27151);
    let (relay, door) = (start_with(&config, |settings| settings.peer_policy.allow.clear()), Door::new());
    let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
    // A service of somebody else's, on a port that could be a relayed one.
    let service = config.ports.clone().rev().find_map(|port| TcpListener::bind((RELAY, port)).ok()).unwrap();
    service.set_nonblocking(true).unwrap();
    let refused = control.connect_to(service.local_addr().unwrap());
    assert_eq!(refused, Err(ErrorCode::CONNECTION_TIMEOUT_OR_FAILURE));
    assert_eq!(control.connect_to(door.address()), Err(ErrorCode::FORBIDDEN), "the door to the relay itself");
    assert_eq!(control.connect_to("127.0.0.9:80".parse().unwrap()), Err(ErrorCode::FORBIDDEN));
    assert!(service.accept().is_err(), "nobody came");
}

#[test]
fn two_allocations_connect_to_each_other_also_behind_a_nat() {
    let nat = vec![RelayAddress { local: RELAY, external: "198.51.100.7".parse().unwrap() }];
    let behind_nat = Config { relay_addresses: nat, workers: 2, ..config(27152..=27167) };
    for config in [config(27168..=27183), behind_nat] {
        let (relay, door) = (start(&config), Door::new());
        let mut alice = door.allocated_tcp(&relay, Over::Tcp, "alice");
        let mut bob = door.allocated_tcp(&relay, Over::Tls, "bob");
        bob.permit(alice.relayed()).unwrap();
        let to_bob = alice.connect_to(bob.relayed()).unwrap();
        let (from, to_alice) = bob.attempt();
        assert_eq!(from, alice.relayed());
        let mut near = door.bound(&relay, Over::Tcp, "alice", to_bob);
        let mut far = door.bound(&relay, Over::Tls, "bob", to_alice);
        near.say(b"ping");
        assert_eq!(far.bytes(4), b"ping");
        far.say(b"pong");
        assert_eq!(near.bytes(4), b"pong");
    }
}

#[test]
fn no_address_is_promised_that_another_program_listens_at() {
    let config = config(27184..=27187);
    // Would share its port with whoever asks for it.
    let taken: Vec<_> = (27184..=27186)
        .map(|port| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.set_reuse_port(true).unwrap();
            socket.set_reuse_address(true).unwrap();
            socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
            socket.listen(1).unwrap();
            socket
        })
        .collect();
    let (relay, door) = (start(&config), Door::new());
    let mut first = door.allocated_tcp(&relay, Over::Tcp, "alice");
    assert_eq!(first.relayed().port(), 27187);
    let mut second = door.connect(&relay, Over::Tcp, "bob");
    assert_eq!(second.allocate_over(6), Err(ErrorCode::INSUFFICIENT_CAPACITY));
    assert_eq!(relay.ports_taken(), 1);
    drop(taken);
    second.allocate_over(6).unwrap();
    // The other way round nobody takes a relayed port from us.
    assert!(TcpListener::bind(first.relayed()).is_err());
    first.refresh(0).unwrap();
}

#[test]
fn a_port_serves_one_allocation_after_the_other() {
    let (relay, door) = (start(&config(27188..=27188)), Door::new());
    for _ in 0..5 {
        let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
        let (listener, address) = listening_peer();
        let connection = control.connect_to(address).unwrap();
        let (mut peer, _) = accepted(&listener);
        let mut data = door.bound(&relay, Over::Tcp, "alice", connection);
        data.say(b"x");
        assert_eq!(read_exactly(&mut peer, 1), b"x");
        // Ended by us, so that TIME_WAIT is ours.
        control.refresh(0).unwrap();
        until_end(&mut peer);
    }
    // And datagrams after connections.
    door.allocated(&relay, Over::Tcp, "alice");
}

#[test]
fn channels_are_none_of_a_tcp_allocation() {
    let (relay, door) = (start(&config(27189..=27199)), Door::new());
    let mut control = door.allocated_tcp(&relay, Over::Tcp, "alice");
    let (_listener, address) = listening_peer();
    assert_eq!(control.bind_channel(0x4000, address), Err(ErrorCode::FORBIDDEN));
    assert_eq!(control.request(Method::CONNECTION_BIND, |_| ()), Err(ErrorCode::BAD_REQUEST));
}
