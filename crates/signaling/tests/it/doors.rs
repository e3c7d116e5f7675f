//! Where WebSockets are opened, and how a stranger behaves there.

use std::sync::atomic::{AtomicU64, Ordering};

/// A path at which a dialect is spoken.
pub(crate) struct Door {
    /// `{id}` is another one for each visit.
    pub(crate) path: &'static str,
    /// How one is closed who does not say who it is; `None` where the path says it.
    pub(crate) silent: Option<u16>,
    /// Is something said before anybody asks?
    pub(crate) greets: bool,
    /// What is answered with one frame, however often it is said.
    ask: Option<&'static str>,
}

pub(crate) const DOORS: &[Door] = &[
    Door {
        path: "/announce",
        silent: Some(1008),
        greets: false,
        ask: Some(r#"{"action":"scrape","info_hash":"aaaaaaaaaaaaaaaaaaaa"}"#),
    },
    Door {
        path: "/auto",
        silent: Some(1008),
        greets: false,
        ask: Some(r#"{"action":"scrape","info_hash":"aaaaaaaaaaaaaaaaaaaa"}"#),
    },
    Door {
        path: "/hello/{id}",
        silent: Some(1008),
        greets: false,
        ask: Some(r#"{"from":"{id}","messageType":"broadcast","content":1}"#),
    },
    // It answers nobody.
    Door { path: "/matchbox/{id}", silent: None, greets: true, ask: None },
    Door {
        path: "/peer/websocket?vsn=2.0.0",
        silent: Some(1008),
        greets: false,
        ask: Some(r#"[null,"1","phoenix","heartbeat",{}]"#),
    },
    Door {
        path: "/peerjs?key=peerjs&id={id}&token=t",
        silent: None,
        greets: true,
        ask: Some(r#"{"type":"OFFER","dst":"{id}"}"#),
    },
    Door { path: "/v1/socket", silent: Some(4408), greets: false, ask: Some(r#"{"type":"ping","id":1}"#) },
    Door { path: "/ws", silent: Some(1008), greets: false, ask: Some(r#"{"cmd":"x"}"#) },
    Door {
        path: "/ws/websocket",
        silent: Some(1008),
        greets: false,
        ask: Some(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#),
    },
    Door { path: "/yjs", silent: Some(1008), greets: false, ask: Some(r#"{"type":"ping"}"#) },
];

/// One client's visit.
pub(crate) struct Visit {
    pub(crate) path: String,
    /// What it says; where nothing is answered, something that is understood.
    pub(crate) ask: String,
}

impl Door {
    /// One more client, whose name nobody else has.
    pub(crate) fn visit(&self) -> Visit {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("fire-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let own = |text: &str| text.replace("{id}", &id);
        Visit { path: own(self.path), ask: own(self.ask.unwrap_or("\"KeepAlive\"")) }
    }

    pub(crate) fn answers(&self) -> bool {
        self.ask.is_some()
    }
}
