//! The whole of it, wired.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use posthouse_rooms::{Bus, MemoryBus, MemoryStore, RoomStore};
use tokio::sync::Semaphore;

use crate::{
    Config, Ports, Stats, clock::Clock, delivery::Post, expiry, random, rates::Limits, sessions::Sessions,
    stats::Counters, visit::Origins,
};

/// Rooms and signaling, ready to serve.
pub struct Signaling {
    pub(crate) config: Config,
    pub(crate) ports: Ports,
    pub(crate) post: Arc<Post>,
    pub(crate) limits: Limits,
    pub(crate) origins: Origins,
    pub(crate) counters: Arc<Counters>,
    /// Connections that may still be accepted.
    pub(crate) free: Arc<Semaphore>,
    /// What links are made of, without a trailing slash.
    pub(crate) base: String,
    /// Does the timer of the rooms run?
    timed: AtomicBool,
}

impl Signaling {
    /// Rooms in this process's memory.
    #[must_use]
    pub fn new(config: Config, ports: Ports) -> Arc<Self> {
        let store = Arc::new(MemoryStore::new(config.max_rooms));
        Self::shared(config, ports, store, Arc::new(MemoryBus::default()))
    }

    /// Rooms in a store, and messages on a bus, that other nodes share.
    #[must_use]
    pub fn shared(config: Config, ports: Ports, store: Arc<dyn RoomStore>, bus: Arc<dyn Bus>) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        let post = Arc::new(Post {
            node: random::node_id(),
            policy: config.rooms.clone(),
            store,
            bus,
            sessions: Arc::new(Sessions::new()),
            relay: ports.relay.clone(),
            counters: counters.clone(),
            clock: Clock::new(),
        });
        post.listen();
        let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
        let base = base.trim_end_matches('/').to_owned();
        Arc::new(Self {
            limits: Limits::new(&config.rates, config.sockets_per_source),
            origins: Origins::new(&config.allowed_origins, config.allow_no_origin, &base),
            free: Arc::new(Semaphore::new(config.max_connections)),
            base,
            config,
            ports,
            post,
            counters,
            timed: AtomicBool::new(false),
        })
    }

    /// All figures at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counters.snapshot(self.post.store.census(), self.post.sessions.len())
    }

    /// Starts the timer of the rooms, once, on the runtime of the first who serves.
    pub(crate) fn keep_time(&self) {
        if !self.timed.swap(true, Ordering::Relaxed) {
            tokio::spawn(expiry::run(Arc::downgrade(&self.post)));
        }
    }
}
