//! `POST /a/`: the web app reports events here and wants an answer. Nothing is kept.

use serde_json::Value;

use super::message::Outcome;
use crate::{
    Signaling, json,
    respond::{self, Reply},
};

impl Signaling {
    /// Does it look like an event?
    pub(crate) fn analytics(&self, body: &str) -> Reply {
        let parsed = if json::deeper_than(32, body) { None } else { serde_json::from_str(body).ok() };
        let result = if parsed.as_ref().is_some_and(is_event) { "SUCCESS" } else { "INVALID_REQUEST" };
        respond::json(&Outcome { result })
    }
}

fn is_event(request: &Value) -> bool {
    let event = &request["event"];
    request["type"] == "event"
        && request["request_time_ms"].is_number()
        && !event["event_type"].is_null()
        && event["event_time_ms"].is_number()
}
