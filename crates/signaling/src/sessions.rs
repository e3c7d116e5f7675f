//! Who is connected to this node.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::RwLock;
use posthouse_rooms::ConnectionId;

use crate::outgoing::Outgoing;

/// More shards than cores ever contend for.
const SHARDS: usize = 64;

/// All WebSockets of this node, by the name that rooms know them by.
#[derive(Debug)]
pub(crate) struct Sessions {
    next: AtomicU64,
    shards: Vec<RwLock<HashMap<ConnectionId, Arc<Outgoing>>>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(0), shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// A new connection; it is listed until the answer is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Session {
        let id = ConnectionId(self.next.fetch_add(1, Relaxed));
        let outgoing = Arc::new(Outgoing::default());
        outgoing.list(id);
        self.shard(id).write().insert(id, outgoing.clone());
        Session { id, outgoing, sessions: self.clone() }
    }

    pub(crate) fn find(&self, id: ConnectionId) -> Option<Arc<Outgoing>> {
        self.shard(id).read().get(&id).cloned()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    fn shard(&self, id: ConnectionId) -> &RwLock<HashMap<ConnectionId, Arc<Outgoing>>> {
        &self.shards[usize::try_from(id.0 % SHARDS as u64).unwrap_or_default()]
    }
}

/// One listed connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: ConnectionId,
    pub(crate) outgoing: Arc<Outgoing>,
    sessions: Arc<Sessions>,
}

impl Session {
    /// The same connection under a new name; the old one is nobody's.
    pub(crate) fn rename(&mut self) {
        let id = ConnectionId(self.sessions.next.fetch_add(1, Relaxed));
        self.sessions.shard(self.id).write().remove(&self.id);
        self.outgoing.list(id);
        self.sessions.shard(id).write().insert(id, self.outgoing.clone());
        self.id = id;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.shard(self.id).write().remove(&self.id);
    }
}
