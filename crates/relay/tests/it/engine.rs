//! Which engine works, and many flows on it.

use posthouse_relay::{Config, EngineChoice, SendErrors};

use crate::client::{Client, Incoming};
use crate::world::{ENGINE, config, payload, peer, receive, start, wait_for};

/// Whether this machine lets programs use io_uring. `tests/run` wants that it does.
fn has_io_uring() -> bool {
    let relay = start(&Config { engine: EngineChoice::Auto, listen: Vec::new(), ..config(26000..=26003) });
    let has = relay.engine() == EngineChoice::IoUring;
    assert!(has || std::env::var_os("POSTHOUSE_REQUIRE_TOOLS").is_none(), "the kernel refuses io_uring");
    has
}

#[test]
fn the_engine_that_is_asked_for_works_where_the_kernel_allows_it() {
    let relay = start(&config(26004..=26007));
    let possible = if has_io_uring() { ENGINE } else { EngineChoice::Mmsg };
    assert_eq!(relay.engine(), possible);
}

#[test]
fn packets_of_many_flows_with_one_each_find_their_way_there_and_back() {
    let relay = start(&config(26008..=26107));
    let mut clients: Vec<_> = (0..100).map(|_| Client::allocated(relay.listening()[0], "alice")).collect();
    let (socket, address) = peer("127.0.0.9");
    for client in &mut clients {
        client.bind_channel(0x4000, address).unwrap();
    }
    for len in 100..150 {
        let payloads: Vec<_> = (0..).zip(&clients).map(|(n, _)| payload(n, len)).collect();
        for (client, payload) in clients.iter().zip(&payloads) {
            client.send_channel(0x4000, payload);
        }
        // All have arrived before the first goes back: a crowd of flows with one packet each.
        let came: Vec<_> = clients.iter().map(|_| receive(&socket)).collect();
        for (bytes, from) in came {
            socket.send_to(&bytes, from).unwrap();
        }
        for (client, payload) in clients.iter().zip(payloads) {
            assert_eq!(client.incoming(), Incoming::Channel(0x4000, payload));
        }
    }
    wait_for(&relay, "all is counted", |s| s[0].counters.from_peers.packets == 5000);
    let counters = relay.stats()[0].counters;
    assert_eq!((counters.to_peers.packets, counters.receive_errors), (5000, 0));
    assert_eq!(counters.send_errors, SendErrors::default());
}
