//! AppRTC's room server, one endpoint a file.

mod analytics;
mod ice;
mod join;
mod leave;
mod message;
mod page;
mod params;

pub(crate) use ice::{IceAnswer, TurnAnswer};

use hyper::StatusCode;
use posthouse_rooms::{IdError, RoomId};

use crate::respond::{self, Reply};

/// A room's name from a path: other characters are no route of AppRTC's (404); a name that is too long would have been
/// one, and is refused (400).
fn room_id(name: &str) -> Result<RoomId, Reply> {
    RoomId::parse(name).map_err(|problem| match problem {
        IdError::TooLong => respond::status(StatusCode::BAD_REQUEST),
        IdError::Empty | IdError::Character => respond::status(StatusCode::NOT_FOUND),
    })
}
