//! Collider's `/status`.

use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::{
    Signaling,
    respond::{self, Reply},
};

#[derive(Serialize)]
struct Status {
    upsec: f64,
    openws: u64,
    totalws: u64,
    wserrors: u64,
    httperrors: u64,
}

impl Signaling {
    /// Five counters, for any method, as text: the room server's prober reads them.
    pub(crate) fn collider_status(&self) -> Reply {
        let stats = self.stats();
        let mut reply = respond::json(&Status {
            upsec: self.post.clock.uptime().as_secs_f64(),
            openws: stats.sockets,
            totalws: stats.sockets_opened,
            wserrors: stats.socket_errors,
            httperrors: stats.http_errors,
        });
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        reply
    }
}
