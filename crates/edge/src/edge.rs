//! The edge: what its listeners share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::certificates::Certificates;
use crate::descriptors::Ceiling;
use crate::ports::Ports;
use crate::settings::{Limits, Settings};
use crate::sources::Sources;
use crate::stats::{Counters, Stats};

/// Accepts streams and hands them on. Serve each listener with [`Edge::serve`].
pub struct Edge {
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) ports: Ports,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) ceiling: Ceiling,
    pub(crate) sources: Arc<Sources>,
    pub(crate) arriving: Arc<Semaphore>,
    pub(crate) handshakes: Semaphore,
    pub(crate) http: Semaphore,
    pub(crate) counters: Counters,
    /// The semaphores were made of these, and stay.
    limits: Limits,
}

impl Edge {
    /// An edge without listeners. Reads the limit of open files, so build it after that limit was raised.
    pub fn new(settings: Settings, ports: Ports, certificates: Arc<Certificates>) -> Arc<Self> {
        let limits = settings.limits;
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            ports,
            certificates,
            ceiling: Ceiling::of_process(),
            sources: Sources::new(),
            arriving: Arc::new(Semaphore::new(limits.arriving)),
            handshakes: Semaphore::new(limits.handshakes),
            http: Semaphore::new(limits.http),
            counters: Counters::default(),
            limits,
        })
    }

    /// New settings for connections that come from now on. The limits that hold for all together stay as they were.
    pub fn apply(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// All figures.
    pub fn stats(&self) -> Stats {
        let arriving = self.limits.arriving - self.arriving.available_permits();
        let http = self.limits.http - self.http.available_permits();
        self.counters.snapshot(arriving, http)
    }
}
