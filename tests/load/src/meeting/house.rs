//! Ours, for signaling alone; ended when dropped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that does not answer so long after its start has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers. What it may do stands in its defaults: sources on loopback have no budgets, so only the
/// limits of a single WebSocket hold (100 messages a second).
pub struct House {
    /// Its pages and sockets.
    pub web: SocketAddrV4,
    child: Child,
    directory: PathBuf,
}

impl House {
    /// Starts it and waits until it accepts.
    ///
    /// # Errors
    /// In words, with the end of its log.
    pub fn open(binary: &Path) -> Result<Self, String> {
        let ip = Ipv4Addr::LOCALHOST;
        let (web, relay, admin) = (free_port(ip)?, free_port(ip)?, free_port(ip)?);
        let directory = std::env::temp_dir().join(format!("posthouse-meeting-{}-{}", std::process::id(), web.port()));
        fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        let file = directory.join("posthouse.toml");
        let text = format!(
            "[web]\nlisten = [\"{web}\"]\n[relay]\nlisten = [\"{relay}\"]\nrelay_addresses = [\"{ip}\"]\n\
             [auth]\nsecrets = [\"a secret that nobody uses but that must be there\"]\n[admin]\nlisten = [\"{admin}\"]\n"
        );
        fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
        let log = fs::File::create(directory.join("log")).map_err(|e| e.to_string())?;
        let errors = log.try_clone().map_err(|e| e.to_string())?;
        let mut command = Command::new(binary);
        command.arg("run").arg("--config").arg(&file).stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().map_err(|e| format!("cannot start {}: {e}", binary.display()))?;
        let house = Self { web, child, directory };
        let start = Instant::now();
        while TcpStream::connect(web).is_err() {
            if start.elapsed() > PATIENCE {
                return Err(format!("the server does not serve; it wrote: {}", house.last_words()));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(house)
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join(" | ")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Already ended, or ended by this: both are what is wanted.
        _ = self.child.kill();
        _ = self.child.wait();
        _ = fs::remove_dir_all(&self.directory);
    }
}

fn free_port(ip: Ipv4Addr) -> Result<SocketAddrV4, String> {
    let listener = TcpListener::bind((ip, 0)).map_err(|e| e.to_string())?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    Ok(SocketAddrV4::new(ip, port))
}
