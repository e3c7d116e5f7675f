//! A dialect that says everything back, and exists in tests alone: what the Autobahn test suite wants to speak to. All
//! between the wire and a dialect is the real thing: listener, handshake, frames, pump.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    pin::Pin,
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use posthouse_rooms::{Body, Message};
use tokio::{net::TcpListener, sync::watch};

use super::{Dialect, Entry, Frame, Hello, Opened, Step, Steps};
use crate::{
    Config, IceConfig, IceServers, NoEvents, Page, PageRequest, Pages, Ports, Rate, RelayControl, RequestContext,
    Signaling, outgoing::Outgoing, peer::Peer,
};

pub(crate) static ENTRY: Entry =
    Entry { name: "echo", takes: |path| path == ["echo"], recognises: |_| false, open, http: None };

fn open(peer: Peer, _: &Hello) -> Opened {
    Ok(Box::new(Echo { peer, bytes: Mutex::default() }))
}

struct Echo {
    peer: Peer,
    /// Binary messages on their way back; each is a nameless body in `outgoing` meanwhile.
    bytes: Mutex<VecDeque<Bytes>>,
}

impl Dialect for Echo {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(std::future::ready(Step::Say(text.to_owned())))
    }

    fn handle_binary<'a>(&'a mut self, bytes: &'a [u8]) -> Steps<'a> {
        self.bytes.lock().push_back(Bytes::copy_from_slice(bytes));
        self.outgoing().open(vec![Message { seq: 0, body: Body::Bye }]);
        Box::pin(std::future::ready(Step::Continue))
    }

    fn frame(&self, _: &Body) -> Frame {
        Frame::Binary(self.bytes.lock().pop_front().unwrap_or_default())
    }

    fn is_registered(&self) -> bool {
        true
    }

    fn gone(&mut self, _: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// Nothing is behind it.
struct Nothing;

impl IceServers for Nothing {
    fn ice_servers(&self, _: &str, _: &RequestContext<'_>) -> IceConfig {
        IceConfig::default()
    }
}

impl RelayControl for Nothing {
    fn end_user(&self, _: &str) {}

    fn revoke_user(&self, _: &str) {}
}

impl Pages for Nothing {
    fn page(&self, _: PageRequest<'_>) -> Option<Page> {
        None
    }
}

/// Wide enough for Autobahn's largest messages (16 MiB) and smallest pieces: 4 MiB in frames of 64 bytes and an empty one,
/// of which a message may have one for each KiB of `max_message`.
fn config() -> Config {
    let (mut config, without) = (Config::default(), Rate { per_second: 0, burst: 0 });
    config.rooms.max_message = 65 * 1024 * 1024;
    (config.rates.socket_messages, config.rates.socket_pings) = (without, without);
    (config.timing.write, config.timing.dead) = (Duration::from_secs(600), Duration::from_secs(600));
    config
}

/// The verdict on each case: its own, and that on how the connection was closed.
fn verdicts(folder: &Path) -> Vec<(String, [String; 2])> {
    let index = std::fs::read_to_string(folder.join("index.json")).expect("Autobahn writes its verdicts");
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let cases = index["Posthouse"].as_object().expect("a verdict on Posthouse");
    let of = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap_or("none").to_owned();
    cases.iter().map(|(name, case)| (name.clone(), ["behavior", "behaviorClose"].map(|key| of(case, key)))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "how many cases ran, for whoever runs it by hand")]
#[ignore = "needs Autobahn's wstest: tests/autobahn/run"]
async fn autobahn_finds_no_failure() {
    let wstest = PathBuf::from(std::env::var_os("POSTHOUSE_WSTEST").expect("POSTHOUSE_WSTEST names Autobahn's wstest"));
    let cases = std::env::var("POSTHOUSE_AUTOBAHN_CASES").unwrap_or_else(|_| "1 2 3 4 5 6 7 9 10".to_owned());
    let cases: Vec<String> = cases.split(' ').map(|case| format!("{case}.*")).collect();
    let folder = wstest.with_file_name("report");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/echo", listener.local_addr().unwrap());
    let ports = Ports {
        ice: Arc::new(Nothing),
        relay: Arc::new(Nothing),
        pages: Arc::new(Nothing),
        events: Arc::new(NoEvents),
    };
    let (_drain, draining) = watch::channel(false);
    tokio::spawn(Signaling::new(config(), ports).serve(listener, draining));
    let spec = serde_json::json!({
        "outdir": folder, "servers": [{"agent": "Posthouse", "url": url}], "cases": cases,
        "exclude-cases": [], "exclude-agent-cases": {},
    });
    let file = wstest.with_file_name("posthouse.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let run = move || Command::new(wstest).args(["-m", "fuzzingclient", "-s"]).arg(file).status();
    assert!(tokio::task::spawn_blocking(run).await.unwrap().unwrap().success());
    let verdicts = verdicts(&folder);
    assert!(verdicts.len() > 200 || cases.len() < 9, "only {} cases ran", verdicts.len());
    let good = |verdict: &String| ["OK", "NON-STRICT", "INFORMATIONAL"].contains(&verdict.as_str());
    let bad: Vec<_> = verdicts.iter().filter(|(_, verdicts)| !verdicts.iter().all(good)).collect();
    let lenient: Vec<&str> =
        verdicts.iter().filter(|(_, [own, _])| own == "NON-STRICT").map(|(name, _)| name.as_str()).collect();
    println!("{} cases, {} not good, not strict: {lenient:?}", verdicts.len(), bad.len());
    assert!(bad.is_empty(), "{bad:#?}");
    // Invalid UTF-8 within one frame is found when the frame is whole, not at the first bad byte.
    assert!(lenient.iter().all(|case| case.starts_with("6.4.")), "{lenient:?}");
}
