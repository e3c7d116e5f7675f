//! Coturn's `turnutils_natdiscovery` asks the real binary about NATs of the behaviours that RFC 4787 names.
//!
//! All but one: for a mapping that depends on the address alone the tool goes to the OTHER-ADDRESS of its second answer
//! instead of the first (RFC 5780 §4.3), back to the address it began with, and takes it for a symmetric NAT.
//!
//! ```text
//!   client ── lan ── NAT ── wan ── server
//!   10.1.1.2   10.1.1.1   11.1.1.21   11.1.1.10, 11.1.1.11
//! ```

use std::net::IpAddr;

use crate::harness::namespace::Namespace;
use crate::harness::tools::{run, text, tool};
use crate::harness::{Server, Settings};

const FIRST: &str = "11.1.1.10";
const SECOND: &str = "11.1.1.11";
const CLIENT: &str = "10.1.1.2";

const TOOL: &str = "turnutils_natdiscovery";

/// The default of Linux: a mapping keeps the client's port, whoever the peer is.
const KEEPS_THE_PORT: &str = "masquerade";
const FORWARDS_EVERYTHING: &str = "iifname \"wan\" meta l4proto udp dnat to 10.1.1.2";

/// A server with these two addresses, which the network must have.
fn serve(network: &Namespace, first: &str, second: &str) -> Server {
    let host: IpAddr = first.parse().expect("an address");
    let settings = Settings::default().at(&[host]).relay(&format!("alternate_addresses = [\"{second}\"]"));
    network.run(|| Server::start(&settings))
}

/// What the tool says of the server at `at`, asked from `own` about mapping (`-m`) or filtering (`-f`).
fn discover(client: &Namespace, own: &str, server: &Server, at: &str, flags: &[&str]) -> String {
    let program = tool(TOOL, "coturn").expect("looked for before");
    let port = server.relay.port().to_string();
    let arguments = [flags, &["-L", own, "-p", &port, at]].concat();
    let output = client.run(|| run(60, &program, &arguments));
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

/// A client behind a NAT.
struct Home {
    server: Server,
    client: Namespace,
    _networks: [Namespace; 2],
}

impl Home {
    /// With these nftables statements for what goes out, for what comes in, and for what of that is let in although the
    /// client has not sent to exactly that address and port.
    fn new(outgoing: &str, incoming: &str, let_in: &str) -> Option<Self> {
        tool(TOOL, "coturn")?;
        let (internet, nat, client) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
        internet.cable("wan", &["11.1.1.10/24", "11.1.1.11/24"], &nat, "wan", &["11.1.1.21/24"]);
        nat.cable("lan", &["10.1.1.1/24"], &client, "lan", &["10.1.1.2/24"]);
        client.ip("route add default via 10.1.1.1");
        nat.forward();
        // What is not let in is dropped: refused by the NAT itself, it would take the port in connection tracking.
        nat.nft(&format!(
            "table ip home {{
                set asked {{ type ipv4_addr; flags dynamic; timeout 5m; }}
                chain postrouting {{
                    type nat hook postrouting priority srcnat;
                    oifname \"wan\" {outgoing}
                }}
                chain prerouting {{
                    type nat hook prerouting priority dstnat;
                    {incoming}
                }}
                chain forward {{
                    type filter hook forward priority filter; policy drop;
                    iifname \"lan\" add @asked {{ ip daddr }} accept
                    ct state established,related accept
                    {let_in}
                }}
                chain input {{ type filter hook input priority filter; policy drop; }}
            }}"
        ));
        let server = serve(&internet, FIRST, SECOND);
        Some(Self { server, client, _networks: [internet, nat] })
    }

    fn says(&self, flags: &[&str], verdict: &str) {
        let told = discover(&self.client, CLIENT, &self.server, FIRST, flags);
        assert!(told.contains(verdict), "expected {verdict:?} in\n{told}");
        assert!(!told.contains("No NAT!"), "{told}");
        assert!(!told.contains("ALG detected"), "{told}");
    }
}

#[test]
fn without_a_nat_the_verdict_is_no_nat_in_both_families() {
    if tool(TOOL, "coturn").is_none() {
        return;
    }
    let (Some(internet), Some(client)) = (Namespace::new(), Namespace::new()) else { return };
    let [first6, second6] = ["2a00::10", "2a00::11"];
    let servers = ["11.1.1.10/24", "11.1.1.11/24", "2a00::10/64", "2a00::11/64"];
    internet.cable("wan", &servers, &client, "wan", &["11.1.1.31/24", "2a00::31/64"]);
    for (own, first, second) in [("11.1.1.31", FIRST, SECOND), ("2a00::31", first6, second6)] {
        let server = serve(&internet, first, second);
        for (flag, verdict) in [("-m", "Endpoint Independent Mapping!"), ("-f", "Endpoint Independent Filtering!")] {
            let told = discover(&client, own, &server, first, &[flag]);
            assert!(told.contains("No NAT!") && told.contains(verdict), "{told}");
        }
    }
}

#[test]
fn behind_a_cone_nat_the_mapping_is_endpoint_independent() {
    let Some(home) = Home::new(KEEPS_THE_PORT, "", "") else { return };
    home.says(&["-m"], "NAT with Endpoint Independent Mapping!");
    home.says(&["-f"], "NAT with Address and Port Dependent Filtering!");
    // Lifetime: a second socket asks that the answer go to the first one's mapping (RESPONSE-PORT).
    home.says(&["-t", "-T", "1"], "RFC 5780 response 2");
}

#[test]
fn behind_a_full_cone_nat_nothing_is_filtered() {
    let let_in = "iifname \"wan\" accept";
    let Some(home) = Home::new(KEEPS_THE_PORT, FORWARDS_EVERYTHING, let_in) else { return };
    home.says(&["-m"], "NAT with Endpoint Independent Mapping!");
    home.says(&["-f"], "NAT with Endpoint Independent Filtering!");
    // Long requests and answers, in fragments on their way.
    home.says(&["-f", "-P"], "NAT with Endpoint Independent Filtering!");
}

#[test]
fn behind_a_restricted_cone_nat_the_filtering_is_address_dependent() {
    let let_in = "iifname \"wan\" ip saddr @asked accept";
    let Some(home) = Home::new(KEEPS_THE_PORT, FORWARDS_EVERYTHING, let_in) else { return };
    home.says(&["-f"], "NAT with Address Dependent Filtering!");
}

#[test]
fn behind_a_symmetric_nat_the_mapping_is_address_and_port_dependent() {
    let Some(home) = Home::new("masquerade random,fully-random", "", "") else { return };
    home.says(&["-m"], "NAT with Address and Port Dependent Mapping!");
    home.says(&["-f"], "NAT with Address and Port Dependent Filtering!");
}
