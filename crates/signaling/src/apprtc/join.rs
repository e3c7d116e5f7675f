//! `POST /join/ROOM`.

use hyper::StatusCode;
use posthouse_rooms::{Joined, Joining, Refusal, Role, RoomId, StoreError};
use serde::Serialize;
use tracing::debug;

use super::{
    params::{MemberParams, RoomParameters},
    room_id,
};
use crate::{
    Signaling,
    delivery::Trouble,
    random,
    respond::{self, Reply},
    visit::Visit,
};

#[derive(Serialize)]
struct Answer<P> {
    result: &'static str,
    params: P,
}

/// `params` where nobody joined: `messages` must be there nevertheless.
#[derive(Serialize)]
struct NoParams {
    messages: [&'static str; 0],
}

impl Signaling {
    /// A seat, and all that a client needs to use it. HTTP 200 whatever comes of it, told apart by `result`.
    pub(crate) async fn join(&self, room: &str, visit: &Visit) -> Result<Reply, Reply> {
        let room = room_id(room)?;
        let loopback = visit.current.config.loopback && visit.query.get("debug") == Some("loopback");
        let joining = Joining { client: random::client_id(), label: Some(random::label()), loopback };
        let joined = self.post.change(&room, |room, policy, now| room.join(policy, now, joining.clone())).await;
        match joined {
            Ok(joined) => {
                self.counters.joins.add();
                debug!(target: "rooms", room = room.as_str(), occupancy = joined.occupancy, "a client joined");
                Ok(self.welcome(&room, &joining, &joined, visit))
            }
            Err(trouble) => self.turned_away(trouble),
        }
    }

    fn welcome(&self, room: &RoomId, joining: &Joining, joined: &Joined, visit: &Visit) -> Reply {
        let label = joining.label.as_ref().map_or("", |label| &label.0);
        let member = MemberParams {
            room_id: room.as_str(),
            client_id: joining.client.expose(),
            is_initiator: if joined.role == Role::Initiator { "true" } else { "false" },
            messages: joined.messages.iter().map(AsRef::as_ref).collect(),
            ice_servers: self.member_ice(label, visit),
        };
        let params = RoomParameters::new(visit, Some(room)).with(member);
        respond::json(&Answer { result: "SUCCESS", params })
    }

    fn turned_away(&self, trouble: Trouble) -> Result<Reply, Reply> {
        let result = match trouble {
            Trouble::Refused(Refusal::Full) => {
                self.counters.joins_full.add();
                "FULL"
            }
            Trouble::Refused(Refusal::DuplicateClient) => "DUPLICATE_CLIENT",
            Trouble::Refused(_) => "ERROR",
            Trouble::Store(problem) => {
                self.counters.joins_failed.add();
                if problem == StoreError::TooManyRooms {
                    self.counters.refused_rooms.add();
                }
                return Err(respond::later(StatusCode::SERVICE_UNAVAILABLE));
            }
        };
        Ok(respond::json(&Answer { result, params: NoParams { messages: [] } }))
    }
}
