//! `POST /message/ROOM/CLIENT`.

use hyper::StatusCode;
use posthouse_rooms::{ClientId, Refusal};
use serde::Serialize;

use super::room_id;
use crate::{
    Signaling,
    delivery::Trouble,
    respond::{self, Reply},
};

/// `{"result": ...}`
#[derive(Serialize)]
pub(super) struct Outcome {
    pub(super) result: &'static str,
}

impl Signaling {
    /// One message to the others. HTTP 200 whatever the room says, told apart by `result`.
    pub(crate) async fn message(&self, room: &str, client: &str, body: &str) -> Result<Reply, Reply> {
        let room = room_id(room)?;
        let Ok(client) = ClientId::parse(client) else {
            return Ok(respond::json(&Outcome { result: "UNKNOWN_CLIENT" }));
        };
        let result = match self.post.send(&room, &client, body).await {
            Ok(()) => "SUCCESS",
            Err(Trouble::Refused(Refusal::UnknownRoom)) => "UNKNOWN_ROOM",
            Err(Trouble::Refused(Refusal::UnknownClient)) => "UNKNOWN_CLIENT",
            Err(Trouble::Refused(_)) => "ERROR",
            Err(Trouble::Store(_)) => return Err(respond::later(StatusCode::SERVICE_UNAVAILABLE)),
        };
        Ok(respond::json(&Outcome { result }))
    }
}
