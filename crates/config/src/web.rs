//! `[web]`: where rooms, signaling and pages listen.

use std::net::SocketAddr;

use ipnet::IpNet;

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::value::{Parsed, address, origin, prefix};

pub(crate) const TABLE: Table = Table {
    path: "web",
    text: "Rooms, signaling and pages share these listeners. They speak plain HTTP.",
    keys: &[
        Key {
            name: "listen",
            default: "[\"127.0.0.1:8080\"]",
            example: "[\"203.0.113.10:8080\"]",
            expects: "a list of addresses with a port",
            text: "Addresses and ports, TCP. The default is reachable from this machine alone: put a proxy that ends\n\
                   TLS in front of it, or name a public address. Empty: no rooms, no signaling, no pages.",
        },
        Key {
            name: "public_url",
            default: "\"\"",
            example: "\"https://meet.example.org\"",
            expects: "an origin in quotes",
            text: "What room links and WebSocket addresses are made of: scheme, host and maybe a port. Browsers give\n\
                   camera and microphone only to https pages (and to localhost). Empty: the first address of `listen`.",
        },
        Key {
            name: "trusted_proxies",
            default: "[]",
            example: "[\"127.0.0.1/32\"]",
            expects: "a list of networks",
            text: "Networks whose X-Forwarded-For headers, and PROXY headers on the streams of [relay] and [edge], are\n\
                   believed. Nobody's by default, because anybody can send one.",
        },
        Key {
            name: "allowed_origins",
            default: "[\"*\"]",
            example: "[\"https://meet.example.org\"]",
            expects: "a list of origins",
            text: "Origins of web pages that may call the room server and open WebSockets. All by default, as AppRTC\n\
                   did, so that a page on another host works. Clients that send no Origin are not browsers and may.",
        },
    ],
};

/// `[web]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// TCP listeners of plain HTTP; may be empty.
    pub listen: Vec<SocketAddr>,
    /// Scheme, host and maybe a port, without a path; `None`: see [`Web::origin`].
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-For` and PROXY headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Which pages may call.
    pub allowed_origins: Origins,
}

/// Which web pages may call the room server and open WebSockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// `["*"]`
    Any,
    /// These, compared as text with the `Origin` header, which browsers send in lower case.
    Only(Vec<String>),
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            public_url: None,
            trusted_proxies: Vec::new(),
            allowed_origins: Origins::Any,
        }
    }
}

impl Web {
    /// `public_url`, or `http://` and the first listener (`localhost` for a wildcard); `None` without a listener.
    pub fn origin(&self) -> Option<String> {
        self.public_url.clone().or_else(|| {
            let first = self.listen.first()?;
            Some(if first.ip().is_unspecified() {
                format!("http://localhost:{}", first.port())
            } else {
                format!("http://{first}")
            })
        })
    }

    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let web = Self {
            listen: reading.list("web.listen", address::listener).unwrap_or(default.listen),
            public_url: reading.text("web.public_url", public_url).flatten(),
            trusted_proxies: reading.list("web.trusted_proxies", prefix::network).unwrap_or_default(),
            allowed_origins: read_origins(reading).unwrap_or(default.allowed_origins),
        };
        if reading.is_sound(&["web.listen", "web.public_url"]) {
            web.doubt(reading);
        }
        web
    }

    fn doubt(&self, reading: &mut Reading<'_>) {
        let wildcard = self.listen.first().is_some_and(|first| first.ip().is_unspecified());
        if wildcard && self.public_url.is_none() {
            let about = "room links will say localhost, because `listen` is a wildcard";
            reading.warn("web.listen", Complaint::doubt(about, "write public_url"));
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { listen, public_url, trusted_proxies, allowed_origins } = self;
        let origins = match allowed_origins {
            Origins::Any => "[\"*\"]".to_owned(),
            Origins::Only(only) => list(only),
        };
        vec![
            ("web.listen", list(listen)),
            ("web.public_url", text(public_url.as_deref().unwrap_or_default())),
            ("web.trusted_proxies", list(trusted_proxies)),
            ("web.allowed_origins", origins),
        ]
    }
}

fn public_url(text: &str) -> Parsed<Option<String>> {
    if text.is_empty() { Ok(None) } else { origin::origin(text).map(Some) }
}

fn read_origins(reading: &mut Reading<'_>) -> Option<Origins> {
    let key = "web.allowed_origins";
    let star =
        |text: &str| if text == "*" { Ok("*".to_owned()) } else { origin::origin(text).map(|o| o.to_lowercase()) };
    let origins = reading.list(key, star)?;
    match origins.iter().position(|origin| origin == "*") {
        None => Some(Origins::Only(origins)),
        Some(_) if origins.len() == 1 => Some(Origins::Any),
        Some(index) => {
            let complaint =
                Complaint::wrong("\"*\" alone or a list of origins", "\"*\" among others", "remove it or the others");
            reading.complain(&format!("{key}[{index}]"), complaint);
            None
        }
    }
}
