//! `[edge]`: one port for everything that TLS carries.

use std::net::{IpAddr, SocketAddr};

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::reference::list;
use crate::value::address;

pub(crate) const TABLE: Table = Table {
    path: "edge",
    text: "One port for web, WebSocket and TURN over TLS, so that calls pass firewalls that let only 443 out.",
    keys: &[Key {
        name: "listen",
        default: "[]",
        example: "[\"203.0.113.10:443\"]",
        expects: "a list of addresses with a port",
        text: "Addresses and ports, TCP: pages, rooms and signaling over HTTPS, and TURN over TLS and plain TCP, told apart\n\
               by ALPN and the first bytes. Needs [tls] and public_url. Proxies in web.trusted_proxies may tell clients'\n\
               addresses by PROXY headers. None by default: it needs a certificate.",
    }],
};

/// `[edge]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// TCP listeners.
    pub listen: Vec<SocketAddr>,
}

impl Edge {
    /// `https://` and the first listener (`localhost` for a wildcard).
    pub(crate) fn origin(&self) -> Option<String> {
        let first = self.listen.first()?;
        let host = match first.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        Some(if first.port() == 443 { format!("https://{host}") } else { format!("https://{host}:{}", first.port()) })
    }

    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        Self { listen: reading.list("edge.listen", address::listener).unwrap_or_default() }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        vec![("edge.listen", list(&self.listen))]
    }
}
