//! Counters: cheap to write, read as one snapshot.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use posthouse_rooms::Census;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The counters themselves.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Counter),* }

        /// All figures at one moment. Those without "now" only grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            /// Rooms now, those of our own protocol among them.
            pub rooms: u64,
            /// Rooms of our own protocol now.
            pub meetings: u64,
            /// Members now.
            pub members: u64,
            /// WebSockets now.
            pub sockets: u64,
            $($(#[$doc])* pub $name: u64),*
        }

        impl Counters {
            pub(crate) fn snapshot(&self, census: Census, sockets: usize) -> Stats {
                Stats {
                    rooms: census.rooms as u64,
                    meetings: census.meetings as u64,
                    members: census.members as u64,
                    sockets: sockets as u64,
                    $($name: self.$name.get()),*
                }
            }
        }
    };
}

counters! {
    /// TCP connections accepted.
    connections,
    /// WebSockets opened.
    sockets_opened,
    /// Joins answered `SUCCESS`.
    joins,
    /// Joins answered `FULL`.
    joins_full,
    /// Joins that failed otherwise.
    joins_failed,
    /// Messages a member sent, by any route.
    messages,
    /// Frames written to WebSockets.
    deliveries,
    /// Messages refused because too much was waiting.
    queue_overflows,
    /// WebSockets closed because their client did not read.
    slow_readers,
    /// WebSockets closed because their client fell silent.
    dead_sockets,
    /// WebSockets closed for breaking a rule.
    socket_errors,
    /// HTTP requests answered 400 and above, apart from the refusals below.
    http_errors,
    /// Requests refused because their source asked too often.
    refused_rate,
    /// Requests refused because of their `Origin`.
    refused_origin,
    /// Requests refused because of their `Host`.
    refused_host,
    /// WebSockets refused because their source has too many.
    refused_sockets,
    /// Joins refused because there are too many rooms.
    refused_rooms,
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
