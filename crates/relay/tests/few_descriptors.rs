//! Connections leave the last descriptors to others. Alone in its process, whose limit it lowers.
#![allow(unsafe_code, dead_code)]

#[path = "it/client.rs"]
mod client;
#[path = "it/stream_client.rs"]
mod stream_client;
#[path = "it/world.rs"]
mod world;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use client::{Client, Incoming};
use posthouse_relay::{Adopted, Relay};
use posthouse_stun::ErrorCode;
use world::{config, peer, start, wait_for};

fn adopted(relay: &Relay, door: &TcpListener) -> Option<TcpStream> {
    let near = TcpStream::connect(door.local_addr().unwrap()).unwrap();
    let (stream, client) = door.accept().unwrap();
    let server = door.local_addr().unwrap();
    relay.adopt(Adopted { stream, tls: None, early: Vec::new(), client, server }).then_some(near)
}

#[test]
fn the_last_descriptors_are_left_to_others_and_who_is_there_goes_on() {
    let limit = libc::rlimit { rlim_cur: 256, rlim_max: 256 };
    // SAFETY: `limit` outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    let relay = start(&config(25700..=25999));
    let mut client = Client::allocated(relay.listening()[0], "alice");
    let (socket, address) = peer("127.0.0.9");
    client.permit(address).unwrap();
    let mut late = Client::new(relay.listening()[0], "bob");

    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut clients = Vec::new();
    while let Some(near) = adopted(&relay, &door) {
        clients.push(near);
    }
    // Two descriptors each, as the clients live in this process too.
    assert!((80..96).contains(&clients.len()), "{} connections", clients.len());
    // The last pair was closed again, which may leave one below the limit.
    let null = || File::open("/dev/null").unwrap();
    let spare: Vec<_> = std::iter::repeat_with(null).take_while(|file| file.as_raw_fd() < 192).collect();
    assert_eq!(late.allocate(|_| {}), Err(ErrorCode::INSUFFICIENT_CAPACITY));
    socket.send_to(b"goes on", client.relayed()).unwrap();
    assert_eq!(client.incoming(), Incoming::Data(address, b"goes on".to_vec()));
    assert_eq!(late.binding(), late.own_address());

    clients.clear();
    drop(spare);
    wait_for(&relay, "all are closed", |s| s[0].streams == 0 && s[0].counters.streams.closed.by_client > 0);
    assert!(adopted(&relay, &door).is_some());
    late.allocate(|_| {}).unwrap();
}
