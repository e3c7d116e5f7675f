//! Debian's TURN client and echo peer, written by other people, and a server for them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::folder::Folder;
use super::tools::{Beside, run_with, text, tool};
use super::{Server, Settings};

/// Not the address where the server listens and relays: a peer of its own.
pub(crate) const PEER: &str = "127.0.0.2";

/// The same for IPv6, where loopback has one address only: not the server's port.
pub(crate) const PEER6: &str = "::1";

/// See the file: without it three draws of four are channel numbers that RFC 8656 forbids.
const LOW_CHANNELS: &str = include_str!("coturn/low_channels.c");

pub(crate) struct Coturn {
    uclient: PathBuf,
    low_channels: PathBuf,
    pub(crate) server: Server,
    _folder: Folder,
    _peers: Vec<Beside>,
}

impl Coturn {
    /// `None` after saying what is skipped, when a program is absent.
    pub(crate) fn start(settings: &Settings) -> Option<Self> {
        let uclient = tool("turnutils_uclient", "coturn")?;
        let peer = tool("turnutils_peer", "coturn")?;
        let cc = tool("cc", "gcc")?;
        let folder = Folder::new();
        let low_channels = build(&cc, &folder);
        let server = Server::start(settings);
        let port = server.spare_port.to_string();
        let addresses = if settings.ipv6 { &[PEER, PEER6][..] } else { &[PEER] };
        let peers = addresses.iter().map(|address| Beside::start(&peer, &["-L", address, "-p", &port])).collect();
        Some(Self { uclient, low_channels, server, _folder: folder, _peers: peers })
    }

    pub(crate) fn uclient(&self, seconds: u32, arguments: &[&str]) -> Output {
        let preload = [("LD_PRELOAD", self.low_channels.as_os_str())];
        run_with(seconds, &self.uclient, arguments, &preload)
    }

    /// Runs `turnutils_uclient` against a port with two clients of 50 messages and holds its statistics to zero loss.
    /// `-c` among the flags is no pair of ports for RTP and RTCP; it asks for an even port now and then all the same.
    pub(crate) fn relays_all(&self, port: u16, flags: &[&str]) {
        let (port, peer_port) = (port.to_string(), self.server.spare_port.to_string());
        let common = ["-m", "2", "-n", "50", "-l", "200", "-e", PEER, "-r", &peer_port, "-p", &port];
        let arguments: Vec<&str> = common.iter().chain(flags).copied().chain(["127.0.0.1"]).collect();
        let output = self.uclient(60, &arguments);
        let told = text(&output);
        assert!(output.status.success(), "{flags:?}: {told}");
        let sent = number_after(&told, "tot_send_msgs=");
        assert_eq!(sent, 100, "{flags:?}: {told}");
        assert_eq!(number_after(&told, "tot_recv_msgs="), sent, "{flags:?}: {told}");
        assert_eq!(number_after(&told, "Total lost packets "), 0, "{flags:?}: {told}");
        assert_eq!(number_after(&told, "total send dropped "), 0, "{flags:?}: {told}");
    }
}

fn build(cc: &Path, folder: &Folder) -> PathBuf {
    let source = folder.file("low_channels.c", LOW_CHANNELS);
    let library = folder.path().join("low_channels.so");
    let built = Command::new(cc).args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(built.expect("cc starts").success());
    library
}

/// The number after the last `key`: the tool repeats its counters while it runs.
fn number_after(told: &str, key: &str) -> u64 {
    let (_, after) = told.rsplit_once(key).unwrap_or_else(|| panic!("no {key:?} in\n{told}"));
    let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().unwrap_or_else(|_| panic!("no number after {key:?} in\n{told}"))
}
