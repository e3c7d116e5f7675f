//! One coturn per test, on a port of its own, killed by its handle.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use posthouse_probe::{Target, binding};

const TURNSERVER: &str = "/usr/bin/turnserver";

/// coturn's `static-auth-secret`.
pub(crate) const SECRET: &str = "the secret that coturn and the test share";
pub(crate) const REALM: &str = "coturn.example.org";

pub(crate) struct Coturn {
    child: Child,
    pub(crate) server: SocketAddr,
}

impl Coturn {
    /// Starts one, or says loudly that it is not installed. With `POSTHOUSE_REQUIRE_TOOLS=1` its absence is a failure.
    pub(crate) async fn start(extra: &[&str]) -> Option<Self> {
        if !Path::new(TURNSERVER).exists() {
            let skipped = format!("SKIPPED: {TURNSERVER} is absent; apt-get install coturn");
            assert!(std::env::var_os("POSTHOUSE_REQUIRE_TOOLS").is_none(), "{skipped}");
            eprintln!("{skipped}");
            return None;
        }
        let server = free_address();
        let child = Command::new(TURNSERVER)
            .args([
                "-n",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--no-stdout-log",
                "--log-file=/dev/null",
                "--pidfile=/dev/null",
            ])
            .args([
                "-L",
                "127.0.0.1",
                "-E",
                "127.0.0.1",
                "--allow-loopback-peers",
                "--cli-password=unused",
                "--lt-cred-mech",
            ])
            .args(["-p", &server.port().to_string(), "-r", REALM])
            .args(extra)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver starts");
        let coturn = Self { child, server };
        coturn.wait_until_it_answers().await;
        Some(coturn)
    }

    /// A target with coturn's time-limited credentials, as the `turn` crate mints them.
    pub(crate) fn target(&self) -> Target {
        let hour = std::time::Duration::from_secs(3600);
        let (username, password) = turn::auth::generate_long_term_credentials(SECRET, hour).unwrap();
        Target::new(self.server, username, password)
    }

    async fn wait_until_it_answers(&self) {
        let mut last = None;
        for _ in 0..100 {
            match binding(self.server).await {
                Ok(_) => return,
                Err(failure) => last = Some(failure),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("coturn does not answer: {last:?}");
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A loopback port that nobody uses at this moment.
pub(crate) fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free UDP port")
}
