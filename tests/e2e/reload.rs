//! SIGHUP: other settings while calls go on.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use posthouse_probe::{Allocation, Ask, Target, Way, allocate, binding};
use tokio::net::UdpSocket;

use crate::harness::certificate::Certificate;
use crate::harness::credential::{now, password, time_limited};
use crate::harness::folder::Folder;
use crate::harness::http::{get, request_with};
use crate::harness::settings::SECRET;
use crate::harness::{Server, Settings};

/// What does not come within this time never will.
const LIMIT: Duration = Duration::from_secs(60);
const ANOTHER: &str = "another secret, as long as those that are taken";
const HOUR: Duration = Duration::from_secs(3600);

/// A peer outside that sends back what it hears.
async fn peer(last: u8) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, last), 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            socket.send_to(&buffer[..len], from).await.unwrap();
        }
    });
    address
}

/// There and back, one after the other: a datagram that is lost is an error.
async fn echo(allocation: &mut Allocation, at: SocketAddr, number: u64) {
    let payload = number.to_be_bytes();
    allocation.send(at, Way::Channel, &payload).await.unwrap();
    let received = allocation.receive().await.unwrap_or_else(|failure| panic!("datagram {number}: {failure}"));
    assert_eq!((received.from, received.payload.as_slice()), (at, payload.as_slice()));
}

/// Asks until the answer has the code: workers take settings with their next batch.
async fn refused(target: &Target, code: u16) {
    let end = Instant::now() + LIMIT;
    loop {
        match allocate(target, &Ask::default()).await {
            Err(failure) if failure.code() == Some(code) => return,
            Err(failure) => assert!(Instant::now() < end, "{failure}"),
            Ok(allocation) => allocation.free().await.unwrap(),
        }
        assert!(Instant::now() < end, "never refused with {code}");
    }
}

/// Asks until it is granted.
async fn granted(target: &Target) -> Allocation {
    let end = Instant::now() + LIMIT;
    loop {
        match allocate(target, &Ask::default()).await {
            Ok(allocation) => return allocation,
            Err(failure) => assert!(Instant::now() < end, "{failure}"),
        }
    }
}

fn signed(server: &Server, secret: &str, user: &str) -> Target {
    let (username, password) = time_limited(secret, user, now() + 3600);
    Target::new(server.relay, username, password)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_reloads_of_secrets_limits_and_policy_cost_a_relayed_flow_no_datagram() {
    let server = Server::start(&Settings::default().loopback_peers().limits("binding_rate = 200"));
    let at = peer(2).await;
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    allocation.open(at, Way::Channel).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let flow = tokio::spawn(async move {
        let mut number = 0;
        while !told.load(Ordering::Relaxed) {
            echo(&mut allocation, at, number).await;
            number += 1;
        }
        (allocation, number)
    });
    let one = format!("secrets = [\"{SECRET}\"]");
    let two = format!("secrets = [\"{ANOTHER}\", \"{SECRET}\"]");
    let server = tokio::task::spawn_blocking(move || {
        for round in 0..10 {
            assert!(server.reload(&one, &two).contains("auth.secrets"));
            server.reload(&two, &one);
            let limit = |round: u32| format!("binding_rate = {}", 200 + round);
            let policy = "allow_peers = [\"127.0.0.0/8\"]\n";
            server.reload(&limit(round), &limit(round + 1));
            server.reload(policy, &format!("{policy}deny_peers = [\"192.0.2.0/24\"]\n"));
            server.reload("deny_peers = [\"192.0.2.0/24\"]\n", "");
        }
        server
    });
    let server = server.await.unwrap();
    done.store(true, Ordering::Relaxed);
    let (mut allocation, number) = flow.await.unwrap();
    assert!(number > 50, "only {number} datagrams passed meanwhile");
    assert_eq!(allocation.refresh(HOUR).await.unwrap(), HOUR);
    let metrics = get(server.admin, "/metrics").await.body;
    assert!(metrics.contains("posthouse_config_reloads_total{outcome=\"applied\"} 50"), "{metrics}");
}

#[tokio::test]
async fn a_new_secret_signs_the_old_one_verifies_until_it_is_taken_away() {
    let server = Server::start(&Settings::default());
    let mut old = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    let (one, two) = (format!("[\"{SECRET}\"]"), format!("[\"{ANOTHER}\", \"{SECRET}\"]"));
    server.reload(&one, &two);
    let config = get(server.web, "/v1alpha/iceconfig").await.json();
    let turn = config["iceServers"].as_array().unwrap().iter().find(|server| server["username"].is_string()).unwrap();
    let username = turn["username"].as_str().unwrap();
    assert_eq!(turn["credential"], password(ANOTHER, username));
    let new = granted(&signed(&server, ANOTHER, "bob")).await;
    allocate(&signed(&server, SECRET, "carol"), &Ask::default()).await.unwrap().free().await.unwrap();
    assert_eq!(old.refresh(HOUR).await.unwrap(), HOUR);

    server.reload(&two, &format!("[\"{ANOTHER}\"]"));
    refused(&signed(&server, SECRET, "carol"), 401).await;
    // Carol may have met another worker.
    let end = Instant::now() + LIMIT;
    let failure = loop {
        match old.refresh(HOUR).await {
            Ok(_) => assert!(Instant::now() < end, "never refused"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.code(), Some(401), "{failure}");
    new.free().await.unwrap();
    assert!(!server.log().contains(ANOTHER), "a secret in the log");
}

#[tokio::test]
async fn a_file_of_secrets_is_read_again_too() {
    let server = Server::start(&Settings::default());
    let file = server.config().with_file_name("secrets");
    let write = |lines: &str| {
        std::fs::write(&file, lines).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    };
    write(SECRET);
    let told = server.reload(&format!("secrets = [\"{SECRET}\"]"), "secrets_file = \"secrets\"");
    assert!(told.contains("no setting that can change at once differs"), "a secret that moved is the same: {told}");
    write(&format!("{ANOTHER}\n{SECRET}\n"));
    assert!(server.reload("[rooms]\n", "[rooms]\n").contains("reloaded; changed: auth.secrets"));
    granted(&signed(&server, ANOTHER, "bob")).await.free().await.unwrap();
    write("too short\n");
    let told = server.reload("[rooms]\n", "[rooms]\n");
    assert!(told.contains("reload refused") && told.contains("line 1") && !told.contains("too short\n"), "{told}");
    granted(&signed(&server, ANOTHER, "bob")).await.free().await.unwrap();
}

#[tokio::test]
async fn who_is_about_to_end_reads_no_file_again() {
    let mut server = Server::start(&Settings::default().limits("allocations_per_user = 1"));
    let allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    server.signal("TERM");
    server.wait_for_log("ending");
    refused(&server.target("bob"), 508).await;
    server.signal("HUP");
    // The answer comes after whatever the signal set off; a reload would let new allocations in again.
    for _ in 0..20 {
        refused(&server.target("bob"), 508).await;
    }
    allocation.free().await.unwrap();
    let status = server.ended();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(!server.log().contains("reloaded"), "{}", server.log());
}

#[tokio::test]
async fn a_peer_that_is_denied_by_a_reload_is_cut_off_and_another_is_not() {
    let server = Server::start(&Settings::default().loopback_peers());
    let (near, far) = (peer(2).await, peer(3).await);
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    for at in [near, far] {
        allocation.open(at, Way::Channel).await.unwrap();
        echo(&mut allocation, at, 1).await;
    }
    server.reload("allow_dangerous_peers = true", "allow_dangerous_peers = true\ndeny_peers = [\"127.0.0.2\"]");
    let end = Instant::now() + LIMIT;
    let failure = loop {
        match allocation.permit(near).await {
            Err(failure) => break failure,
            Ok(()) => assert!(Instant::now() < end, "the peer is still let in"),
        }
    };
    assert_eq!(failure.code(), Some(403), "{failure}");
    // What goes to the denied peer is dropped: the next thing that comes back is the other's.
    allocation.send(near, Way::Channel, b"nobody hears this").await.unwrap();
    for number in 0..20 {
        echo(&mut allocation, far, number).await;
    }
}

#[tokio::test]
async fn a_raised_quota_holds_at_once() {
    let server = Server::start(&Settings::default().limits("allocations_per_user = 1"));
    let target = server.target("alice");
    let _first = allocate(&target, &Ask::default()).await.unwrap();
    refused(&target, 486).await;
    server.reload("allocations_per_user = 1", "allocations_per_user = 2");
    let _second = granted(&target).await;
    refused(&target, 486).await;
}

#[tokio::test]
async fn a_static_user_who_is_removed_loses_his_allocation_at_once_and_nobody_else_does() {
    let server =
        Server::start(&Settings::default().user("alice", "wonderland-password").user("bob", "a-password-of-his-own"));
    let of = |name: &str, password: &str| Target::new(server.relay, name, password);
    let mut removed = allocate(&of("alice", "wonderland-password"), &Ask::default()).await.unwrap();
    let mut kept = allocate(&of("bob", "a-password-of-his-own"), &Ask::default()).await.unwrap();
    let mut guest = allocate(&server.target("guest"), &Ask::default()).await.unwrap();
    server.reload("[[auth.users]]\nname = \"alice\"\npassword = \"wonderland-password\"\n", "");
    let end = Instant::now() + LIMIT;
    while removed.refresh(HOUR).await.is_ok() {
        assert!(Instant::now() < end, "the removed user still refreshes");
    }
    let held = "posthouse_relay_allocations 2\n";
    while !get(server.admin, "/metrics").await.body.contains(held) {
        assert!(Instant::now() < end, "the removed user's allocation is still there");
    }
    assert_eq!(kept.refresh(HOUR).await.unwrap(), HOUR);
    assert_eq!(guest.refresh(HOUR).await.unwrap(), HOUR);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_told_as_check_tells_it() {
    let server = Server::start(&Settings::default().loopback_peers().limits("allocations_per_user = 1"));
    let at = peer(2).await;
    let mut allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    allocation.open(at, Way::Channel).await.unwrap();
    let good = std::fs::read_to_string(server.config()).unwrap();
    // Each has a good change beside the bad one: nothing of it may hold.
    let raised = good.replace("allocations_per_user = 1", "allocations_per_user = 5");
    let line = raised.lines().count();
    let cases = [
        (
            format!("{raised}binding_rat = 3\n"),
            format!("posthouse.toml:{}:1: limits.binding_rat: unknown key", line + 1),
        ),
        (format!("{raised}binding_rate = true\n"), "limits.binding_rate: expected a whole number".to_owned()),
        (format!("{raised}binding_rate =\n"), "not TOML".to_owned()),
        (format!("{raised}[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n"), "no.pem: does not exist".to_owned()),
    ];
    let refusals = cases.len();
    for (number, (bad, complaint)) in (0..).zip(cases) {
        let told = server.reload(&std::fs::read_to_string(server.config()).unwrap(), &bad);
        assert!(told.contains("reload refused, the old settings go on: ") && told.contains(&complaint), "{told}");
        echo(&mut allocation, at, number).await;
        refused(&server.target("alice"), 486).await;
    }
    std::fs::remove_file(server.config()).unwrap();
    server.signal("HUP");
    server.wait_for_log("No such file");
    std::fs::write(server.config(), &good).unwrap();
    let told = server.reload("allocations_per_user = 1", "allocations_per_user = 2");
    assert!(told.contains("reloaded; changed: limits.allocations_per_user"), "{told}");
    let _second = granted(&server.target("alice")).await;
    let metrics = get(server.admin, "/metrics").await.body;
    let refused = format!("posthouse_config_reloads_total{{outcome=\"refused\"}} {}", refusals + 1);
    assert!(metrics.contains(&refused), "{metrics}");
}

#[tokio::test]
async fn keys_that_need_a_restart_are_named_and_their_old_values_go_on() {
    let server = Server::start(&Settings::default().limits("allocations_per_user = 1"));
    let spare = SocketAddr::from(([127, 0, 0, 1], server.spare_port));
    let _first = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    let good = std::fs::read_to_string(server.config()).unwrap();
    let changed = good
        .replace(
            &format!("[relay]\nlisten = [\"{}\"]", server.relay),
            &format!("[relay]\nworkers = 7\nlisten = [\"{spare}\"]"),
        )
        .replace("e2e.example.org", "other.example.org")
        .replace("allocations_per_user = 1", "allocations_per_user = 2");
    let told = server.reload(&good, &changed);
    for key in ["relay.listen", "relay.workers", "auth.realm"] {
        assert!(told.contains(&format!("{key} differs and needs a restart; the old value goes on")), "{told}");
    }
    assert!(told.contains("reloaded; changed: limits.allocations_per_user"), "{told}");
    binding(server.relay).await.unwrap();
    let mut old_realm = server.target("alice");
    old_realm.realm = Some("e2e.example.org".to_owned());
    granted(&old_realm).await.free().await.unwrap();
    assert!(std::net::TcpListener::bind(spare).is_ok(), "somebody listens on the new port");
    // It is told at every reload until the restart, because it is true until then.
    let told = server.reload("allocations_per_user = 2", "allocations_per_user = 3");
    assert!(told.contains("relay.workers differs and needs a restart"), "{told}");
}

#[tokio::test]
async fn a_certificate_that_the_file_names_anew_is_served_at_once_and_a_bad_one_never() {
    let (old, new) = (Certificate::new(), Certificate::new());
    let server = Server::start(&Settings::default().tls(&old));
    let mut living = old.connect(server.edge, "http/1.1").await.unwrap();
    let told = server.reload(old.certificate().to_str().unwrap(), new.certificate().to_str().unwrap());
    assert!(told.contains("reload refused") && told.contains("is not the key of the first certificate"), "{told}");
    old.connect(server.edge, "http/1.1").await.unwrap();
    let told = server.reload(old.key().to_str().unwrap(), new.key().to_str().unwrap());
    assert!(told.contains("tls.certificate, tls.key"), "{told}");
    for at in [server.edge, server.relay_tls] {
        new.connect(at, "").await.unwrap();
        assert!(old.connect(at, "").await.is_err(), "the old certificate is still served");
    }
    // Files that changed in place are read again without waiting for somebody to look.
    let third = Certificate::new();
    third.install(&new.certificate(), &new.key());
    server.reload("[rooms]\n", "[rooms]\ncapacity = 5\n");
    third.connect(server.edge, "").await.unwrap();
    // A connection keeps what it began with.
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    living.write_all(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = living.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_no_reason_to_keep_other_settings_back() {
    let (good, expired) = (Certificate::new(), Certificate::expired());
    let server = Server::start(&Settings::default().tls(&good).rooms("capacity = 2"));
    let text = std::fs::read_to_string(server.config()).unwrap();
    let (certificate, key) = (good.certificate(), good.key());
    let changed = text
        .replace(certificate.to_str().unwrap(), expired.certificate().to_str().unwrap())
        .replace(key.to_str().unwrap(), expired.key().to_str().unwrap())
        .replace("capacity = 2", "capacity = 3");
    let told = server.reload(&text, &changed);
    assert!(told.contains("the old certificates serve on") && told.contains("expired on 2020"), "{told}");
    assert!(told.contains("reloaded; changed: rooms.capacity"), "{told}");
    good.connect(server.edge, "").await.unwrap();
}

#[tokio::test]
async fn origins_rooms_and_the_admin_token_change_at_once() {
    let server = Server::start(&Settings::default().rooms("capacity = 2"));
    let join = async |origin| request_with(server.web, Method::POST, "/join/kitchen", &[("Origin", origin)], "").await;
    assert_eq!(join("https://evil.example").await.status, StatusCode::OK);
    assert_eq!(join("https://evil.example").await.status, StatusCode::OK);
    let token = "token = \"correct-horse-0123456789\"\n";
    let good = std::fs::read_to_string(server.config()).unwrap();
    let changed = good
        .replace("[web]\n", "[web]\nallowed_origins = [\"https://app.example\"]\n")
        .replace("[admin]\n", &format!("[admin]\n{token}"))
        .replace("capacity = 2", "capacity = 3");
    let told = server.reload(&good, &changed);
    assert!(told.contains("changed: web.allowed_origins, rooms.capacity, admin.token"), "{told}");
    assert_eq!(join("https://evil.example").await.status, StatusCode::FORBIDDEN);
    let third = join("https://app.example").await;
    assert_eq!(third.json()["result"], "SUCCESS", "{third:?}");
    assert_eq!(get(server.admin, "/metrics").await.status, StatusCode::UNAUTHORIZED);
    let bearer = [("Authorization", "Bearer correct-horse-0123456789")];
    let metrics = request_with(server.admin, Method::GET, "/metrics", &bearer, "").await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(!server.log().contains("correct-horse"), "a token in the log");
}

#[test]
fn systemd_is_told_of_a_reload_from_its_beginning_to_its_end() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let server = Server::start_in(&Settings::default(), &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    let told = || {
        let mut buffer = [0; 1024];
        let len = socket.recv(&mut buffer).expect("a word for systemd");
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    };
    assert!(told().starts_with("READY=1"));
    for (old, new, status) in [
        ("[rooms]\n", "[rooms]\ncapacity = 4\n", "STATUS=serving\n"),
        ("capacity = 4", "capacity = 400", "STATUS=serving with the old settings"),
    ] {
        server.reload(old, new);
        let begun = told();
        let since = begun.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).map(str::parse::<u64>);
        assert!(begun.starts_with("RELOADING=1\n") && matches!(since, Some(Ok(1..))), "{begun}");
        let ended = format!("{}\n", told().trim_end());
        assert!(ended.starts_with("READY=1\n") && ended.contains(status), "{ended}");
    }
}
