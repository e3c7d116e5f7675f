//! Bandwidth: what is over the rate is dropped and counted, and whoever is modest loses nothing.

use std::time::Duration;

use posthouse_turn::{AllocationId, Bandwidth, PeerTransportAddress, Settings, Shared};

use crate::world::{Client, World, channel_data, peer};

/// Payload and headers of the packets below.
const CHARGED: u64 = 972 + 28;

/// An allocation that sends packets of 1000 bytes, headers included.
struct Sender {
    client: Client,
    id: AllocationId,
    packet: Vec<u8>,
    passed: u64,
    dropped: u64,
}

impl Sender {
    fn new(world: &mut World, mut client: Client) -> Self {
        let id = client.allocate(world);
        assert_eq!(client.bind(world, 0x4000, peer()), 0);
        Self { client, id, packet: channel_data(0x4000, &[7; 972]), passed: 0, dropped: 0 }
    }

    fn send(&mut self, world: &mut World, packets: u64) {
        for _ in 0..packets {
            let passed = world.server.handle_client(world.now, self.client.at, &self.packet).is_some();
            self.count(passed);
        }
    }

    fn receive(&mut self, world: &mut World, packets: u64) {
        for _ in 0..packets {
            let passed = world.server.handle_peer(world.now, self.id, PeerTransportAddress(peer()), 972).is_some();
            self.count(passed);
        }
    }

    fn count(&mut self, passed: bool) {
        self.passed += u64::from(passed);
        self.dropped += u64::from(!passed);
    }

    fn bytes(&self) -> u64 {
        self.passed * CHARGED
    }
}

/// Runs `seconds` in steps of 10 milliseconds.
fn run(worlds: &mut [&mut World], seconds: u64, mut step: impl FnMut(&mut [&mut World])) {
    for _ in 0..seconds * 100 {
        for world in &mut *worlds {
            world.now = world.now.after(Duration::from_millis(10));
        }
        step(worlds);
    }
}

fn limited(bandwidth: Bandwidth) -> impl Fn(&mut Settings) {
    move |settings| settings.bandwidth = bandwidth
}

#[test]
fn by_default_nothing_is_limited() {
    let mut world = World::new();
    let mut sender = Sender::new(&mut world, Client::new(1));
    sender.send(&mut world, 100_000);
    assert_eq!(sender.dropped, 0);
}

#[test]
fn an_allocation_gets_its_rate_and_the_rest_is_dropped_and_counted() {
    let mut world = World::with(limited(Bandwidth { per_allocation: 100_000, ..Bandwidth::default() }));
    let mut sender = Sender::new(&mut world, Client::new(1));
    run(&mut [&mut world], 10, |worlds| sender.send(worlds[0], 10));
    assert_eq!(sender.passed, 1099, "one second's burst, and what came back in 9.99 seconds");
    assert_eq!(world.server.stats().drops.over_bandwidth, sender.dropped);
    assert_eq!(world.server.stats().forwarded.packets, sender.passed, "what was dropped was not relayed");
    assert_eq!(world.answer(), None, "nobody is told");
    assert_eq!(sender.client.refresh(&mut world, None).code(), 0, "nothing is refused");
}

#[test]
fn both_directions_and_send_indications_take_from_the_same_bucket() {
    let mut world = World::with(limited(Bandwidth { per_allocation: 100_000, ..Bandwidth::default() }));
    let mut sender = Sender::new(&mut world, Client::new(1));
    sender.send(&mut world, 40);
    sender.receive(&mut world, 59);
    assert!(sender.client.send(&mut world, peer(), &[7; 972]).is_some());
    assert_eq!(sender.dropped, 0);
    sender.send(&mut world, 1);
    sender.receive(&mut world, 1);
    assert_eq!(sender.dropped, 2);
    assert!(sender.client.send(&mut world, peer(), &[7; 972]).is_none());
}

#[test]
fn a_dropped_packet_costs_nothing_and_time_fills_the_bucket() {
    let mut world = World::with(limited(Bandwidth { per_allocation: 100_000, ..Bandwidth::default() }));
    let mut sender = Sender::new(&mut world, Client::new(1));
    sender.send(&mut world, 5000);
    assert_eq!(sender.passed, 100);
    world.pass_asleep(1);
    sender.send(&mut world, 5000);
    assert_eq!(sender.passed, 200);
    world.pass_asleep(60);
    sender.send(&mut world, 5000);
    assert_eq!(sender.passed, 300, "a bucket holds one second's worth");
}

#[test]
fn the_longest_datagram_passes_at_the_slowest_rate_and_empty_ones_are_not_free() {
    let slow = Bandwidth { per_allocation: 1, per_user: 1, total: 0 };
    for bandwidth in [slow, Bandwidth { total: 1, ..slow }] {
        let mut world = World::with(limited(bandwidth));
        let mut sender = Sender::new(&mut world, Client::new(1));
        assert!(sender.client.channel_data(&mut world, 0x4000, &[7; 65_507]).is_some());
        let empty = [0; 3].map(|_| sender.client.channel_data(&mut world, 0x4000, b"").is_some());
        assert!(!empty[2], "{bandwidth:?}");
    }
}

#[test]
fn the_allocations_of_a_user_share_his_rate_over_all_workers() {
    let (shared, rate) = (Shared::new(), Bandwidth { per_user: 100_000, ..Bandwidth::default() });
    let mut here = World::sharing(&shared, limited(rate));
    let mut there = World::sharing(&shared, limited(rate));
    // Two credentials, one user id.
    let mut one = Sender::new(&mut here, Client::new(1).minted("carol", 3600));
    let mut two = Sender::new(&mut there, Client::new(2).minted("carol", 7200));
    let mut other = Sender::new(&mut there, Client::new(3).minted("dave", 3600));
    run(&mut [&mut here, &mut there], 10, |worlds| {
        one.send(worlds[0], 10);
        two.receive(worlds[1], 10);
        other.send(worlds[1], 1);
    });
    // The two worlds' clocks began at slightly different moments.
    assert!((1099..=1101).contains(&(one.passed + two.passed)), "{} + {}", one.passed, two.passed);
    assert_eq!(other.dropped, 0);
}

#[test]
fn a_nameless_user_has_no_rate_of_his_own() {
    let mut world = World::with(limited(Bandwidth { per_user: 1000, ..Bandwidth::default() }));
    let mut sender = Sender::new(&mut world, Client::new(1).minted("", 3600));
    sender.send(&mut world, 1000);
    assert_eq!(sender.dropped, 0);
}

#[test]
fn the_total_holds_over_all_workers() {
    let (shared, rate) = (Shared::new(), Bandwidth { total: 1_000_000, ..Bandwidth::default() });
    let mut here = World::sharing(&shared, limited(rate));
    let mut there = World::sharing(&shared, limited(rate));
    let mut one = Sender::new(&mut here, Client::new(1));
    let mut two = Sender::new(&mut there, Client::new(2));
    run(&mut [&mut here, &mut there], 10, |worlds| {
        one.send(worlds[0], 50);
        two.send(worlds[1], 50);
    });
    let all = one.bytes() + two.bytes();
    assert!((10_000_000..=11_001_000).contains(&all), "ten seconds' worth, and at most a burst: {all}");
}

#[test]
fn whoever_stays_within_his_share_loses_nothing_to_the_loud() {
    let (shared, rate) = (Shared::new(), Bandwidth { total: 1_000_000, ..Bandwidth::default() });
    let mut here = World::sharing(&shared, limited(rate));
    let mut there = World::sharing(&shared, limited(rate));
    let mut loud: Vec<_> = (1..=4).map(|n| Sender::new(&mut here, Client::new(n))).collect();
    let mut loud_there = Sender::new(&mut there, Client::new(5).user("bob", "builder"));
    let mut quiet = Sender::new(&mut there, Client::new(6).user("bob", "builder"));
    run(&mut [&mut here, &mut there], 20, |worlds| {
        for sender in &mut loud {
            sender.send(worlds[0], 20);
        }
        loud_there.send(worlds[1], 100);
        // A tenth of the whole; its share is a sixth.
        quiet.send(worlds[1], 1);
    });
    assert_eq!((quiet.passed, quiet.dropped), (2000, 0));
    let all = loud.iter().map(Sender::bytes).sum::<u64>() + loud_there.bytes() + quiet.bytes();
    assert!((20_000_000..=21_001_000).contains(&all), "what the quiet one leaves is used: {all}");
    let least = loud.iter().map(Sender::bytes).min().unwrap();
    assert!(least >= 20_000_000 / 6 * 9 / 10, "nobody is starved by one who is louder still: {least}");
}

#[test]
fn whoever_comes_late_to_a_full_server_gets_his_share_at_once() {
    let mut world = World::with(limited(Bandwidth { total: 1_000_000, ..Bandwidth::default() }));
    let mut loud = Sender::new(&mut world, Client::new(1));
    run(&mut [&mut world], 5, |worlds| loud.send(worlds[0], 100));
    let mut late = Sender::new(&mut world, Client::new(2));
    run(&mut [&mut world], 5, |worlds| {
        loud.send(worlds[0], 100);
        late.send(worlds[0], 4);
    });
    assert_eq!((late.passed, late.dropped), (2000, 0), "400 kB/s of a share of 500");
    let before = loud.passed;
    world.pass_asleep(2);
    run(&mut [&mut world], 5, |worlds| loud.send(worlds[0], 100));
    assert!(loud.passed - before >= 5000, "alone again, he has everything again");
}

#[test]
fn workers_that_race_overdraw_a_common_bucket_by_a_packet_each_at_most() {
    let (shared, rate) = (Shared::new(), Bandwidth { per_user: 1_000_000, total: 3_000_000, per_allocation: 0 });
    let mut first = World::sharing(&shared, limited(rate));
    let mut second = World::sharing(&shared, limited(rate));
    second.now = first.now;
    let mut one = Sender::new(&mut first, Client::new(1).minted("carol", 3600));
    let mut two = Sender::new(&mut second, Client::new(2).minted("carol", 3600));
    std::thread::scope(|threads| {
        threads.spawn(|| one.send(&mut first, 5000));
        threads.spawn(|| two.send(&mut second, 5000));
    });
    let passed = one.passed + two.passed;
    assert!((1000..=1001).contains(&passed), "{passed}");
}

#[test]
fn a_reload_limits_living_allocations_and_frees_them_again() {
    let mut world = World::new();
    let mut sender = Sender::new(&mut world, Client::new(1));
    sender.send(&mut world, 1000);
    world.reload(limited(Bandwidth { per_allocation: 1000, per_user: 1000, total: 0 }));
    sender.send(&mut world, 1000);
    assert_eq!(sender.passed, 1000 + 65, "64 KiB is the least burst");
    world.reload(limited(Bandwidth { per_allocation: 1_000_000, ..Bandwidth::default() }));
    sender.send(&mut world, 1);
    world.pass_asleep(1);
    sender.send(&mut world, 1000);
    assert_eq!(sender.passed, 1065 + 1000, "a bucket that a slower rate left empty for a minute is full in a second");
    world.reload(limited(Bandwidth::default()));
    sender.send(&mut world, 1000);
    assert_eq!(sender.passed, 3065);
}
