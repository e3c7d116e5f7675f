//! How connections end, and what ends with them.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use posthouse_relay::{Config, Relay, StreamLimits};
use posthouse_stun::ErrorCode;

use crate::client::Incoming;
use crate::stream_client::{BOTH, Door, Over};
use crate::world::{PATIENCE, config, peer, settings, start, wait_for};

fn until_no_port(relay: &Relay) {
    let until = Instant::now() + PATIENCE;
    while relay.ports_taken() > 0 {
        assert!(Instant::now() < until, "the port never came back");
        thread::yield_now();
    }
}

#[test]
fn who_leaves_gives_the_port_back_however_it_leaves() {
    let (relay, door) = (start(&config(25400..=25415)), Door::new());
    for over in BOTH {
        let mut polite = door.allocated(&relay, over, "alice");
        assert_eq!(relay.ports_taken(), 1);
        polite.link.close();
        until_no_port(&relay);
        let abrupt = door.allocated(&relay, over, "alice");
        socket2::SockRef::from(&abrupt.raw).set_linger(Some(Duration::ZERO)).unwrap();
        drop(abrupt);
        until_no_port(&relay);
        drop(door.allocated(&relay, over, "alice"));
        until_no_port(&relay);
    }
    wait_for(&relay, "all are gone", |s| s[0].streams == 0 && s[0].counters.streams.opened == 6);
    let closed = relay.stats()[0].counters.streams.closed;
    assert_eq!((closed.by_client, closed.reset), (4, 2), "{closed:?}");
}

#[test]
fn what_a_client_sent_before_it_left_arrives() {
    let (relay, door) = (start(&config(25416..=25431)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        let (socket, address) = peer("127.0.0.9");
        client.permit(address).unwrap();
        client.send(address, b"last words");
        client.link.close();
        assert_eq!(crate::world::receive(&socket).0, b"last words");
        client.until_closed();
    }
}

#[test]
fn what_is_not_turn_is_closed_at_once() {
    let (relay, door) = (start(&config(25432..=25447)), Door::new());
    let wrong_cookie = [0, 1, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let odd_length = [0, 1, 0, 3, 0x21, 0x12, 0xa4, 0x42];
    let garbage: [&[u8]; 4] = [&[0x16, 3, 1, 2, 0, 1, 0, 1], &[0xff; 100], &wrong_cookie, &odd_length];
    for over in BOTH {
        for bytes in garbage {
            let mut client = door.allocated(&relay, over, "alice");
            client.say(bytes);
            client.until_closed();
            until_no_port(&relay);
        }
    }
    wait_for(&relay, "counted", |s| s[0].counters.streams.closed.broken == 8);
}

#[test]
fn tls_that_breaks_ends_with_an_alert() {
    use std::io::{Read, Write};
    let (relay, door) = (start(&config(25448..=25463)), Door::new());
    let mut client = door.allocated(&relay, Over::Tls, "alice");
    // A record of application data that nobody encrypted.
    client.raw.write_all(&[[23, 3, 3, 0, 32].as_slice(), &[7; 32]].concat()).unwrap();
    let mut rest = Vec::new();
    let _ = client.raw.read_to_end(&mut rest);
    assert!(!rest.is_empty(), "an alert");
    until_no_port(&relay);
    wait_for(&relay, "counted", |s| s[0].counters.streams.closed.tls == 1);
}

#[test]
fn a_new_connection_from_the_same_address_replaces_the_old_one() {
    let relay = start(&config(25544..=25559));
    for over in BOTH {
        let mut door = Door::new();
        door.claimed = Some("198.51.100.7:5000".parse().unwrap());
        let mut old = door.allocated(&relay, over, "alice");
        let mut new = door.allocated(&relay, over, "alice");
        assert_eq!(Some(new.binding()), door.claimed);
        assert_eq!((relay.ports_taken(), relay.allocations().len()), (1, 1));
        old.until_closed();
        new.refresh(0).unwrap();
    }
    wait_for(&relay, "counted", |s| s[0].counters.streams.closed.replaced == 2);
}

fn impatient(ports: std::ops::RangeInclusive<u16>, limits: StreamLimits) -> Relay {
    start(&Config { streams: limits, ..config(ports) })
}

#[test]
fn who_says_nothing_whole_is_closed() {
    let soon = Duration::from_millis(100);
    let relay = impatient(25464..=25479, StreamLimits { first_message: soon, ..StreamLimits::default() });
    let door = Door::new();
    for over in BOTH {
        let mut silent = door.connect(&relay, over, "alice");
        let mut slow = door.connect(&relay, over, "alice");
        slow.say(&[0, 1, 0, 0, 0x21]);
        silent.until_closed();
        slow.until_closed();
    }
    wait_for(&relay, "counted", |s| s[0].counters.streams.closed.silent == 4 && s[0].streams == 0);
}

#[test]
fn who_is_idle_without_an_allocation_is_closed_and_who_has_one_is_not() {
    let soon = Duration::from_millis(200);
    let relay = impatient(25480..=25495, StreamLimits { idle: soon, ..StreamLimits::default() });
    let door = Door::new();
    for over in BOTH {
        let mut owner = door.allocated(&relay, over, "alice");
        let mut idle = door.connect(&relay, over, "alice");
        idle.binding();
        idle.until_closed();
        thread::sleep(2 * soon);
        assert_eq!(owner.binding(), owner.own);
        // Its allocation gone, the connection stays for a while, good for another.
        owner.refresh(0).unwrap();
        owner.allocate().unwrap();
        owner.refresh(0).unwrap();
        owner.until_closed();
    }
    wait_for(&relay, "counted", |s| s[0].counters.streams.closed.idle == 4 && s[0].streams == 0);
}

#[test]
fn an_allocation_that_ends_by_decree_leaves_the_connection_open() {
    let (relay, door) = (start(&config(25496..=25511)), Door::new());
    for over in BOTH {
        let mut client = door.allocated(&relay, over, "alice");
        assert!(relay.end_user("alice"));
        assert_eq!(relay.allocations(), []);
        assert_eq!(client.refresh(600), Err(ErrorCode::ALLOCATION_MISMATCH));
        client.allocate().unwrap();
        let (socket, address) = peer("127.0.0.9");
        client.permit(address).unwrap();
        socket.send_to(b"again", client.relayed()).unwrap();
        assert_eq!(client.incoming(), Incoming::Data(address, b"again".to_vec()));
        client.refresh(0).unwrap();
    }
}

#[test]
fn shutdown_closes_every_connection() {
    let (relay, door) = (start(&Config { workers: 2, ..config(25512..=25527) }), Door::new());
    let mut clients: Vec<_> = (0..8).map(|n| door.allocated(&relay, BOTH[n % 2], "alice")).collect();
    relay.shutdown();
    clients.iter_mut().for_each(crate::stream_client::StreamClient::until_closed);
    assert_eq!(relay.ports_taken(), 0);
}

#[test]
fn a_thousand_connections_that_come_and_go_leave_nothing() {
    let config = config(25528..=25543);
    let relay = Relay::start(&config, Arc::new(settings(&config)), posthouse_turn::Shared::new()).unwrap();
    let door = Door::new();
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    for _ in 0..1000 {
        let mut client = door.allocated(&relay, Over::Tcp, "alice");
        client.refresh(0).unwrap();
    }
    wait_for(&relay, "none is left", |s| s[0].streams == 0 && s[0].counters.streams.closed.by_client == 1000);
    assert_eq!((relay.ports_taken(), relay.allocations().len()), (0, 0));
    assert!(descriptors() < 900, "other tests have some, but these are closed");
}
