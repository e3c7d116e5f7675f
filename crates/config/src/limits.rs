//! `[limits]`: what one user, one network and everybody together may take.

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::value::size;

pub(crate) const TABLE: Table = Table {
    path: "limits",
    text: "What one user, one network and all together may take of the relay.",
    keys: &[
        Key {
            name: "allocations_per_user",
            default: "10",
            example: "10",
            expects: "a whole number",
            text: "Allocations of one user, 1 to 10000. The user of a time-limited name is the part after its colon, so\n\
                   that fresh credentials do not raise the limit. A call takes one to four; ten leave room for several\n\
                   tabs.",
        },
        Key {
            name: "allocations_per_prefix",
            default: "100",
            example: "100",
            expects: "a whole number",
            text: "Allocations of one source network, an IPv4 /24 or an IPv6 /56. A hundred are an office behind one NAT;\n\
                   0: no limit.",
        },
        Key {
            name: "allocations_total",
            default: "0",
            example: "0",
            expects: "a whole number",
            text: "Allocations of all users together, up to 1000000. 0: as many as there are ports.",
        },
        Key {
            name: "allocation_bandwidth",
            default: "\"0\"",
            example: "\"1 MiB\"",
            expects: "a size in quotes",
            text: "Bytes per second of one allocation, both directions together. What is over it is dropped, as a slow line\n\
                   would: calls get worse and go on. 0: no limit.",
        },
        Key {
            name: "user_bandwidth",
            default: "\"0\"",
            example: "\"2 MiB\"",
            expects: "a size in quotes",
            text: "Bytes per second of all allocations of one user. 0: no limit.",
        },
        Key {
            name: "total_bandwidth",
            default: "\"0\"",
            example: "\"100 MiB\"",
            expects: "a size in quotes",
            text: "Bytes per second of the whole server, shared fairly when they are scarce. 0: no limit.",
        },
        Key {
            name: "binding_rate",
            default: "200",
            example: "200",
            expects: "a whole number",
            text: "Answered Binding requests per second and source address, twice as many in a burst. An office of STUN\n\
                   clients behind one NAT needs some tens; forged sources get no more than this reflected. 0: no limit.",
        },
        Key {
            name: "unauthenticated_rate",
            default: "10",
            example: "10",
            expects: "a whole number",
            text: "Error answers per second to a source address that has not shown a valid nonce, twice as many in a burst,\n\
                   and five times as many to its whole /24 or /48. A client needs one; more would serve whoever forges\n\
                   the source. 0: no limit.",
        },
    ],
};

/// Largest bandwidth that may be written, in bytes per second: a terabyte.
const FASTEST: u64 = 1 << 40;

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Per user id: the part after the colon of a time-limited name, or a static user's name.
    pub allocations_per_user: usize,
    /// Per source /24 or /56; 0: no limit.
    pub allocations_per_prefix: usize,
    /// In all; 0: as many as the ports.
    pub allocations_total: usize,
    /// Bytes per second, 0: no limit.
    pub allocation_bandwidth: u64,
    /// Bytes per second, 0: no limit.
    pub user_bandwidth: u64,
    /// Bytes per second, 0: no limit.
    pub total_bandwidth: u64,
    /// Answers per second and source, 0: no limit.
    pub binding_rate: u32,
    /// Answers per second and source, 0: no limit.
    pub unauthenticated_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations_per_user: 10,
            allocations_per_prefix: 100,
            allocations_total: 0,
            allocation_bandwidth: 0,
            user_bandwidth: 0,
            total_bandwidth: 0,
            binding_rate: 200,
            unauthenticated_rate: 10,
        }
    }
}

impl Limits {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let mut count = |key: &str, range, default| {
            reading.number(key, range).and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
        };
        let allocations_per_user = count("limits.allocations_per_user", 1..=10_000, default.allocations_per_user);
        let per_prefix = count("limits.allocations_per_prefix", 0..=1_000_000, default.allocations_per_prefix);
        let allocations_total = count("limits.allocations_total", 0..=1_000_000, default.allocations_total);
        let mut rate = |key: &str, default| {
            reading.number(key, 0..=1_000_000).and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
        };
        let binding_rate = rate("limits.binding_rate", default.binding_rate);
        let unauthenticated_rate = rate("limits.unauthenticated_rate", default.unauthenticated_rate);
        let mut bandwidth = |key: &str| reading.text(key, size::within(0..=FASTEST)).unwrap_or_default();
        Self {
            allocations_per_user,
            allocations_per_prefix: per_prefix,
            allocations_total,
            allocation_bandwidth: bandwidth("limits.allocation_bandwidth"),
            user_bandwidth: bandwidth("limits.user_bandwidth"),
            total_bandwidth: bandwidth("limits.total_bandwidth"),
            binding_rate,
            unauthenticated_rate,
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { allocations_per_user, allocations_per_prefix, allocations_total, .. } = self;
        let Self { allocation_bandwidth, user_bandwidth, total_bandwidth, binding_rate, unauthenticated_rate, .. } =
            self;
        vec![
            ("limits.allocations_per_user", allocations_per_user.to_string()),
            ("limits.allocations_per_prefix", allocations_per_prefix.to_string()),
            ("limits.allocations_total", allocations_total.to_string()),
            ("limits.allocation_bandwidth", size::shown(*allocation_bandwidth)),
            ("limits.user_bandwidth", size::shown(*user_bandwidth)),
            ("limits.total_bandwidth", size::shown(*total_bandwidth)),
            ("limits.binding_rate", binding_rate.to_string()),
            ("limits.unauthenticated_rate", unauthenticated_rate.to_string()),
        ]
    }
}
