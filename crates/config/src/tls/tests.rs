//! `[tls]` by itself, and beside the listeners that need it.

use super::*;
use crate::load::Loaded;
use crate::source::Source;
use crate::{Edge, Relay, document};

/// What is said about these tables alone: problems, then warnings.
fn said(text: &str) -> (Config, Source, Vec<String>) {
    let (tree, source, problems) = document::parse("posthouse.toml", text).unwrap();
    assert!(problems.is_empty());
    let mut reading = Reading::new(&source, tree.get_ref());
    crate::unknown::check(&mut reading);
    let (tls, edge) = (Tls::read(&mut reading), Edge::read(&mut reading));
    let config = Config { tls, edge, relay: Relay::read(&mut reading), ..Config::default() };
    check(&mut reading, &config);
    let (problems, _, warnings) = reading.finish();
    let lines = problems.into_iter().chain(warnings);
    let heads = lines.map(|problem| problem.to_string().lines().next().unwrap_or_default().to_owned());
    let heads = heads.collect();
    (config, source, heads)
}

const BOTH: &str = "certificate = \"a.pem\"\nkey = \"a.key\"\n";

#[test]
fn a_pair_and_further_pairs_are_read_in_their_order() {
    let text = format!("[tls]\n{BOTH}[[tls.pairs]]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n");
    let (config, _, heads) = said(&text);
    assert!(heads.is_empty(), "{heads:?}");
    let names: Vec<_> = config.tls.all_pairs().into_iter().map(|pair| (pair.certificate, pair.key)).collect();
    assert_eq!(names, [("a.pem".into(), "a.key".into()), ("b.pem".into(), "b.key".into())]);
}

#[test]
fn what_is_shown_is_read_again_as_the_same() {
    let text = format!("[tls]\n{BOTH}pairs = [{{ certificate = \"b\\\"c.pem\", key = \"b.key\" }}]\n");
    let (config, ..) = said(&text);
    let shown: String = config.tls.shown().iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let (again, _, heads) = said(&shown);
    assert!(heads.is_empty(), "{heads:?}");
    assert_eq!(again.tls, config.tls);
}

#[test]
fn one_of_the_two_files_is_not_enough() {
    for (text, head) in [
        (
            "[tls]\ncertificate = \"a\"\n",
            "posthouse.toml:2:15: tls.certificate: expected a certificate and its key, found no key; add key = ",
        ),
        (
            "[tls]\nkey = \"a\"\n",
            "posthouse.toml:2:7: tls.key: expected a certificate and its key, found no certificate; add certificate = ",
        ),
        (
            "[[tls.pairs]]\nkey = \"a\"\n",
            "posthouse.toml:2:7: tls.pairs[0].key: expected a certificate and its key, found no certificate; ",
        ),
        ("[[tls.pairs]]\n", "posthouse.toml:1:1: tls.pairs[0]: expected a certificate and its key, found neither; "),
        (
            "[tls]\ncertificate = \"a\"\nkey = 1\n",
            "posthouse.toml:3:7: tls.key: expected a path in quotes, found the number 1; ",
        ),
        (
            "[[tls.pairs]]\ncertficate = \"a\"\nkey = \"b\"\ncertificate = \"a\"",
            "posthouse.toml:2:1: tls.pairs[0].certficate: unknown key; did you mean \"certificate\"?",
        ),
        ("tls.pairs = [\"a\"]", "posthouse.toml:1:14: tls.pairs[0]: expected tables with a certificate and a key"),
    ] {
        let (_, _, heads) = said(text);
        assert_eq!(heads.len(), 1, "{heads:?}");
        assert!(heads[0].starts_with(head), "{}", heads[0]);
    }
}

#[test]
fn listeners_for_tls_need_a_certificate() {
    let listeners = "[relay]\ntls_listen = [\"11.1.1.1:5349\"]\n[edge]\nlisten = [\"11.1.1.1:443\"]\n";
    let (_, _, heads) = said(listeners);
    let lacks = "expected a certificate for these listeners, found none in [tls]; ";
    assert!(heads[0].starts_with(&format!("posthouse.toml:2:14: relay.tls_listen: {lacks}")), "{heads:?}");
    assert!(heads[1].starts_with(&format!("posthouse.toml:4:10: edge.listen: {lacks}")), "{heads:?}");
    let (_, _, heads) = said(&format!("{listeners}[tls]\n{BOTH}"));
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].contains("edge.listen: links and redirects will name an address"), "{heads:?}");
}

#[test]
fn what_is_found_in_the_files_is_said_at_the_lines_that_name_them() {
    let text = format!("[tls]\n{BOTH}[[tls.pairs]]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n");
    let (mut config, source, _) = said(&text);
    config.tls.begin_at(Path::new("/etc/posthouse"));
    let mut loaded = Loaded::of(config, source);
    let found = |pair: &TlsPair| {
        let doubt = Finding { is_about_key: true, reason: "is open".to_owned(), write: "close it".to_owned() };
        let fault = Finding { is_about_key: false, reason: "expired".to_owned(), write: "renew it".to_owned() };
        if pair.key.ends_with("a.key") { Ok(vec![doubt]) } else { Err(fault) }
    };
    let problems = loaded.check_certificates(found).unwrap_err().to_string();
    let head = "posthouse.toml:5:15: tls.pairs[0].certificate: /etc/posthouse/b.pem: expired; renew it\n";
    assert!(problems.starts_with(head), "{problems}");
    let warning = loaded.warnings[0].to_string();
    assert!(warning.starts_with("posthouse.toml:3:7: tls.key: /etc/posthouse/a.key: is open; close it\n"), "{warning}");
}

#[test]
fn an_absolute_path_begins_nowhere_else() {
    let (mut config, ..) = said("[tls]\ncertificate = \"/a.pem\"\nkey = \"b/../a.key\"\n");
    config.tls.begin_at(Path::new("conf"));
    let pair = &config.tls.all_pairs()[0];
    assert_eq!((&*pair.certificate, &*pair.key), (Path::new("/a.pem"), Path::new("conf/b/../a.key")));
}
