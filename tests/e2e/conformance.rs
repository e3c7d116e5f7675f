//! A stranger's view of every rule of RFC 8489 and RFC 8656 that a server can be held to, and of hostile bytes: one list
//! of cases over UDP, TCP and TLS, against one server each. A case that fails is named with its transport and every
//! byte that was sent and got.
//!
//! Nothing waits for silence: what must be dropped is followed by a request whose answer must come first.

mod allocate;
mod binding;
mod channels;
mod client;
mod credentials;
mod hostile;
mod peers;
mod permissions;
mod refresh;
mod relaying;
mod streams;
mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::harness::Settings;
use client::Transport;
use world::{ALICE, World};

/// What a case is called, and how it goes.
type Case = (&'static str, fn(&World));

fn settings() -> Settings {
    // Peers live on the loopback network; and whoever tests has one network, but a user for each case.
    Settings::default()
        .relay(r#"allow_peers = ["127.0.0.0/8"]"#)
        .relay("allow_dangerous_peers = true")
        .limits("allocations_per_prefix = 0")
        .user(ALICE.0, ALICE.1)
}

#[test]
fn every_rule_holds_over_udp() {
    run(Transport::Udp);
}

#[test]
fn every_rule_holds_over_tcp() {
    run(Transport::Tcp);
}

#[test]
fn every_rule_holds_over_tls() {
    run(Transport::Tls);
}

fn run(transport: Transport) {
    let world = World::start(transport, settings().ipv6());
    let of_transport = if world.is_stream() { streams::CASES } else { hostile::DATAGRAMS };
    let cases = [
        binding::CASES,
        credentials::CASES,
        allocate::CASES,
        refresh::CASES,
        permissions::CASES,
        channels::CASES,
        relaying::CASES,
        peers::CASES,
        hostile::CASES,
        of_transport,
    ];
    let failed = failures(&world, &cases.concat());
    let narrow = World::start(transport, settings());
    let failed = [failed, failures(&narrow, allocate::WITHOUT_IPV6)].concat();
    assert!(failed.is_empty(), "{} over {transport:?}:\n\n{}", failed.len(), failed.join("\n"));
}

fn failures(world: &World, cases: &[Case]) -> Vec<String> {
    eprintln!("{} cases over {:?}", cases.len(), world.transport);
    let mut failed = Vec::new();
    for (name, case) in cases {
        let end = catch_unwind(AssertUnwindSafe(|| case(world)));
        let said = world.transcript();
        if let Err(panic) = end {
            let why = panic.downcast_ref::<String>().cloned();
            let why = why.or_else(|| panic.downcast_ref::<&str>().map(|&why| why.to_owned())).unwrap_or_default();
            failed.push(format!("{:?}: {name}\n  {why}\n{said}", world.transport));
        }
    }
    failed
}
