//! ICE credentials over HTTP, in each of their shapes: what is handed out relays, and lives as long as it says.

use posthouse_probe::{Plan, Target, echo};
use serde_json::Value;

use crate::harness::credential::now;
use crate::harness::http::{Answer, get};
use crate::harness::{Server, Settings};

/// What a client takes out of an answer.
struct Told {
    username: String,
    password: String,
    urls: Vec<String>,
    seconds: u64,
}

/// Asks twice around the clock's reading, then relays with what was told.
async fn held_to_its_word(path: &str, read: fn(&Answer) -> Told) {
    let server = Server::start(&Settings::default());
    let before = now();
    let answer = get(server.web, path).await;
    let after = now();
    assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    let told = read(&answer);
    let expiry = told.username.split(':').next().and_then(|expiry| expiry.parse::<u64>().ok()).expect("EXPIRY:NAME");
    assert!(
        (before + told.seconds..=after + told.seconds).contains(&expiry),
        "{path}: {expiry} at {before} to {after}"
    );
    let expected = format!("turn:{}?transport=udp", server.relay);
    assert!(told.urls.contains(&expected), "{path}: no {expected} in {:?}", told.urls);
    let report = echo(&Target::new(server.relay, told.username, told.password), &Plan::default()).await.unwrap();
    assert!(report.is_whole(), "{path}: {report}");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text, got {value}")).to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("an array").iter().map(text).collect()
}

fn turn_rest(answer: &Answer) -> Told {
    let body = answer.json();
    Told {
        username: text(&body["username"]),
        password: text(&body["password"]),
        urls: texts(&body["uris"]),
        seconds: body["ttl"].as_u64().expect("seconds"),
    }
}

fn ice_servers(answer: &Answer) -> Told {
    let body = answer.json();
    let servers = body["iceServers"].as_array().expect("an array");
    let relay = servers.iter().find(|server| server["username"].is_string()).expect("a relay");
    Told {
        username: text(&relay["username"]),
        password: text(&relay["credential"]),
        urls: texts(&relay["urls"]),
        seconds: text(&body["lifetimeDuration"]).trim_end_matches(".000s").parse().expect("whole seconds"),
    }
}

/// `<URL>; rel="ice-server"; username="..."; credential="..."`, once for each URL. How long it lives is in the body.
fn links(answer: &Answer) -> Told {
    let headers = answer.headers.get_all("link").iter().map(|link| link.to_str().expect("ASCII"));
    let relays: Vec<&str> = headers.filter(|link| link.contains("username=")).collect();
    let value = |link: &str, key: &str| {
        let behind = link.split_once(&format!("{key}=\"")).expect("the parameter").1;
        behind.split_once('"').expect("its end").0.to_owned()
    };
    let url = |link: &&str| link[1..].split_once(">; rel=\"ice-server\";").expect("a link").0.to_owned();
    Told {
        username: value(relays[0], "username"),
        password: value(relays[0], "credential"),
        urls: relays.iter().map(url).collect(),
        seconds: ice_servers(answer).seconds,
    }
}

#[tokio::test]
async fn the_turn_rest_shape_relays_and_lives_as_long_as_it_says() {
    held_to_its_word("/turn?service=turn&username=alice", turn_rest).await;
}

#[tokio::test]
async fn the_matrix_shape_relays_and_lives_as_long_as_it_says() {
    held_to_its_word("/_matrix/client/v3/voip/turnServer", turn_rest).await;
}

#[tokio::test]
async fn the_links_relay_and_live_as_long_as_they_say() {
    held_to_its_word("/ice", links).await;
}

#[tokio::test]
async fn the_apprtc_shape_relays_and_lives_as_long_as_it_says() {
    for path in ["/ice", "/v1alpha/iceconfig"] {
        held_to_its_word(path, ice_servers).await;
    }
}
