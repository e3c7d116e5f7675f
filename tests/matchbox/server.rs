//! The real binary: `POSTHOUSE_BIN`, or the newest of this checkout's builds.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{folder::Folder, ports::Ports};

/// A server that does not come up within this time never will; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Child,
    web: SocketAddr,
    folder: Folder,
    _ports: Ports,
}

impl Server {
    /// Starts the binary with a configuration of its own and waits until it says that it is ready.
    pub(crate) fn start() -> Self {
        let mut ports = Ports::own();
        let mut local = || SocketAddr::from(([127, 0, 0, 1], ports.next()));
        let (web, relay, admin) = (local(), local(), local());
        let relayed = ports.relay_range();
        let toml = format!(
            "[web]\nlisten = [\"{web}\"]\n[admin]\nlisten = [\"{admin}\"]\n\
             [relay]\nlisten = [\"{relay}\"]\nrelay_addresses = [\"127.0.0.1\"]\nports = \"{}-{}\"\n\
             [auth]\nrealm = \"matchbox.test\"\nsecrets = [\"a secret for the matchbox tests only, 0123456789\"]\n",
            relayed.start(),
            relayed.end(),
        );
        let folder = Folder::new();
        let file = folder.file("posthouse.toml", &toml);
        let log = fs::File::create(folder.path().join("log")).expect("a file for the log");
        let child = Command::new(binary())
            .args(["run", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("posthouse starts");
        let mut server = Self { child, web, folder, _ports: ports };
        server.wait_until_ready(admin);
        server
    }

    /// Where a client meets others: what stands behind the host is the only thing that it must be told.
    pub(crate) fn room(&self, room: &str) -> String {
        format!("ws://{}/matchbox/{room}", self.web)
    }

    fn wait_until_ready(&mut self, admin: SocketAddr) {
        let end = Instant::now() + LIMIT;
        while !is_ready(admin) {
            let ended = self.child.try_wait().expect("a child to ask");
            assert!(ended.is_none() && Instant::now() < end, "posthouse is not ready: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends the process by its handle, shows a failed test's log.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("--- what posthouse wrote ---\n{log}---");
        }
    }
}

fn binary() -> PathBuf {
    if let Some(named) = env::var_os("POSTHOUSE_BIN") {
        return named.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let built = ["release", "debug"].map(|profile| target.join(profile).join("posthouse"));
    let age = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    let newest = built.into_iter().filter(|path| path.is_file()).max_by_key(age);
    newest.unwrap_or_else(|| panic!("no posthouse in {}: run cargo build, or set POSTHOUSE_BIN", target.display()))
}

fn is_ready(admin: SocketAddr) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&admin, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
