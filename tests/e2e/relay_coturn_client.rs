//! Debian's TURN client and echo peer, written by other people, against the real binary over UDP.

use crate::harness::coturn::{Coturn, PEER};
use crate::harness::settings::SECRET;
use crate::harness::tools::{run, text, tool};
use crate::harness::{Server, Settings};

fn start(settings: Settings) -> Option<Coturn> {
    Coturn::start(&settings.loopback_peers())
}

#[test]
fn a_user_of_the_shared_secret_loses_nothing_over_channels() {
    let Some(coturn) = start(Settings::default()) else { return };
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "bob", "-W", SECRET]);
}

#[test]
fn a_user_of_the_shared_secret_loses_nothing_over_send_indications() {
    let Some(coturn) = start(Settings::default()) else { return };
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "bob", "-W", SECRET, "-s"]);
}

#[test]
fn a_static_user_loses_nothing_over_channels_nor_over_send_indications() {
    let Some(coturn) = start(Settings::default().user("alice", "wonderland-password")) else { return };
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "alice", "-w", "wonderland-password"]);
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "alice", "-w", "wonderland-password", "-s"]);
}

#[test]
fn two_clients_reach_each_other_relay_to_relay() {
    let Some(coturn) = start(Settings::default()) else { return };
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "bob", "-W", SECRET, "-y"]);
    coturn.relays_all(coturn.server.relay.port(), &["-c", "-u", "bob", "-W", SECRET, "-y", "-s"]);
}

#[test]
fn pairs_of_an_even_port_and_its_reserved_neighbour_lose_nothing() {
    let Some(coturn) = start(Settings::default()) else { return };
    coturn.relays_all(coturn.server.relay.port(), &["-u", "bob", "-W", SECRET]);
    coturn.relays_all(coturn.server.relay.port(), &["-u", "bob", "-W", SECRET, "-s"]);
}

#[test]
fn a_wrong_secret_gets_no_allocation() {
    let Some(coturn) = start(Settings::default()) else { return };
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
