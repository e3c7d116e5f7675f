//! `posthouse doctor`: why a call would fail, by really relaying bytes through the running server.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use posthouse_config::Config;
use posthouse_probe::{Family, Plan, Target, binding, echo};
use posthouse_turn::Minted;
use tokio::runtime::Builder;

use crate::check::load;
use crate::exit::Failure;
use crate::ice::{IceUrls, Mint};

/// Asks every UDP listener of the configuration as a client would, and says what works.
pub(crate) fn examine(file: Option<&Path>) -> Result<(), Failure> {
    let config = load(file)?.config;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| Failure::os("cannot start", &e))?;
    let failures = runtime.block_on(examine_all(&config));
    if failures == 0 && config.auth.secrets.is_empty() {
        println!("STUN is well; TURN was not examined: set auth.secrets, start the server with it, and ask again");
        return Ok(());
    }
    if failures == 0 {
        println!("all is well: a client that reaches these addresses can call");
        return Ok(());
    }
    Err(Failure::unavailable(format!("{failures} of the checks above failed")))
}

/// Returns how many checks failed.
async fn examine_all(config: &Config) -> usize {
    let servers = IceUrls::reachable_here(&config.relay);
    if servers.is_empty() {
        println!("no      relay.listen is empty: there is no STUN and no TURN to examine");
        return 1;
    }
    let mut failures = 0;
    for server in servers {
        let stun = binding(server).await;
        failures += say(
            &format!("STUN {server}"),
            stun.map(|mapped| format!("answers, and sees this machine as {}", mapped.address))
                .map_err(|f| f.to_string()),
        );
        let Some(secret) = config.auth.secrets.first() else {
            let why = "no auth.secrets: the running server made its own, so no credential can be made here";
            println!("skipped TURN {server}: {why}");
            continue;
        };
        let minted = Mint::new(secret.clone(), config.auth.credential_lifetime).credential("doctor");
        let outcome = relay_bytes(server, minted, &plan(config)).await;
        failures += say(&format!("TURN {server}"), outcome);
    }
    failures
}

/// Relay to relay in every manner: what two browsers behind hard NATs do.
async fn relay_bytes(server: SocketAddr, minted: Minted, plan: &Plan) -> Result<String, String> {
    let target = Target::new(server, minted.username, minted.password);
    let report = echo(&target, plan).await.map_err(|failure| failure.to_string())?;
    let text = format!("\n{report}").replace('\n', "\n          ");
    if report.is_whole() { Ok(text) } else { Err(text) }
}

/// Over IPv4 relays where there are any, as browsers ask for those first.
fn plan(config: &Config) -> Plan {
    let has_v4 = config.relay.relay_addresses.iter().any(IpAddr::is_ipv4);
    Plan::of(if has_v4 { Family::V4 } else { Family::V6 })
}

/// One line for one check; returns 1 for a failure.
fn say(what: &str, outcome: Result<String, String>) -> usize {
    match outcome {
        Ok(found) => {
            println!("ok      {what}: {found}");
            0
        }
        Err(failure) => {
            println!("no      {what}: {failure}");
            1
        }
    }
}
