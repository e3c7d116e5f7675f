//! TURN over TCP and TLS, and the one port that serves pages, WebSockets and TURN, as clients by other people meet them.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::Value;

use crate::harness::certificate::{Certificate, NAME};
use crate::harness::collider::Collider;
use crate::harness::coturn::{Coturn, PEER};
use crate::harness::folder::Folder;
use crate::harness::http::{Answer, get, post, request_on};
use crate::harness::server::verb;
use crate::harness::settings::SECRET;
use crate::harness::tools::text;
use crate::harness::{Server, Settings};

const BOB: [&str; 4] = ["-u", "bob", "-W", SECRET];
const ALICE: [&str; 4] = ["-u", "alice", "-w", "wonderland-password"];

/// sysexits.h: a configuration that makes no sense.
const CONFIG: i32 = 78;

fn settings(certificate: &Certificate) -> Settings {
    Settings::default().tls(certificate).user("alice", "wonderland-password").loopback_peers()
}

/// Channels and Send indications, for a user of the shared secret and a static one.
fn relays_for_everybody(coturn: &Coturn, port: u16, transport: &[&str]) {
    for user in [BOB, ALICE] {
        for mode in [&["-c"][..], &["-c", "-s"]] {
            coturn.relays_all(port, &[transport, &user, mode].concat());
        }
    }
}

#[test]
fn turn_over_tcp_loses_nothing_on_any_listener() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    relays_for_everybody(&coturn, coturn.server.relay.port(), &["-t"]);
    // Plain TCP on a port for TLS: libnice does so with `turns:` URLs.
    coturn.relays_all(coturn.server.relay_tls.port(), &[&["-t", "-c"][..], &BOB].concat());
    coturn.relays_all(coturn.server.edge.port(), &[&["-t", "-c"][..], &BOB].concat());
}

#[test]
fn two_clients_over_tcp_reach_each_other_relay_to_relay() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    for mode in [&["-t", "-c", "-y"][..], &["-t", "-c", "-y", "-s"]] {
        coturn.relays_all(coturn.server.relay.port(), &[mode, &BOB].concat());
    }
}

#[test]
fn turn_over_tls_loses_nothing_on_the_port_for_tls() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let authority = certificate.certificate();
    relays_for_everybody(&coturn, coturn.server.relay_tls.port(), &["-S", "-t", "-E", authority.to_str().unwrap()]);
}

#[test]
fn turn_over_tls_loses_nothing_on_the_port_for_everything() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let authority = certificate.certificate();
    relays_for_everybody(&coturn, coturn.server.edge.port(), &["-S", "-t", "-E", authority.to_str().unwrap()]);
}

#[test]
fn a_wrong_secret_gets_no_allocation_over_tls() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let port = coturn.server.edge.port().to_string();
    let arguments = ["-S", "-t", "-c", "-n", "1", "-u", "bob", "-W", "another secret", "-e", PEER, "-p", &port];
    let output = coturn.uclient(5, &[&arguments[..], &["127.0.0.1"]].concat());
    let told = text(&output);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("Cannot complete Allocation"), "{told}");
}

/// A request over HTTPS on the port for everything.
async fn secure(server: &Server, certificate: &Certificate, method: Method, path: &str) -> Answer {
    let stream = certificate.connect(server.edge, "http/1.1").await.expect("a TLS handshake");
    request_on(stream, &host(server), method, path, "").await
}

fn host(server: &Server) -> String {
    format!("{NAME}:{}", server.edge.port())
}

/// Joins a room over HTTPS: `params` of the answer.
async fn join(server: &Server, certificate: &Certificate) -> Value {
    let answer = secure(server, certificate, Method::POST, "/join/kitchen").await.json();
    assert_eq!(answer["result"], "SUCCESS", "{answer}");
    answer["params"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_rooms_websocket_and_turn_share_one_port_at_the_same_time() {
    let certificate = Certificate::new();
    let Some(coturn) = Coturn::start(&settings(&certificate)) else { return };
    let server = &coturn.server;
    let (alice, bob) = (join(server, &certificate).await, join(server, &certificate).await);
    let url = format!("wss://{}/ws", host(server));
    assert_eq!(alice["wss_url"], url.as_str());
    let ice = iceconfig(server, &certificate, &alice).await;
    let relaying = std::thread::scope(|scope| {
        let turn = scope.spawn(|| relays_with(&coturn, &certificate, &ice));
        // The test's own thread: other workers go on with what it spawned.
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let mut hears = socket(server, &certificate, &url, &alice).await;
                let mut tells = socket(server, &certificate, &url, &bob).await;
                let mut rounds = 0;
                while !turn.is_finished() || rounds == 0 {
                    let page = secure(server, &certificate, Method::GET, "/r/kitchen").await;
                    assert_eq!(page.status, StatusCode::OK, "{page:?}");
                    assert!(page.body.contains(r#"id="join""#), "the page of a room");
                    tells.send(&format!("round {rounds}")).await;
                    assert_eq!(hears.message().await, format!("round {rounds}"));
                    rounds += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                rounds
            })
        })
    });
    assert!(relaying > 1, "page and WebSocket were served while TURN ran");
}

async fn socket(
    server: &Server,
    certificate: &Certificate,
    url: &str,
    seat: &Value,
) -> Collider<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
    let stream = certificate.connect(server.edge, "http/1.1").await.expect("a TLS handshake");
    let mut collider = Collider::on(stream, url).await;
    collider.enter("kitchen", seat["client_id"].as_str().expect("client_id is a string")).await;
    collider
}

/// The entry of the relay in what `/v1alpha/iceconfig` answers, over HTTPS.
async fn iceconfig(server: &Server, certificate: &Certificate, seat: &Value) -> Value {
    let url = seat["ice_server_url"].as_str().expect("ice_server_url is a string");
    let origin = format!("https://{}", host(server));
    let path = url.strip_prefix(&origin).unwrap_or_else(|| panic!("{url} is not below {origin}"));
    let answer = secure(server, certificate, Method::POST, path).await.json();
    let servers = answer["iceServers"].as_array().unwrap_or_else(|| panic!("no iceServers in {answer}"));
    let relay = servers.iter().find(|entry| entry["username"].is_string()).expect("an entry with a username");
    for port in [server.edge.port(), server.relay_tls.port()] {
        let expected = Value::from(format!("turns:{NAME}:{port}?transport=tcp"));
        let urls = relay["urls"].as_array().expect("urls is an array");
        assert!(urls.contains(&expected), "no {expected} in {urls:?}");
    }
    relay.clone()
}

/// TURN over TLS through the port for everything, with the credential that a browser gets.
fn relays_with(coturn: &Coturn, certificate: &Certificate, ice: &Value) {
    let text = |key: &str| ice[key].as_str().expect("a string");
    let authority = certificate.certificate();
    let flags = ["-S", "-t", "-c", "-E", authority.to_str().unwrap()];
    let user = ["-u", text("username"), "-w", text("credential")];
    coturn.relays_all(coturn.server.edge.port(), &[&flags[..], &user].concat());
}

#[tokio::test]
async fn plain_http_on_the_port_for_everything_is_sent_to_https_at_the_same_path() {
    let certificate = Certificate::new();
    let server = Server::start(&settings(&certificate));
    let answer = get(server.edge, "/r/kitchen?audio=false").await;
    assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY, "{answer:?}");
    let expected = format!("https://{}/r/kitchen?audio=false", host(&server));
    assert_eq!(answer.headers["location"], expected.as_str());
    let posted = post(server.edge, "/join/kitchen", "").await;
    assert_eq!(posted.status, StatusCode::BAD_REQUEST, "{posted:?}");
}

#[tokio::test]
async fn a_replaced_certificate_is_seen_by_new_connections_and_a_broken_pair_leaves_the_old_one() {
    let (old, new) = (Certificate::new(), Certificate::new());
    let server = Server::start(&settings(&old));
    let (certificate, key) = (old.certificate(), old.key());
    assert!(old.connect(server.edge, "http/1.1").await.is_ok(), "the first certificate serves");
    assert!(new.connect(server.edge, "http/1.1").await.is_err(), "nobody shows a certificate that was not installed");

    std::fs::write(&key, "no key at all").unwrap();
    server.wait_for_log("the old certificates serve on");
    for listener in [server.edge, server.relay_tls] {
        assert!(old.connect(listener, "").await.is_ok(), "the old certificate serves on");
    }

    new.install(&certificate, &key);
    server.wait_for_log("certificates reloaded");
    for listener in [server.edge, server.relay_tls] {
        assert!(new.connect(listener, "").await.is_ok(), "the new certificate serves");
        assert!(old.connect(listener, "").await.is_err(), "the old certificate does not");
    }
    let page = secure(&server, &new, Method::GET, "/").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
}

#[test]
fn check_and_run_name_line_and_column_of_a_key_file_that_is_not_there() {
    let folder = Folder::new();
    let certificate = Certificate::new();
    let toml = format!(
        "[relay]\ntls_listen = [\"127.0.0.1:5349\"]\n[tls]\ncertificate = {:?}\nkey = \"absent.pem\"\n",
        certificate.certificate()
    );
    folder.file("tls.toml", &toml);
    for arguments in [&["check", "tls.toml"][..], &["run", "--config", "tls.toml"]] {
        let output = verb(arguments, folder.path());
        let told = text(&output);
        assert_eq!(output.status.code(), Some(CONFIG), "{told}");
        assert!(told.contains("tls.toml:5:") && told.contains("absent.pem"), "{told}");
        assert!(told.contains("does not exist"), "{told}");
    }
}
