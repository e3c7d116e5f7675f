//! Debian's TURN client and echo peer, written by other people, against the real binary.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::harness::folder::Folder;
use crate::harness::settings::SECRET;
use crate::harness::tools::{Beside, run, run_with, text, tool};
use crate::harness::{Server, Settings};

/// Not the address where the server listens and relays: a peer of its own.
const PEER: &str = "127.0.0.2";

/// See the file: without it three draws of four are channel numbers that RFC 8656 forbids.
const LOW_CHANNELS: &str = include_str!("relay_coturn_client/low_channels.c");

struct Coturn {
    uclient: PathBuf,
    low_channels: PathBuf,
    server: Server,
    _folder: Folder,
    _peer: Beside,
}

impl Coturn {
    fn start(settings: Settings) -> Option<Self> {
        let uclient = tool("turnutils_uclient", "coturn")?;
        let peer = tool("turnutils_peer", "coturn")?;
        let cc = tool("cc", "gcc")?;
        let folder = Folder::new();
        let source = folder.file("low_channels.c", LOW_CHANNELS);
        let low_channels = folder.path().join("low_channels.so");
        let built = Command::new(cc).args(["-shared", "-fPIC", "-o"]).arg(&low_channels).arg(source).status();
        assert!(built.expect("cc starts").success());
        let server = Server::start(&settings.loopback_peers());
        let peer = Beside::start(&peer, &["-L", PEER, "-p", &server.spare_port.to_string()]);
        Some(Self { uclient, low_channels, server, _folder: folder, _peer: peer })
    }

    fn uclient(&self, seconds: u32, arguments: &[&str]) -> Output {
        let preload = [("LD_PRELOAD", self.low_channels.as_os_str())];
        run_with(seconds, &self.uclient, arguments, &preload)
    }

    /// Runs `turnutils_uclient` with two clients of 50 messages and holds its statistics to zero loss.
    /// `-c` among the flags is no pair of ports for RTP and RTCP; it asks for an even port now and then all the same.
    fn relays_all(&self, flags: &[&str]) {
        let (port, peer_port) = (self.server.relay.port().to_string(), self.server.spare_port.to_string());
        let common = ["-m", "2", "-n", "50", "-l", "200", "-e", PEER, "-r", &peer_port, "-p", &port];
        let arguments: Vec<&str> = common.iter().chain(flags).copied().chain(["127.0.0.1"]).collect();
        let output = self.uclient(60, &arguments);
        let told = text(&output);
        assert!(output.status.success(), "{told}");
        let sent = number_after(&told, "tot_send_msgs=");
        assert_eq!(sent, 100, "{told}");
        assert_eq!(number_after(&told, "tot_recv_msgs="), sent, "{told}");
        assert_eq!(number_after(&told, "Total lost packets "), 0, "{told}");
        assert_eq!(number_after(&told, "total send dropped "), 0, "{told}");
    }
}

/// The number after the last `key`: the tool repeats its counters while it runs.
fn number_after(told: &str, key: &str) -> u64 {
    let (_, after) = told.rsplit_once(key).unwrap_or_else(|| panic!("no {key:?} in\n{told}"));
    let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().unwrap_or_else(|_| panic!("no number after {key:?} in\n{told}"))
}

#[test]
fn a_user_of_the_shared_secret_loses_nothing_over_channels() {
    let Some(coturn) = Coturn::start(Settings::default()) else { return };
    coturn.relays_all(&["-c", "-u", "bob", "-W", SECRET]);
}

#[test]
fn a_user_of_the_shared_secret_loses_nothing_over_send_indications() {
    let Some(coturn) = Coturn::start(Settings::default()) else { return };
    coturn.relays_all(&["-c", "-u", "bob", "-W", SECRET, "-s"]);
}

#[test]
fn a_static_user_loses_nothing_over_channels_nor_over_send_indications() {
    let Some(coturn) = Coturn::start(Settings::default().user("alice", "wonderland-password")) else { return };
    coturn.relays_all(&["-c", "-u", "alice", "-w", "wonderland-password"]);
    coturn.relays_all(&["-c", "-u", "alice", "-w", "wonderland-password", "-s"]);
}

#[test]
fn two_clients_reach_each_other_relay_to_relay() {
    let Some(coturn) = Coturn::start(Settings::default()) else { return };
    coturn.relays_all(&["-c", "-u", "bob", "-W", SECRET, "-y"]);
    coturn.relays_all(&["-c", "-u", "bob", "-W", SECRET, "-y", "-s"]);
}

#[test]
fn pairs_of_an_even_port_and_its_reserved_neighbour_lose_nothing() {
    let Some(coturn) = Coturn::start(Settings::default()) else { return };
    coturn.relays_all(&["-u", "bob", "-W", SECRET]);
    coturn.relays_all(&["-u", "bob", "-W", SECRET, "-s"]);
}

#[test]
fn a_wrong_secret_gets_no_allocation() {
    let Some(coturn) = Coturn::start(Settings::default()) else { return };
    let port = coturn.server.relay.port().to_string();
    let arguments = ["-c", "-n", "1", "-u", "bob", "-W", "another secret", "-e", PEER, "-p", &port, "127.0.0.1"];
    let output = coturn.uclient(5, &arguments);
    let told = text(&output);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("Cannot complete Allocation"), "{told}");
}

#[test]
fn the_stun_client_of_coturn_learns_its_own_address() {
    let Some(client) = tool("turnutils_stunclient", "coturn") else { return };
    let server = Server::start(&Settings::default());
    // It never gives up by itself; `run` ends it.
    let output = run(10, &client, &["-p", &server.relay.port().to_string(), "127.0.0.1"]);
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("UDP reflexive addr: 127.0.0.1:"), "{told}");
}
