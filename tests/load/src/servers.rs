//! The programs under test: started here, pinned, ended by their handle.

mod bare;
mod coturn;
mod external;
mod posthouse;

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::dialogue::{Dialect, Dialogue, Goal};
use crate::endpoint::{self, Certificate, Endpoint, Transport};
use crate::kernel;

pub use external::External;

/// The user of every server that is started here.
const USERNAME: &str = "load";
const PASSWORD: &str = "a-password-for-the-load-generator";
const REALM: &str = "load.test";
/// Where listeners stand after the first port.
const WEB: u16 = 1;
const ADMIN: u16 = 2;
const TLS: u16 = 3;
/// A server that does not answer so long after its start has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that may be measured.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its column in the report.
    pub name: String,
    /// How to start it.
    pub kind: Kind,
}

/// How to start a server.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `turnserver` of the system.
    Coturn,
    /// A binary of ours.
    Posthouse {
        /// The program.
        binary: PathBuf,
        /// `relay.engine`, where it is not to be the default.
        engine: Option<String>,
    },
    /// The yardstick; `join`: with UDP_GRO and UDP_SEGMENT.
    Bare {
        /// GSO and GRO.
        join: bool,
    },
    /// Somebody else started it.
    External(External),
}

/// Where servers run.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// The processor that servers are pinned to.
    pub processor: usize,
    /// Whether they run in real time.
    pub realtime: bool,
    /// With it servers listen for TLS too.
    pub tls: Option<&'static Certificate>,
}

/// A server that answers; killed when dropped, unless it is external.
pub struct Server {
    /// Its column in the report.
    pub name: String,
    /// Where clients send to, over UDP and TCP.
    pub listen: SocketAddrV4,
    /// How to talk to it.
    pub dialect: Dialect,
    pid: u32,
    child: Option<(Child, PathBuf)>,
}

impl Candidate {
    /// Starts it on a loopback address of its own and waits until it answers.
    ///
    /// # Errors
    /// The words for the report, with the end of what the server wrote.
    pub fn start(&self, ip: Ipv4Addr, ground: Ground) -> Result<Server, String> {
        if let Kind::External(external) = &self.kind {
            return Ok(external.server(&self.name));
        }
        let directory = std::env::temp_dir().join(format!("posthouse-load-{}-{ip}", std::process::id()));
        fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        let port = free_port(ip)?;
        let listen = SocketAddrV4::new(ip, port);
        let (mut command, dialect) = match &self.kind {
            Kind::Coturn => coturn::command(listen, &directory, ground.tls)?,
            Kind::Posthouse { binary, engine } => {
                posthouse::command(binary, engine.as_deref(), listen, &directory, ground.tls)?
            }
            Kind::Bare { join } => bare::command(listen, *join)?,
            Kind::External(_) => unreachable!("external servers were handled above"),
        };
        let child = spawn(&mut command, &directory, ground)?;
        let server =
            Server { name: self.name.clone(), listen, dialect, pid: child.id(), child: Some((child, directory)) };
        server.wait_until_ready()?;
        Ok(server)
    }
}

impl Server {
    /// Where clients reach it.
    #[must_use]
    pub fn address(&self, transport: Transport) -> SocketAddrV4 {
        match transport {
            Transport::Udp | Transport::Tcp => self.listen,
            Transport::Tls => SocketAddrV4::new(*self.listen.ip(), self.listen.port() + TLS),
        }
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process has ended, and what it wrote last.
    pub fn ended(&mut self) -> Option<String> {
        let (child, directory) = self.child.as_mut()?;
        let status = child.try_wait().ok().flatten()?;
        Some(format!("{} ended with {status}; it wrote: {}", self.name, last_words(directory)))
    }

    /// One whole allocation, made and deleted.
    fn wait_until_ready(&self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let mut endpoint = Endpoint::open(3, false).map_err(|e| format!("a socket for the first client: {e}"))?;
            match first_words(&mut endpoint, self) {
                Ok(()) => return Ok(()),
                Err(words) if start.elapsed() > PATIENCE => {
                    let log = self.child.as_ref().map(|(_, directory)| last_words(directory)).unwrap_or_default();
                    return Err(format!("{} does not serve: {words}; it wrote: {log}", self.name));
                }
                Err(_) => sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, directory)) = &mut self.child {
            // Already ended, or ended by this: both are what is wanted.
            _ = child.kill();
            _ = child.wait();
            _ = fs::remove_dir_all(directory);
        }
    }
}

/// Like `converse`, but gives up after half a second, because a server that still starts drops what it gets.
fn first_words(endpoint: &mut Endpoint, server: &Server) -> Result<(), String> {
    let mut dialect = server.dialect.clone();
    let mut dialogue = Dialogue::new(0);
    for goal in [Goal::Allocated, Goal::Deleted] {
        dialogue.aim(goal);
        let (start, mut reached, mut ask) = (Instant::now(), false, true);
        while !reached {
            if ask {
                endpoint
                    .push(0, server.listen, 0, |bytes| dialogue.write(&dialect, bytes))
                    .map_err(|e| e.to_string())?;
                endpoint.flush().map_err(|e| e.to_string())?;
            }
            ask = false;
            let mut result = Ok(());
            let each = |_, _, bytes: &[u8]| match dialogue.answer(&mut dialect, goal, bytes) {
                Ok(crate::dialogue::Progress::Ask) => ask = true,
                Ok(crate::dialogue::Progress::Reached) => reached = true,
                Ok(crate::dialogue::Progress::Ignored) => {}
                Err(words) => result = Err(words),
            };
            endpoint.receive(each).map_err(|e| e.to_string())?;
            result?;
            if start.elapsed() > Duration::from_millis(500) {
                return Err("no answer".into());
            }
            sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

fn spawn(command: &mut Command, directory: &Path, ground: Ground) -> Result<Child, String> {
    let log = fs::File::create(directory.join("log")).map_err(|e| format!("a log in {}: {e}", directory.display()))?;
    let errors = log.try_clone().map_err(|e| e.to_string())?;
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    kernel::inherit(command, ground.processor, ground.realtime);
    command.spawn().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))
}

/// A UDP port whose neighbours up to the TLS listener's are free too.
fn free_port(ip: Ipv4Addr) -> Result<u16, String> {
    for _ in 0..100 {
        let (_, port) = endpoint::bind_free(ip).map_err(|e| e.to_string())?;
        let free = |port| std::net::TcpListener::bind((ip, port)).is_ok();
        if (port..=port + TLS).all(free) {
            return Ok(port);
        }
    }
    Err(format!("no four free ports in a row on {ip}"))
}

fn last_words(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join(" | ")
}
