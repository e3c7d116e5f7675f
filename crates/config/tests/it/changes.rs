//! What a reload may change.

use posthouse_config::{Applies, Complaint, Config, parse};

use crate::manual::keys;

/// A value of each key that is not its default. Keys that are only right together share a line.
pub(crate) const OTHERS: &str = r#"
web.listen = ["127.0.0.1:8099"]
web.public_url = "http://meet.example.org"
web.trusted_proxies = ["10.0.0.1"]
web.allowed_origins = ["https://app.example"]
rooms.capacity = 3
rooms.resume = "20s"
signaling.max_message = "32 KiB"
signaling.disabled = ["yjs"]
signaling.root = "auto"
signaling.collider.require_join = false
signaling.hello.legacy = true
signaling.hello.leave = true
signaling.peerjs.keys = ["app"]
signaling.peerjs.join = "token"
signaling.peerjs.allow_discovery = true
signaling.peerjs.expire_timeout = "10s"
signaling.v1.resume = "30s"
signaling.v1.create = "key"
signaling.v1.join = "token"
signaling.v1.api_keys = ["0123456789abcdef-0123456789abcdef"]
signaling.v1.token_secrets = ["0123456789abcdef-0123456789abcdef"]
signaling.v1.token_public_keys = ["MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="]
relay.listen = ["127.0.0.1:3499"]
relay.tls_listen = ["127.0.0.1:5349"]
relay.relay_addresses = ["127.0.0.2"]
relay.external_addresses = ["203.0.113.10"]
relay.ports = "50000-60000"
relay.alternate_addresses = ["127.0.0.2"]
relay.alternate_port = 3500
relay.alternate_server = ["203.0.113.20:3478"]
relay.alternate_domain = "turn2.example.org"
relay.deny_peers = ["192.0.2.0/24"]
relay.allow_peers = ["10.0.5.0/24"]
relay.allow_dangerous_peers = true
relay.tcp_allocations = true
relay.mobility = true
relay.workers = 3
relay.engine = "mmsg"
relay.coalesce = "0s"
auth.realm = "example.org"
auth.secrets = ["0123456789abcdef-0123456789abcdef"]
auth.credential_lifetime = "2h"
auth.nonce_lifetime = "5m"
auth.max_session = "2h"
webhooks.urls = ["http://127.0.0.1:9/"]
webhooks.secret = "0123456789abcdef0123456789abcdef"
webhooks.events = ["room-opened"]
auth.strict_expiry = true
auth.users = [{ name = "alice", password = "correct-horse-battery" }]
limits.allocations_per_user = 5
limits.allocations_per_prefix = 50
limits.allocations_total = 500
limits.allocation_bandwidth = "1 MiB"
limits.user_bandwidth = "1 MiB"
limits.total_bandwidth = "1 MiB"
limits.binding_rate = 100
limits.unauthenticated_rate = 5
tls.pairs = [{ certificate = "a.pem", key = "a.key" }]
edge.listen = ["127.0.0.1:4443"]
admin.listen = ["127.0.0.1:9699"]
admin.token = "correct-horse-0123456789"
log.level = "debug"
log.format = "json"
"#;

/// Keys whose old value goes on until a restart: all of sockets, threads, and names that living clients sign with.
const AT_RESTART: [&str; 15] = [
    "web.listen",
    "relay.listen",
    "relay.tls_listen",
    "relay.relay_addresses",
    "relay.external_addresses",
    "relay.ports",
    "relay.alternate_addresses",
    "relay.alternate_port",
    "relay.workers",
    "relay.engine",
    "relay.coalesce",
    "auth.realm",
    "edge.listen",
    "admin.listen",
    "log.format",
];

/// A certificate, for lines that need one.
const PAIR: &str = "tls.certificate = \"b.pem\"\ntls.key = \"b.key\"\n";

fn config(text: &str) -> Config {
    parse(text, "posthouse.toml").unwrap_or_else(|problems| panic!("{text}: {problems}")).config
}

#[test]
fn every_key_that_differs_is_named_and_its_old_value_goes_on_where_a_restart_is_needed() {
    for (path, _) in keys().into_iter().filter(|(path, _)| !path.starts_with("tls.")) {
        let Some(line) = OTHERS.lines().find(|line| line.starts_with(&format!("{path} ="))) else {
            assert!(is_not_available(&path) || path == "auth.secrets_file", "{path} stands in no line above");
            continue;
        };
        // Other listeners bring other relay addresses along.
        let fixed = if path.ends_with("listen") { "relay.relay_addresses = [\"127.0.0.1\"]\n" } else { "" };
        // URLs need a secret beside them, before and after.
        let signed =
            if path == "webhooks.urls" { "webhooks.secret = \"0123456789abcdef0123456789abcdef\"\n" } else { "" };
        let (old, new) = (config(&format!("{PAIR}{signed}")), config(&format!("{PAIR}{fixed}{signed}{line}")));
        let reloaded = old.replaced_by(new.clone());
        let waits = AT_RESTART.contains(&path.as_str());
        let told: Vec<_> = reloaded.changes.iter().map(|change| (change.key, change.applies)).collect();
        let applies = if waits { Applies::AtRestart } else { Applies::Now };
        assert_eq!(told, [(path.as_str(), applies)]);
        assert_eq!(reloaded.config, if waits { old.clone() } else { new }, "{path}");
    }
}

#[test]
fn the_manual_names_every_key_that_needs_a_restart() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/README.md")).unwrap();
    let row = manual.lines().find(|line| line.contains("**needs a restart**")).expect("a row of the reload table");
    for key in AT_RESTART {
        assert!(row.contains(&format!("`{key}`")), "{key} is not named in: {row}");
    }
}

/// Its feature has not arrived, so no file can set it to anything else.
fn is_not_available(path: &str) -> bool {
    let text = ["true", "[\"203.0.113.11\"]", "\"a\"", "[\"a\"]"].map(|value| format!("{path} = {value}"));
    let complaints = text.iter().filter_map(|text| parse(text, "posthouse.toml").err());
    complaints
        .into_iter()
        .any(|problems| problems.iter().any(|problem| matches!(problem.complaint, Complaint::Unavailable { .. })))
}

#[test]
fn certificates_may_change_at_any_time() {
    let reloaded = config(PAIR).replaced_by(config("tls.pairs = [{ certificate = \"a.pem\", key = \"a.key\" }]"));
    let told: Vec<_> = reloaded.changes.iter().map(|change| (change.key, change.applies)).collect();
    assert_eq!(told, [("tls.certificate", Applies::Now), ("tls.key", Applies::Now), ("tls.pairs", Applies::Now)]);
}

#[test]
fn a_file_that_says_the_same_changes_nothing() {
    let text = include_str!("good.toml");
    let reloaded = config(text).replaced_by(config(&format!("# another comment\n{text}")));
    assert!(reloaded.changes.is_empty(), "{:?}", reloaded.changes);
}

#[test]
fn what_a_listener_that_goes_on_needs_goes_on_with_it() {
    let cases = [
        ("edge.listen = [\"127.0.0.1:4443\"]\nweb.public_url = \"https://meet.example.org\"\n", "web.public_url"),
        ("relay.tls_listen = [\"127.0.0.1:5349\"]\n", "tls.certificate"),
        ("admin.listen = [\"203.0.113.9:9641\"]\nadmin.token = \"correct-horse-0123456789\"\n", "admin.token"),
    ];
    for (text, key) in cases {
        let pair = if key == "admin.token" { "" } else { PAIR };
        let old = config(&format!("{pair}{text}"));
        let reloaded = old.replaced_by(Config::default());
        assert_eq!(reloaded.config, old, "{text}");
        let waits = |change: &&posthouse_config::Change| change.key == key && change.applies == Applies::AtRestart;
        assert_eq!(reloaded.changes.iter().filter(waits).count(), 1, "{:?}", reloaded.changes);
    }
}

#[test]
fn no_client_is_sent_in_a_circle_by_a_listener_that_moves_at_the_next_start() {
    let old = config("");
    let new = "relay.listen = [\"127.0.0.1:3499\"]\nrelay.relay_addresses = [\"127.0.0.1\"]\n\
               relay.alternate_server = [\"127.0.0.1:3478\"]\nrelay.alternate_domain = \"turn2.example.org\"";
    let reloaded = old.replaced_by(config(new));
    assert_eq!(reloaded.config, old);
    let told: Vec<_> = reloaded.changes.iter().map(|change| (change.key, change.applies)).collect();
    let keys = ["relay.listen", "relay.alternate_server", "relay.alternate_domain"];
    assert_eq!(told, keys.map(|key| (key, Applies::AtRestart)));
}
