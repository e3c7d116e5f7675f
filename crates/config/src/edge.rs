//! `[edge]`: one port for everything that TLS carries.

use std::net::SocketAddr;

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
        text: "Addresses and ports, TCP.",
    }],
};

/// `[edge]`. Not available yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// TCP listeners.
    pub listen: Vec<SocketAddr>,
}

impl Edge {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        Self { listen: reading.list("edge.listen", address::listener).unwrap_or_default() }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        vec![("edge.listen", list(&self.listen))]
    }
}
