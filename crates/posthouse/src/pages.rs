//! The embedded pages as signaling serves them.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use posthouse_signaling::{Page, PageRequest, Pages};
use posthouse_web::{PERMISSIONS_POLICY, REFERRER_POLICY, content_security_policy};

/// The pages of crate `web`, under the strict policy that it defines.
pub(crate) struct EmbeddedPages {
    policy: ArcSwap<String>,
}

impl EmbeddedPages {
    /// Pages may speak to `origin`, the public one, by HTTP and by WebSocket, also when a visitor came to them under
    /// another name of this server.
    pub(crate) fn new(origin: &str) -> Self {
        Self { policy: ArcSwap::from_pointee(policy(origin)) }
    }

    /// Another public origin from now on.
    pub(crate) fn move_to(&self, origin: &str) {
        self.policy.store(Arc::new(policy(origin)));
    }
}

fn policy(origin: &str) -> String {
    let websocket = origin.replacen("http", "ws", 1);
    content_security_policy(&[origin, &websocket])
}

impl Pages for EmbeddedPages {
    fn page(&self, request: PageRequest<'_>) -> Option<Page> {
        let asset = match request {
            PageRequest::Landing => posthouse_web::page("/"),
            // The page itself says that a room is full: it hears so from its join.
            PageRequest::Room { room, full: _ } => posthouse_web::page(&format!("/r/{room}")),
            PageRequest::Asset(path) => posthouse_web::page(path),
        }?;
        let headers = vec![
            ("content-security-policy", Cow::Owned(self.policy.load().to_string())),
            ("permissions-policy", Cow::Borrowed(PERMISSIONS_POLICY)),
            ("referrer-policy", Cow::Borrowed(REFERRER_POLICY)),
            ("etag", Cow::Borrowed(asset.etag)),
        ];
        Some(Page {
            body: Bytes::from_static(asset.body),
            content_type: asset.content_type.into(),
            cache_control: asset.cache_control.into(),
            headers,
        })
    }
}
