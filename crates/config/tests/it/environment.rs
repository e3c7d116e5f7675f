//! Keys set by the environment.

use std::ffi::OsString;

use posthouse_config::{Complaint, Config, Loaded, Problems, parse, parse_with};

use crate::changes::OTHERS;
use crate::manual::keys;

/// The text with one variable.
fn with(text: &str, name: &str, value: &str) -> Result<Loaded, Problems> {
    parse_with(text, "posthouse.toml", [(OsString::from(name), OsString::from(value))])
}

fn variable(path: &str) -> String {
    format!("POSTHOUSE_{}", path.to_uppercase().replace('.', "_"))
}

#[test]
fn every_key_can_be_set_by_a_variable_and_means_what_it_means_in_the_file() {
    // Alone, these would lack a certificate, or a secret to sign with.
    let pair = "tls.certificate = \"b.pem\"\ntls.key = \"b.key\"\n";
    let signed = "webhooks.secret = \"0123456789abcdef0123456789abcdef\"\n";
    for line in OTHERS.lines().filter(|line| !line.is_empty()) {
        let (path, value) = line.split_once(" = ").unwrap();
        let pair = match path {
            "webhooks.urls" => signed,
            path if path.starts_with("tls.") => "",
            _ => pair,
        };
        let in_file = parse(&format!("{pair}{line}"), "posthouse.toml").unwrap_or_else(|e| panic!("{line}: {e}"));
        let bare = value.trim_matches('"');
        for text in [pair.to_owned(), format!("# {line}\n{pair}")] {
            let loaded = with(&text, &variable(path), bare).unwrap_or_else(|problems| panic!("{line}: {problems}"));
            assert_eq!(loaded.config, in_file.config, "{line}");
            assert!(loaded.effective().contains(&format!("  # {}\n", variable(path))), "{}", loaded.effective());
        }
    }
}

#[test]
fn the_environment_wins_over_the_file_and_check_tells_where_each_value_came_from() {
    let text = "[rooms]\ncapacity = 4\nresume = \"20s\"\n";
    let loaded = with(text, "POSTHOUSE_ROOMS_CAPACITY", "8").unwrap();
    assert_eq!(loaded.config.rooms.capacity, 8);
    let shown = loaded.effective();
    assert!(shown.contains("\ncapacity = 8  # POSTHOUSE_ROOMS_CAPACITY\n"), "{shown}");
    assert!(shown.contains("\nresume = \"20s\"  # posthouse.toml:3\n"), "{shown}");
    assert!(shown.contains("\nmax_message = \"64 KiB\"\n"), "{shown}");
    assert_eq!(loaded.variables().collect::<Vec<_>>(), ["POSTHOUSE_ROOMS_CAPACITY"]);
    assert_eq!(parse(&shown, "shown").unwrap().config, loaded.config);
}

#[test]
fn a_value_of_the_file_that_is_replaced_need_not_be_right() {
    assert!(with("[rooms]\ncapacity = 4000\n", "POSTHOUSE_ROOMS_CAPACITY", "8").is_ok());
    let problems = with("rooms = 4\n", "POSTHOUSE_ROOMS_CAPACITY", "8").unwrap_err().to_string();
    assert!(problems.starts_with("posthouse.toml:1:9: rooms: expected the table [rooms]"), "{problems}");
}

#[test]
fn the_entries_of_a_list_may_stand_between_commas() {
    for value in ["127.0.0.1:80, [::1]:80", "[\"127.0.0.1:80\", \"[::1]:80\"]", "127.0.0.1:80,[::1]:80,"] {
        let loaded = with("", "POSTHOUSE_WEB_LISTEN", value).unwrap_or_else(|problems| panic!("{problems}"));
        let shown: Vec<String> = loaded.config.web.listen.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["127.0.0.1:80", "[::1]:80"]);
    }
    assert!(with("", "POSTHOUSE_WEB_LISTEN", "").unwrap().config.web.listen.is_empty());
}

#[test]
fn what_is_wrong_names_the_variable_and_no_secret() {
    const BAD: &str = "hunter2 \" ] }";
    for (path, _) in keys() {
        let name = variable(&path);
        for value in [BAD, "[\"hunter2\"]", "[{ name = \"a\", password = \"hunter2\" }]", "1\nrelay.ports = 2", "["] {
            let Err(problems) = with("", &name, value) else { continue };
            let text = problems.to_string();
            let first = problems.iter().next().unwrap();
            assert_eq!((first.file.as_str(), &first.place), (name.as_str(), &None), "{path} = {value}: {text}");
            assert!(first.key.starts_with(&path), "{text}");
            let secret = ["auth.secrets", "auth.users", "admin.token", "webhooks.secret"].contains(&path.as_str());
            assert!(!secret || !text.contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn a_variable_for_no_key_is_a_mistake_and_those_of_others_are_not() {
    let problems = with("", "POSTHOUSE_RELAY_PROTS", "50000-60000").unwrap_err().to_string();
    assert_eq!(problems, "POSTHOUSE_RELAY_PROTS: unknown key; did you mean \"POSTHOUSE_RELAY_PORTS\"?");
    for other in
        ["POSTHOUSE_LOG", "POSTHOUSE_SERVICE_HOST", "POSTHOUSE_PORT_3478_UDP", "POSTHOUSE_REQUIRE_TOOLS", "PATH"]
    {
        let loaded = with("", other, "relay=debug").unwrap_or_else(|problems| panic!("{other}: {problems}"));
        assert_eq!(loaded.config, Config::default());
    }
}

#[test]
fn a_value_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(vec![b'a', 0xff]);
    let problems = parse_with("", "posthouse.toml", [("POSTHOUSE_AUTH_REALM".into(), value)]).unwrap_err();
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.file.as_str(), problem.key.as_str()), ("POSTHOUSE_AUTH_REALM", "auth.realm"));
    assert!(matches!(problem.complaint, Complaint::Wrong { .. }));
}

#[test]
fn two_values_that_disagree_are_told_with_the_place_of_each() {
    let secret = "0123456789abcdef-0123456789abcdef";
    let text = "[auth]\nsecrets_file = \"secrets\"\n";
    let problems = with(text, "POSTHOUSE_AUTH_SECRETS", secret).unwrap_err().to_string();
    assert!(problems.starts_with("posthouse.toml:2:16: auth.secrets_file: expected either"), "{problems}");
    let problems = with("[web]\nlisten = [\"127.0.0.1:80\"]", "POSTHOUSE_EDGE_LISTEN", "127.0.0.1:80").unwrap_err();
    assert!(problems.iter().any(|problem| problem.file == "POSTHOUSE_EDGE_LISTEN"), "{problems}");
}
