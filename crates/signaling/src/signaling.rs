//! The whole of it, wired.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use posthouse_rooms::{Bus, Capacity, MemoryBus, MemoryStore, RoomStore, Tally};
use tokio::sync::Semaphore;

use crate::{
    Config, Ports, Stats, clock::Clock, current::Current, delivery::Post, dialects, expiry, random, rates::Limits,
    sessions::Sessions, stats::Counters,
};

/// Rooms and signaling, ready to serve.
pub struct Signaling {
    pub(crate) current: ArcSwap<Current>,
    pub(crate) ports: Ports,
    pub(crate) post: Arc<Post>,
    pub(crate) limits: Limits,
    pub(crate) counters: Arc<Counters>,
    /// Connections that may still be accepted.
    pub(crate) free: Arc<Semaphore>,
    /// Does the timer of the rooms run?
    timed: AtomicBool,
}

impl Signaling {
    /// Rooms in this process's memory.
    #[must_use]
    pub fn new(config: Config, ports: Ports) -> Arc<Self> {
        let (identities, topics) = (config.max_identities, config.max_topics);
        let store = Arc::new(MemoryStore::of(Capacity { rooms: config.max_rooms, identities, topics }));
        Self::shared(config, ports, store, Arc::new(MemoryBus::default()))
    }

    /// Rooms in a store, and messages on a bus, that other nodes share.
    #[must_use]
    pub fn shared(config: Config, ports: Ports, store: Arc<dyn RoomStore>, bus: Arc<dyn Bus>) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        let post = Arc::new(Post {
            node: random::node_id(),
            policy: ArcSwap::from_pointee(config.policy()),
            bounds: ArcSwap::from_pointee(config.limits()),
            store,
            bus,
            sessions: Arc::new(Sessions::new()),
            relay: ports.relay.clone(),
            events: ports.events.clone(),
            counters: counters.clone(),
            clock: Clock::new(),
        });
        post.listen();
        Arc::new(Self {
            limits: Limits::new(&config.rates, config.sockets_per_source),
            free: Arc::new(Semaphore::new(config.max_connections)),
            current: ArcSwap::from_pointee(Current::new(config)),
            ports,
            post,
            counters,
            timed: AtomicBool::new(false),
        })
    }

    /// Other settings from now on: for requests and WebSockets that come, and for every room, also those that live; a
    /// room with more members than it may now have keeps them. `listen` matters only for links, and
    /// `max_rooms`, `max_identities`, `max_topics`, `max_connections`, `sockets_per_source` and the rates per source stay as they were.
    pub fn apply(&self, config: Config) {
        self.post.policy.store(Arc::new(config.policy()));
        self.post.bounds.store(Arc::new(config.limits()));
        self.current.store(Arc::new(Current::new(config)));
    }

    /// All figures at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counters.snapshot(self.post.store.census(), self.post.sessions.len())
    }

    /// What is kept of each dialect that there is, by its name. Every identity and topic is looked at: not for each request.
    #[must_use]
    pub fn tallies(&self) -> Vec<(&'static str, Tally)> {
        let mut tallies = self.post.store.tallies();
        dialects().map(|name| (name, tallies.remove(name).unwrap_or_default())).collect()
    }

    /// Starts the timer of the rooms, once, on the runtime of the first who serves.
    pub(crate) fn keep_time(&self) {
        if !self.timed.swap(true, Ordering::Relaxed) {
            tokio::spawn(expiry::run(Arc::downgrade(&self.post)));
        }
    }
}
