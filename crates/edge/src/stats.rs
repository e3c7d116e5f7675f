//! Counters: cheap to write, read as one snapshot.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::refusal::Refusal;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The counters themselves.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Counter),* }

        /// All figures at one moment. Those without "now" only grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            /// Connections now of which it is not known yet what they are.
            pub arriving: u64,
            /// Connections now that carry HTTP.
            pub http: u64,
            $($(#[$doc])* pub $name: u64),*
        }

        impl Counters {
            pub(crate) fn snapshot(&self, arriving: usize, http: usize) -> Stats {
                Stats { arriving: arriving as u64, http: http as u64, $($name: self.$name.get()),* }
            }
        }
    };
}

counters! {
    /// TCP connections accepted.
    accepted,
    /// Connections whose client a trusted proxy told.
    proxied,
    /// TLS handshakes that were completed.
    handshakes,
    /// Connections handed to TURN, on plain TCP.
    turn_plain,
    /// Connections handed to TURN, on TLS.
    turn_tls,
    /// Connections handed to HTTP, plain from a trusted proxy.
    http_plain,
    /// Connections handed to HTTP, on TLS.
    http_tls,
    /// Plain HTTP answered with a redirect or 400.
    redirected,
    /// Accepts that failed for want of descriptors or memory.
    accept_errors,
    /// Closed: too few descriptors left.
    refused_descriptors,
    /// Closed: the source has too many that say nothing.
    refused_source,
    /// Closed: too many carry HTTP.
    refused_http,
    /// Closed: did not say in time what it is.
    refused_silent,
    /// The client went away before it said what it is.
    gone,
    /// Closed: a PROXY header from a source that is not trusted.
    refused_untrusted,
    /// Closed: a broken PROXY header.
    refused_proxy_header,
    /// Closed: TLS where there is no certificate.
    refused_no_certificate,
    /// TLS handshakes that failed.
    handshakes_failed,
    /// TLS handshakes that took too long.
    handshakes_timed_out,
    /// Closed: neither STUN nor TLS on a listener for TURN.
    refused_not_turn,
}

impl Counters {
    pub(crate) fn refused(&self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Descriptors => &self.refused_descriptors,
            Refusal::Source => &self.refused_source,
            Refusal::Http => &self.refused_http,
            Refusal::Silent => &self.refused_silent,
            Refusal::Gone => &self.gone,
            Refusal::Untrusted => &self.refused_untrusted,
            Refusal::ProxyHeader => &self.refused_proxy_header,
            Refusal::NoCertificate => &self.refused_no_certificate,
            Refusal::Handshake => &self.handshakes_failed,
            Refusal::SlowHandshake => &self.handshakes_timed_out,
            Refusal::NotTurn => &self.refused_not_turn,
        };
        counter.add();
    }
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
