//! `GET /`, `GET /?peer_id=ID`, `GET /r/ROOM` and what the pages load.

use hyper::StatusCode;

use super::room_id;
use crate::{
    PageRequest, Signaling,
    respond::{self, Reply},
};

impl Signaling {
    /// A page, or 404.
    pub(crate) fn page(&self, request: PageRequest<'_>) -> Reply {
        let page = self.ports.pages.page(request);
        page.map_or_else(|| respond::status(StatusCode::NOT_FOUND), respond::page)
    }

    /// The page of a room, which says so if the room is full.
    pub(crate) async fn room_page(&self, name: &str) -> Result<Reply, Reply> {
        let room = room_id(name)?;
        let (policy, now) = (&*self.post.policy.load_full(), self.post.clock.now());
        let look = self.post.store.apply(&room, |room| (room.is_full(policy, now), room.poll_timeout(policy)));
        let full = look.await.unwrap_or(false);
        Ok(self.page(PageRequest::Room { room: room.as_str(), full }))
    }
}
