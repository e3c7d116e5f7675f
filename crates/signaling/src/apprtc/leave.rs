//! `POST /leave/ROOM/CLIENT`.

use hyper::StatusCode;
use posthouse_rooms::ClientId;

use super::room_id;
use crate::{
    Signaling,
    respond::{self, Reply},
};

impl Signaling {
    /// A seat given back. Empty and 200 in every case, so that nobody learns which ids are known.
    pub(crate) async fn leave(&self, room: &str, client: &str) -> Result<Reply, Reply> {
        let room = room_id(room)?;
        if let Ok(client) = ClientId::parse(client) {
            let left = self.post.change(&room, |room, policy, now| room.leave(policy, now, &client)).await;
            if left.is_err() {
                return Err(respond::later(StatusCode::SERVICE_UNAVAILABLE));
            }
        }
        Ok(respond::empty(StatusCode::OK))
    }
}
