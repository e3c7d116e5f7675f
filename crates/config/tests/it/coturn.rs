//! The manual's way from coturn: every option has an answer, every answer is a key, every example is a good file.

use posthouse_config::parse;

use crate::manual::keys;

/// Options that the guides of Matrix, Nextcloud Talk, Jitsi and BigBlueButton set, and those that stand beside them.
const OPTIONS: &str = "listening-port tls-listening-port listening-ip relay-ip external-ip min-port max-port realm \
    server-name use-auth-secret static-auth-secret lt-cred-mech user cert pkey dh-file cipher-list no-tcp-relay \
    denied-peer-ip allowed-peer-ip no-multicast-peers no-loopback-peers allow-loopback-peers user-quota total-quota \
    max-bps bps-capacity stale-nonce fingerprint keep-address-family no-udp no-tcp no-tls no-dtls no-tlsv1 no-tlsv1_1 \
    no-cli no-software-attribute no-stun-backward-compatibility response-origin-only-with-rfc5780 no-rfc5780 mobility \
    alternate-server aux-server relay-threads pidfile log-file syslog verbose prometheus web-admin redis-userdb \
    psql-userdb mysql-userdb redis-statsdb simple-log no-stdout-log no-auth oauth proc-user tcp-proxy-port";

fn section() -> String {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/README.md")).unwrap();
    manual.split("\n## From coturn\n").nth(1).expect("a section").split("\n## ").next().unwrap().to_owned()
}

/// What stands between back quotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Options, our keys and the reason of each row.
fn rows() -> Vec<(Vec<String>, Vec<String>, String)> {
    let owned = |cell: &str| quoted(cell).map(str::to_owned).collect();
    let section = section();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [options, keys, reason @ ..] = cells.as_slice() else { panic!("{row}") };
        (owned(options), owned(keys), reason.join(" | ").trim().to_owned())
    })
    .collect()
}

#[test]
fn every_option_of_the_guides_has_a_key_or_a_reason_why_there_is_none() {
    let rows = rows();
    for option in OPTIONS.split_whitespace() {
        assert_eq!(rows.iter().filter(|(options, ..)| options.iter().any(|o| o == option)).count(), 1, "{option}");
    }
    for (options, keys, reason) in rows {
        assert!(!keys.is_empty() || reason.len() > 10, "{options:?} has neither a key nor a reason");
    }
}

#[test]
fn every_key_in_the_table_is_a_key_of_the_file() {
    let known = keys();
    for (options, keys, _) in rows() {
        for key in keys {
            assert!(known.iter().any(|(path, _)| *path == key), "{key}, for {options:?}, is in no table of the file");
        }
    }
}

#[test]
fn every_option_in_an_example_is_in_the_table() {
    let rows = rows();
    let section = section();
    let examples = section.split("```\n").filter(|block| block.contains("use-auth-secret\n"));
    let mut seen = 0;
    for line in examples.flat_map(str::lines).filter(|line| !line.is_empty()) {
        let option = line.split('=').next().unwrap();
        assert!(rows.iter().any(|(options, ..)| options.iter().any(|known| known == option)), "{option}");
        seen += 1;
    }
    assert!(seen > 50, "{seen} lines of four examples");
}

#[test]
fn the_file_of_each_product_is_good() {
    let section = section();
    let files: Vec<&str> = section.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(files.len(), 4);
    for file in files {
        let loaded = parse(file, "conf/README.md").unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }
}
