//! The TOML of one test's server.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::certificate::Certificate;

/// The shared secret of every server here.
pub(crate) const SECRET: &str = "the end-to-end tests share this secret with the server";
pub(crate) const REALM: &str = "e2e.example.org";

/// Sections of the configuration, in the operator's words, on top of listeners that the harness chooses.
#[derive(Default)]
pub(crate) struct Settings {
    relay: Vec<String>,
    rooms: Vec<String>,
    collider: Vec<String>,
    limits: Vec<String>,
    auth: Vec<String>,
    rest: String,
    pub(crate) ipv6: bool,
    /// Where the relay listens and relays; none: on `127.0.0.1`.
    pub(crate) hosts: Vec<IpAddr>,
    pub(crate) tls: bool,
}

impl Settings {
    /// A line of `[relay]`.
    pub(crate) fn relay(mut self, line: &str) -> Self {
        self.relay.push(line.into());
        self
    }

    /// Lets the relay reach the loopback network, which its policy denies by default.
    pub(crate) fn loopback_peers(self) -> Self {
        self.relay(r#"allow_peers = ["127.0.0.0/8"]"#).relay("allow_dangerous_peers = true")
    }

    /// Listens and relays on `::1` as well.
    pub(crate) fn ipv6(mut self) -> Self {
        self.ipv6 = true;
        self
    }

    /// Listens and relays at these addresses, which the test's network must have.
    pub(crate) fn at(mut self, hosts: &[IpAddr]) -> Self {
        self.hosts = hosts.to_vec();
        self
    }

    /// Listens with TLS for the relay, and on one port for everything. The files must outlive the server.
    pub(crate) fn tls(mut self, certificate: &Certificate) -> Self {
        self.tls = true;
        let (certificate, key) = (certificate.certificate(), certificate.key());
        let _ = writeln!(self.rest, "[tls]\ncertificate = {certificate:?}\nkey = {key:?}");
        self
    }

    /// A line of `[rooms]`.
    pub(crate) fn rooms(mut self, line: &str) -> Self {
        self.rooms.push(line.into());
        self
    }

    /// A line of `[signaling.collider]`.
    pub(crate) fn collider(mut self, line: &str) -> Self {
        self.collider.push(line.into());
        self
    }

    /// A line of `[limits]`.
    pub(crate) fn limits(mut self, line: &str) -> Self {
        self.limits.push(line.into());
        self
    }

    /// A line of `[auth]`.
    pub(crate) fn auth(mut self, line: &str) -> Self {
        self.auth.push(line.into());
        self
    }

    /// Whole tables that nothing else here writes.
    pub(crate) fn section(mut self, toml: &str) -> Self {
        self.rest.push_str(toml);
        self
    }

    /// A static user beside the shared secret.
    pub(crate) fn user(mut self, name: &str, password: &str) -> Self {
        let _ = writeln!(self.rest, "[[auth.users]]\nname = \"{name}\"\npassword = \"{password}\"");
        self
    }

    /// Backends that are told what happens to rooms.
    pub(crate) fn webhooks(mut self, urls: &[String], secret: &str) -> Self {
        let _ = writeln!(self.rest, "[webhooks]\nurls = {urls:?}\nsecret = {secret:?}");
        self
    }

    /// The file. `listeners` are the lines that the harness decides: section and line.
    pub(crate) fn toml(&self, listeners: &[(&str, String)]) -> String {
        let mut toml = format!("[auth]\nrealm = \"{REALM}\"\nsecrets = [\"{SECRET}\"]\n");
        for line in &self.auth {
            let _ = writeln!(toml, "{line}");
        }
        toml.push_str(&self.rest);
        let sections = [
            ("web", &Vec::new()),
            ("relay", &self.relay),
            ("admin", &Vec::new()),
            ("edge", &Vec::new()),
            ("rooms", &self.rooms),
            ("signaling.collider", &self.collider),
            ("limits", &self.limits),
        ];
        for (section, lines) in sections {
            let _ = writeln!(toml, "[{section}]");
            let chosen = listeners.iter().filter(|(of, _)| *of == section).map(|(_, line)| line);
            for line in chosen.chain(lines) {
                let _ = writeln!(toml, "{line}");
            }
        }
        toml
    }
}
