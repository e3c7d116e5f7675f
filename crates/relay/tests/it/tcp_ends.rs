//! How data connections end (RFC 6062 §5.5), and what slows them down.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use posthouse_relay::Relay;
use posthouse_stun::ErrorCode;

use crate::stream_client::{BOTH, Door, Over, StreamClient};
use crate::tcp_client::{accepted, listening_peer, read_exactly, start, start_with, until_end};
use crate::world::{config, payload, wait_for};

/// Control connection, client data connection, peer.
fn joined(relay: &Relay, door: &Door, over: Over) -> (StreamClient, StreamClient, TcpStream, SocketAddr) {
    let mut control = door.allocated_tcp(relay, over, "alice");
    let (listener, address) = listening_peer();
    let connection = control.connect_to(address).unwrap();
    let (peer, _) = accepted(&listener);
    let data = door.bound(relay, over, "alice", connection);
    (control, data, peer, address)
}

#[test]
fn whoever_says_its_last_may_still_listen() {
    let (relay, door) = (start(&config(27200..=27215)), Door::new());
    for over in BOTH {
        let (_control, mut data, mut peer, _) = joined(&relay, &door, over);
        data.say(b"GET / HTTP/1.0\r\n\r\n");
        data.link.close();
        assert_eq!(until_end(&mut peer), b"GET / HTTP/1.0\r\n\r\n", "over {over:?}");
        let answer = payload(7, 300_000);
        thread::scope(|scope| {
            scope.spawn(|| {
                peer.write_all(&answer).unwrap();
                peer.shutdown(Shutdown::Write).unwrap();
            });
            assert!(data.bytes(answer.len()) == answer, "over {over:?}");
        });
        data.until_closed();
    }
    wait_for(&relay, "nothing left", |stats| stats[0].data_connections == 0);
}

#[test]
fn a_peer_that_closes_closes_the_client_and_may_be_connected_to_again() {
    let (relay, door) = (start(&config(27216..=27231)), Door::new());
    for over in BOTH {
        let (mut control, mut data, mut peer, _) = joined(&relay, &door, over);
        peer.write_all(b"bye").unwrap();
        drop(peer);
        assert_eq!(data.bytes(3), b"bye");
        data.until_closed();
        drop(data);
        wait_for(&relay, "nothing left", |stats| stats[0].data_connections == 0);
        control.refresh(600).unwrap();
    }
}

#[test]
fn a_client_that_resets_its_connection_leaves_nothing_behind() {
    let (relay, door) = (start(&config(27232..=27247)), Door::new());
    let (_control, data, mut peer, _) = joined(&relay, &door, Over::Tcp);
    socket2::SockRef::from(&data.raw).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(data);
    until_end(&mut peer);
    wait_for(&relay, "nothing left", |stats| stats[0].data_connections == 0);
}

#[test]
fn the_end_of_the_allocation_is_the_end_of_its_connections() {
    let (relay, door) = (start(&config(27248..=27263)), Door::new());
    for over in BOTH {
        for disconnects in [false, true] {
            let (mut control, mut data, mut peer, _) = joined(&relay, &door, over);
            let (listener, address) = listening_peer();
            control.connect_to(address).unwrap();
            let (mut unbound, _) = accepted(&listener);
            if disconnects {
                drop(control);
            } else {
                control.refresh(0).unwrap();
            }
            data.until_closed();
            until_end(&mut peer);
            until_end(&mut unbound);
        }
    }
    wait_for(&relay, "nothing left", |stats| (stats[0].data_connections, stats[0].relayed_sockets) == (0, 0));
}

#[test]
fn one_peer_has_one_connection_at_a_time() {
    let (relay, door) = (start(&config(27264..=27279)), Door::new());
    let (mut control, _data, _peer, address) = joined(&relay, &door, Over::Tcp);
    assert_eq!(control.connect_to(address), Err(ErrorCode::CONNECTION_ALREADY_EXISTS));
}

#[test]
fn whoever_reads_nothing_slows_down_the_writer_and_loses_nothing() {
    let (relay, door) = (start(&config(27280..=27295)), Door::new());
    let (_control, mut data, mut peer, _) = joined(&relay, &door, Over::Tcp);
    // Kernel buffers grow up to some megabytes each: more than all of them together is never taken.
    let sent = payload(3, 64 << 20);
    let taken = fill(&data.raw, &sent);
    assert!(taken < sent.len(), "somebody keeps it all in memory");
    assert!(read_exactly(&mut peer, taken) == sent[..taken]);
    let taken = fill(&peer, &sent);
    assert!(taken < sent.len(), "somebody keeps it all in memory");
    assert!(data.bytes(taken) == sent[..taken]);
}

/// Writes until nobody took anything for a while; what was taken will arrive.
fn fill(socket: &TcpStream, bytes: &[u8]) -> usize {
    socket.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
    let mut taken = 0;
    loop {
        match (&mut &*socket).write(&bytes[taken..]) {
            Ok(0) => return taken,
            Ok(n) => taken += n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return taken,
            Err(e) => panic!("{e}"),
        }
    }
}

#[test]
fn bandwidth_holds_bytes_back_and_loses_none() {
    let limited = start_with(&config(27296..=27311), |settings| settings.bandwidth.per_allocation = 300_000);
    let door = Door::new();
    let (_control, mut data, mut peer, _) = joined(&limited, &door, Over::Tls);
    let sent = payload(4, 600_000);
    thread::scope(|scope| {
        let heard = scope.spawn(|| read_exactly(&mut peer, sent.len()));
        data.say(&sent);
        assert!(heard.join().unwrap() == sent);
    });
    wait_for(&limited, "it had to wait", |stats| stats[0].counters.data_connections.paused > 0);
}

#[test]
fn a_connection_that_speaks_no_turn_any_more_is_not_held_to_it() {
    let (relay, door) = (start(&config(27312..=27327)), Door::new());
    let (_control, mut data, mut peer, _) = joined(&relay, &door, Over::Tcp);
    // Nothing of this is a frame; some of it looks like one.
    for bytes in [&[0xff; 64][..], &[0x40, 0, 0xff, 0xff], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]] {
        data.say(bytes);
        assert_eq!(read_exactly(&mut peer, bytes.len()), bytes);
        peer.write_all(bytes).unwrap();
        assert_eq!(data.bytes(bytes.len()), bytes);
    }
    peer.set_nonblocking(true).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "and nothing else");
}
