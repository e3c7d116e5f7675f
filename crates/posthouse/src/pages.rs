//! The embedded pages as signaling serves them.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use posthouse_signaling::{Page, PageRequest, Pages};
use posthouse_web::{Asset, PERMISSIONS_POLICY, REFERRER_POLICY, content_security_policy};

/// The pages of crate `web`, under the strict policy that it defines.
pub(crate) struct EmbeddedPages {
    policy: ArcSwap<String>,
    /// Members of a room: more than two are a meeting.
    capacity: AtomicUsize,
}

impl EmbeddedPages {
    /// Pages may speak to `origin`, the public one, by HTTP and by WebSocket, also when a visitor came to them under
    /// another name of this server.
    pub(crate) fn new(origin: &str, capacity: usize) -> Self {
        Self { policy: ArcSwap::from_pointee(policy(origin)), capacity: AtomicUsize::new(capacity) }
    }

    /// Another public origin and another capacity from now on.
    pub(crate) fn change(&self, origin: &str, capacity: usize) {
        self.policy.store(Arc::new(policy(origin)));
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    /// AppRTC's clients know one other member. Where rooms are larger, the page is a member of our own protocol's room.
    fn room(&self, room: &str) -> Option<Asset> {
        let page = if self.capacity.load(Ordering::Relaxed) > 2 { "meet" } else { "r" };
        posthouse_web::page(&format!("/{page}/{room}"))
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
            PageRequest::Drop => posthouse_web::page("/drop"),
            // The page itself says that a room is full: it hears so from its join.
            PageRequest::Room { room, full: _ } => self.room(room),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn room_page(pages: &EmbeddedPages) -> String {
        let page = pages.page(PageRequest::Room { room: "kitchen", full: false }).expect("every room has a page");
        String::from_utf8(page.body.to_vec()).expect("a page is UTF-8")
    }

    #[test]
    fn a_room_of_two_is_apprtcs_and_a_larger_one_a_meeting_from_the_reload_on() {
        let pages = EmbeddedPages::new("https://calls.example", 2);
        assert!(room_page(&pages).contains("call-page.js"));
        pages.change("https://calls.example", 3);
        assert!(room_page(&pages).contains("meet-page.js"));
    }
}
