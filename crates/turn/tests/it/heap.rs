//! What must not touch the heap does not, and what an idle allocation costs is known.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

use posthouse_stun::Method;
use posthouse_turn::{Bandwidth, Output, PeerTransportAddress, Rates};

use crate::world::{Client, World, channel_data, peer};

/// Counts the calls and the living bytes of this thread.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait; this one only counts")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() - layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: i64) {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    let _ = BYTES.try_with(|total| total.set(total.get() + bytes));
}

/// Heap allocations made by `work`.
fn allocations_of(mut work: impl FnMut()) -> u64 {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations_of(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn a_relayed_packet_touches_no_heap_in_either_direction() {
    relaying_touches_no_heap(World::new());
}

#[test]
fn a_relayed_packet_touches_no_heap_when_bandwidth_is_limited() {
    let bandwidth = Bandwidth { per_allocation: 1 << 30, per_user: 1 << 30, total: 1 << 30 };
    relaying_touches_no_heap(World::with(|s| s.bandwidth = bandwidth));
}

fn relaying_touches_no_heap(mut world: World) {
    let mut client = Client::new(1);
    let id = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    let other = SocketAddr::new(peer().ip(), 1);
    let data = channel_data(0x4000, &[7; 1200]);
    let send = client.send_indication(|b| {
        b.xor_address(posthouse_stun::AttributeType::XOR_PEER_ADDRESS, other)
            .attribute(posthouse_stun::AttributeType::DATA, &[7; 1200]);
    });
    let (now, at, server) = (world.now, client.at, &mut world.server);
    let calls = allocations_of(|| {
        for _ in 0..1000 {
            assert!(server.handle_client(now, at, &data).is_some());
            assert!(server.handle_client(now, at, &send).is_some());
            assert!(server.handle_peer(now, id, PeerTransportAddress(peer()), 1200).is_some());
            assert!(server.handle_peer(now, id, PeerTransportAddress(other), 1200).is_some());
            assert!(server.handle_peer(now, id, PeerTransportAddress("8.8.8.8:1".parse().unwrap()), 1200).is_none());
            assert!(server.poll_output().is_none());
        }
    });
    assert_eq!(calls, 0);
}

#[test]
fn a_binding_a_401_and_a_438_touch_no_heap() {
    let off = Rates { binding: 0, errors: 0, errors_per_prefix: 0, errors_total: 0, verified: 0 };
    let (mut world, mut client) = (World::with(|s| s.rates = off), Client::new(1));
    let binding = client.build(Method::BINDING, None, |_| ());
    let allocate = client.build(Method::ALLOCATE, None, |_| ());
    client.nonce = Some(vec![b'x'; 35]);
    let proof = client.proof();
    let stale = client.build(Method::ALLOCATE, Some(&proof), |_| ());
    let (now, server) = (world.now, &mut world.server);
    let mut at = client.at;
    let calls = allocations_of(|| {
        for n in 0..1000 {
            at.client.set_port(n);
            for packet in [&binding, &allocate, &stale] {
                assert!(server.handle_client(now, at, packet).is_none());
                assert!(matches!(server.poll_output(), Some(Output::Respond { .. })));
            }
        }
    });
    assert_eq!(calls, 0);
}

#[test]
fn garbage_touches_no_heap() {
    let (mut world, client) = (World::new(), Client::new(1));
    let (now, server) = (world.now, &mut world.server);
    let mut packet = [0u8; 600];
    let calls = allocations_of(|| {
        for n in 0..60_000_u32 {
            let at = n as usize * 7 % packet.len();
            packet[at] = packet[at].wrapping_mul(31).wrapping_add(n as u8);
            packet[0] = (n % 80) as u8;
            assert!(server.handle_client(now, client.at, &packet[..at]).is_none());
        }
    });
    assert_eq!(calls, 0);
}

#[test]
fn an_idle_allocation_with_a_permission_and_a_channel_costs_less_than_a_kilobyte() {
    const COUNT: u32 = 10_000;
    let each = (heap_of_a_server_with(COUNT) - heap_of_a_server_with(0)) / i64::from(COUNT);
    eprintln!("{each} bytes of heap for each idle allocation");
    assert!((200..1000).contains(&each), "{each}");
}

/// What dropping a server with so many idle allocations, and its quota ledger, gives back.
fn heap_of_a_server_with(count: u32) -> i64 {
    let mut world = World::with(|s| {
        s.quotas = posthouse_turn::Quotas { per_user: 0, per_prefix: 0, total: 0 };
        s.rates = Rates { errors_total: 0, ..s.rates };
    });
    for n in 0..count {
        let [_, a, b, c] = n.to_be_bytes();
        let at = SocketAddr::from(([11 + a, b, c, 1], 5000));
        let mut client = Client::at(at, posthouse_turn::Transport::Udp).minted(&format!("user-{n}"), 3600);
        client.allocate(&mut world);
        assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    }
    assert_eq!(world.allocations(), count as usize);
    let before = BYTES.get();
    drop(world.server);
    before - BYTES.get()
}
