//! The real binary as a child process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use posthouse_probe::Target;

use super::certificate::NAME;
use super::credential;
use super::folder::Folder;
use super::ports::Ports;
use super::settings::{SECRET, Settings};

/// The binary that Cargo built for these tests.
pub(crate) const POSTHOUSE: &str = env!("CARGO_BIN_EXE_posthouse");

/// A server that does not come up, or go down, within this time never will; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Child,
    log: Log,
    folder: Folder,
    pub(crate) web: SocketAddr,
    pub(crate) relay: SocketAddr,
    pub(crate) relay6: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// TURN over TLS and plain TCP, when [`Settings::tls`] was asked for.
    pub(crate) relay_tls: SocketAddr,
    /// Everything on one port, when [`Settings::tls`] was asked for.
    pub(crate) edge: SocketAddr,
    pub(crate) relay_ports: RangeInclusive<u16>,
    /// A port of this test's own where the server does not listen.
    pub(crate) spare_port: u16,
    _ports: Ports,
}

impl Server {
    /// Starts the binary with a configuration of its own and waits until it says that it is ready.
    pub(crate) fn start(settings: &Settings) -> Self {
        Self::start_in(settings, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_in(settings: &Settings, environment: &[(&str, &str)]) -> Self {
        Self::start_as(settings, environment, None)
    }

    /// The same where the admin listener wants a token.
    pub(crate) fn start_as(settings: &Settings, environment: &[(&str, &str)], token: Option<&str>) -> Self {
        let mut ports = Ports::own();
        let mut local = || SocketAddr::from(([127, 0, 0, 1], ports.next()));
        let (web, relay, admin, relay_tls, edge) = (local(), local(), local(), local(), local());
        let relay6 = SocketAddr::from((Ipv6Addr::LOCALHOST, relay.port()));
        let (listen, addresses) = if !settings.hosts.is_empty() {
            let quoted = |texts: Vec<String>| texts.iter().map(|t| format!("{t:?}")).collect::<Vec<_>>().join(", ");
            let listen = settings.hosts.iter().map(|ip| SocketAddr::new(*ip, relay.port()).to_string()).collect();
            (quoted(listen), quoted(settings.hosts.iter().map(ToString::to_string).collect()))
        } else if settings.ipv6 {
            (format!("\"{relay}\", \"{relay6}\""), r#""127.0.0.1", "::1""#.to_owned())
        } else {
            (format!("\"{relay}\""), r#""127.0.0.1""#.to_owned())
        };
        let (relay_ports, spare_port) = (ports.relay_range(), ports.next());
        let mut listeners = vec![
            ("web", format!("listen = [\"{web}\"]")),
            ("relay", format!("listen = [{listen}]")),
            ("relay", format!("relay_addresses = [{addresses}]")),
            ("relay", format!("ports = \"{}-{}\"", relay_ports.start(), relay_ports.end())),
            ("admin", format!("listen = [\"{admin}\"]")),
        ];
        if settings.tls {
            listeners.push(("web", format!("public_url = \"https://{NAME}:{}\"", edge.port())));
            listeners.push(("relay", format!("tls_listen = [\"{relay_tls}\"]")));
            listeners.push(("edge", format!("listen = [\"{edge}\"]")));
        }
        let toml = settings.toml(&listeners);
        let folder = Folder::new();
        let file = folder.file("posthouse.toml", &toml);
        let (child, log) =
            spawn(Command::new(POSTHOUSE).envs(environment.iter().copied()).arg("run").arg("--config").arg(file));
        let mut server = Self {
            child,
            log,
            folder,
            web,
            relay,
            relay6,
            admin,
            relay_tls,
            edge,
            relay_ports,
            spare_port,
            _ports: ports,
        };
        server.wait_until_ready(token);
        server
    }

    /// A target with a fresh time-limited credential for `user`.
    pub(crate) fn target(&self, user: &str) -> Target {
        let (username, password) = credential::time_limited(SECRET, user, credential::now() + 3600);
        Target::new(self.relay, username, password)
    }

    /// Everything that the server has written so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the server has written a line with `wanted`.
    pub(crate) fn wait_for_log(&self, wanted: &str) {
        self.log.wait_for(wanted);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that it runs with.
    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("posthouse.toml")
    }

    /// Replaces a part of the file, sends SIGHUP and waits until the server has told what came of it; that is returned.
    pub(crate) fn reload(&self, old: &str, new: &str) -> String {
        let text = std::fs::read_to_string(self.config()).expect("the file");
        assert!(text.contains(old), "no {old:?} in the file:\n{text}");
        std::fs::write(self.config(), text.replacen(old, new, 1)).expect("the file");
        let told = |log: &str| log.matches("reloaded; ").count() + log.matches("reload refused").count();
        let before = self.log();
        self.signal("HUP");
        self.log.wait_until("the outcome of a reload", |log| told(log) > told(&before));
        self.log()[before.len()..].to_owned()
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        terminate(&mut self.child)
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        ended(&mut self.child)
    }

    /// Resident memory in KiB, from the kernel.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a live process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").trim().parse().expect("a number of kB")
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("a live process").count()
    }

    fn wait_until_ready(&mut self, token: Option<&str>) {
        let end = Instant::now() + LIMIT;
        while !is_ready(self.admin, token.unwrap_or_default()) {
            if let Some(status) = self.child.try_wait().expect("a child to ask") {
                panic!("posthouse ended before it was ready: {status}\n{}", self.log());
            }
            assert!(Instant::now() < end, "posthouse is not ready after {LIMIT:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Shows a failed test's log, ends the process by its handle.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- what posthouse wrote ---\n{}---", self.log());
        }
    }
}

/// The lines of a child's standard output and error, collected while it runs.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a line with `wanted` is there.
    pub(crate) fn wait_for(&self, wanted: &str) {
        self.wait_until(wanted, |log| log.contains(wanted));
    }

    fn wait_until(&self, wanted: &str, is_there: impl Fn(&str) -> bool) {
        let end = Instant::now() + LIMIT;
        while !is_there(&self.text()) {
            assert!(Instant::now() < end, "{wanted:?} was never written:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn follow(&self, from: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let mut text = log.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        });
    }
}

/// Starts a child and follows what it writes.
pub(crate) fn spawn(command: &mut Command) -> (Child, Log) {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Whoever runs the tests is not to be told; a test may listen itself.
    if !command.get_envs().any(|(name, _)| name == "NOTIFY_SOCKET") {
        command.env_remove("NOTIFY_SOCKET");
    }
    let mut child = command.spawn().expect("posthouse starts");
    let log = Log::default();
    log.follow(child.stdout.take().expect("a pipe"));
    log.follow(child.stderr.take().expect("a pipe"));
    (child, log)
}

/// Sends SIGTERM to a child and waits for its end.
pub(crate) fn terminate(child: &mut Child) -> ExitStatus {
    signal(child, "TERM");
    ended(child)
}

fn signal(child: &Child, name: &str) {
    let told = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill");
    assert!(told.success(), "the child is gone already");
}

fn ended(child: &mut Child) -> ExitStatus {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().expect("a child to ask") {
            return status;
        }
        assert!(Instant::now() < end, "the child still runs after {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a verb to its end.
pub(crate) fn verb(arguments: &[&str], folder: &Path) -> std::process::Output {
    let mut command = Command::new(POSTHOUSE);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().expect("posthouse starts")
}

fn is_ready(admin: SocketAddr, token: &str) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&admin, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
