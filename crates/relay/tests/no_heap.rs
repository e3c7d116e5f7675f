//! A relayed packet costs a worker no heap allocation. Alone in its process, as it counts for all threads but its own.
#![allow(unsafe_code, dead_code)]

#[path = "it/client.rs"]
mod client;
#[path = "it/stream_client.rs"]
mod stream_client;
#[path = "it/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use client::{Client, Incoming};
use posthouse_relay::{Config, EngineChoice};
use stream_client::{Door, Over};
use world::{config, cut_into, payload, peer, receive, start};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static COUNTS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_TEST: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call is the system's, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.load(Ordering::Relaxed) == 1 && !IS_TEST.with(Cell::get) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn relayed_packets_cost_no_heap_allocation() {
    IS_TEST.set(true);
    for engine in [EngineChoice::Mmsg, EngineChoice::IoUring] {
        let allocations = allocations_of_relaying(engine);
        // Some 30,000 packets went through; a batch larger than any before may grow an array once or twice.
        assert!(allocations < 10, "{allocations} allocations with {engine:?}");
    }
}

fn allocations_of_relaying(engine: EngineChoice) -> u64 {
    let relay = start(&Config { engine, ..config(24100..=24199) });
    let mut clients: Vec<_> = (0..20).map(|_| Client::allocated(relay.listening()[0], "alice")).collect();
    let (socket, address) = peer("127.0.0.9");
    let (burst, burst_address) = peer("127.0.0.9");
    let next = clients[1].relayed();
    clients[0].permit(next).unwrap();
    let first = clients[0].relayed();
    clients[1].permit(first).unwrap();
    for client in &mut clients {
        client.bind_channel(0x4000, address).unwrap();
        client.bind_channel(0x4001, burst_address).unwrap();
    }
    let door = Door::new();
    let mut streams: Vec<_> = (0..5).map(|_| door.allocated(&relay, Over::Tcp, "bob")).collect();
    for client in &mut streams {
        client.bind_channel(0x4000, address).unwrap();
        client.permit(burst_address).unwrap();
    }
    cut_into(&burst, 100);
    let mut traffic = || {
        for n in 0..200 {
            for client in &clients {
                client.send_channel(0x4000, &payload(n, 100));
                client.send(address, &payload(n, 101));
            }
            for client in &mut streams {
                client.send_channel(0x4000, &payload(n, 102));
                burst.send_to(&[7; 500], client.relayed()).unwrap();
            }
            for _ in 0..2 * clients.len() + streams.len() {
                let (bytes, from) = receive(&socket);
                socket.send_to(&bytes, from).unwrap();
            }
            burst.send_to(&[7; 2000], clients[0].relayed()).unwrap();
            clients[0].send(clients[1].relayed(), b"in process");
            for (i, client) in clients.iter().enumerate() {
                let more = [20, 1].get(i).copied().unwrap_or(0);
                (0..2 + more).for_each(|_| drop::<Incoming>(client.incoming()));
            }
            for client in &mut streams {
                (0..6).for_each(|_| drop::<Incoming>(client.incoming()));
            }
        }
    };
    // The arrays of the batch calls grow to the largest batch they meet, up to their limit, and stay.
    traffic();
    ALLOCATIONS.store(0, Ordering::Relaxed);
    COUNTS.store(1, Ordering::Relaxed);
    traffic();
    COUNTS.store(0, Ordering::Relaxed);
    ALLOCATIONS.load(Ordering::Relaxed)
}
