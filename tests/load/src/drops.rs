//! Where the kernel of this machine dropped datagrams, so that a loss is not blamed on the wrong side.

use std::fs;

/// Counters of the whole machine since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drops {
    /// The queue between "sent on loopback" and "received" was full (`netdev_max_backlog`): it runs over when a processor
    /// has no time for it. Nobody's fault but the measurement's.
    pub backlog: u64,
    /// A socket's receive buffer was full: its program was too slow.
    pub buffers: u64,
}

impl Drops {
    /// Reads both; 0 where the kernel does not tell.
    #[must_use]
    pub fn read() -> Self {
        let backlog = fs::read_to_string("/proc/net/softnet_stat").unwrap_or_default();
        let datagrams = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
        Self { backlog: backlog_drops(&backlog), buffers: buffer_drops(&datagrams) }
    }

    /// What was dropped since `before`, in words; `None` for nothing.
    #[must_use]
    pub fn since(self, before: Self) -> Option<String> {
        let (backlog, buffers) = (self.backlog - before.backlog, self.buffers - before.buffers);
        (backlog + buffers > 0).then(|| {
            format!(
                "on the whole machine the kernel dropped {backlog} datagrams in its backlog, {buffers} at full sockets"
            )
        })
    }
}

/// One line per processor, hexadecimal; the second column counts drops.
fn backlog_drops(text: &str) -> u64 {
    let column = |line: &str| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok();
    text.lines().filter_map(column).sum()
}

/// Names on one line that starts with `Udp:`, numbers on the next.
fn buffer_drops(text: &str) -> u64 {
    let mut lines = text.lines().filter(|line| line.starts_with("Udp:"));
    let (Some(names), Some(numbers)) = (lines.next(), lines.next()) else { return 0 };
    let mut pairs = names.split_whitespace().zip(numbers.split_whitespace());
    pairs.find(|(name, _)| *name == "RcvbufErrors").and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_are_found_among_their_neighbours() {
        assert_eq!(backlog_drops("00ff 0010 00\n0001 00000002 00\n"), 18);
        let text = "Ip: A B\nIp: 1 2\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: 5 6 7\nUdpLite: X\nUdpLite: 9\n";
        assert_eq!(buffer_drops(text), 7);
        assert_eq!(buffer_drops(""), 0);
    }
}
