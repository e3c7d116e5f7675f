//! TCP allocations (RFC 6062) as a client by other people makes them.

use crate::harness::Settings;
use crate::harness::certificate::Certificate;
use crate::harness::coturn::Coturn;
use crate::harness::settings::SECRET;
use crate::harness::tools::text;

const BOB: [&str; 4] = ["-u", "bob", "-W", SECRET];
const ALICE: [&str; 4] = ["-u", "alice", "-w", "wonderland-password"];

fn settings(certificate: &Certificate) -> Settings {
    let settings = Settings::default().tls(certificate).user("alice", "wonderland-password").loopback_peers();
    settings.relay("tcp_allocations = true")
}

#[test]
fn coturns_client_loses_nothing_between_two_tcp_allocations() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let server = &coturn.server;
    for (port, user) in [(server.relay.port(), BOB), (server.relay_tls.port(), ALICE), (server.edge.port(), BOB)] {
        coturn.relays_all(port, &[&["-T"][..], &user].concat());
    }
}

#[test]
fn coturns_client_loses_nothing_between_two_tcp_allocations_over_tls() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let authority = certificate.certificate();
    let flags = ["-S", "-T", "-E", authority.to_str().unwrap()];
    for (port, user) in [(coturn.server.relay_tls.port(), BOB), (coturn.server.edge.port(), ALICE)] {
        coturn.relays_all(port, &[&flags[..], &user].concat());
    }
}

#[test]
fn coturns_client_gets_no_tcp_allocation_unless_an_operator_wants_it() {
    let Some(coturn) = Coturn::start(&Settings::default().loopback_peers()) else { return };
    let port = coturn.server.relay.port().to_string();
    let output = coturn.uclient(5, &[&["-T", "-n", "1", "-p", &port][..], &BOB, &["127.0.0.1"]].concat());
    let told = text(&output);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("442"), "{told}");
}
