//! `[admin]`: what only the operator may see.

use std::net::SocketAddr;

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::secret::{self, Secret};
use crate::value::{Parsed, address};

/// Shortest token in bytes.
const SHORTEST_TOKEN: usize = 16;

pub(crate) const TABLE: Table = Table {
    path: "admin",
    text: "The operator's dashboard at /, /healthz, /readyz and /metrics; never on a public listener.",
    keys: &[
        Key {
            name: "listen",
            default: "[\"127.0.0.1:9641\"]",
            example: "[\"127.0.0.1:9641\"]",
            expects: "a list of addresses with a port",
            text: "Addresses and ports, TCP. Loopback by default; any other address needs the token below. Empty: none.",
        },
        Key {
            name: "token",
            default: "\"\"",
            example: "\"…\"",
            expects: "a text in quotes",
            text: "What a client sends as `Authorization: Bearer TOKEN`, and a browser signs in with: at least 16 printable\n\
                   characters. Empty: none is asked for, because whoever reaches loopback is on this machine.",
        },
    ],
};

/// `[admin]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// TCP listeners; may be empty. Not loopback only with a token.
    pub listen: Vec<SocketAddr>,
    /// The bearer token that every request must carry; `None`: no token.
    pub token: Option<Secret>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], 9641))], token: None }
    }
}

impl Admin {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let admin = Self {
            listen: reading.list("admin.listen", address::listener).unwrap_or(Self::default().listen),
            token: reading.text("admin.token", token).flatten(),
        };
        if admin.token.is_none() && reading.is_sound(&["admin.listen", "admin.token"]) {
            for (index, address) in admin.listen.iter().enumerate().filter(|(_, address)| !address.ip().is_loopback()) {
                let found = format!("{address} without one");
                let write = "write admin.token, or listen on 127.0.0.1";
                let path = format!("admin.listen[{index}]");
                reading.complain(&path, Complaint::wrong("a loopback address or a token", found, write));
            }
        }
        admin
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { listen, token } = self;
        let token = if token.is_some() { "***" } else { "" };
        vec![("admin.listen", list(listen)), ("admin.token", text(token))]
    }
}

fn token(text: &str) -> Parsed<Option<Secret>> {
    let (expected, write) =
        (format!("at least {SHORTEST_TOKEN} printable characters"), "write the output of `openssl rand -hex 16`");
    if text.is_empty() {
        return Ok(None);
    }
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Complaint::wrong(expected, "blanks or characters beyond ASCII", write));
    }
    secret::strong(text, SHORTEST_TOKEN, &expected, write).map(Some)
}
