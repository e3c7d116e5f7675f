//! Collider's `POST` and `DELETE /ROOM/CLIENT`, and what any other path gets.

use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{HeaderValue, LOCATION},
};
use posthouse_rooms::{ClientId, Refusal, RoomId};

use crate::{
    PageRequest, Signaling,
    delivery::Trouble,
    respond::{self, Reply},
    visit::Visit,
};

impl Signaling {
    /// What no other route takes: an asset, a Collider client, or nothing we know.
    pub(crate) async fn collider(
        &self,
        request: Request<Incoming>,
        path: &[&str],
        visit: &Visit,
    ) -> Result<Reply, Reply> {
        let (method, target) = (request.method().clone(), request.uri().path().to_owned());
        if let Some(asset) = self.asset(&method, &target) {
            return Ok(asset);
        }
        match (path, &method) {
            ([room, client], _) if room.is_empty() || client.is_empty() => Err(respond::status(StatusCode::NOT_FOUND)),
            ([room, client], &Method::POST) => {
                let body = self.body(request, visit, &self.limits.message).await?;
                Ok(self.collider_post(room, client, &body).await)
            }
            ([room, client], &Method::DELETE) => {
                self.may_ask(visit, &self.limits.message)?;
                Ok(self.collider_delete(room, client).await)
            }
            ([_, _], _) => Ok(respond::empty(StatusCode::OK)),
            (_, &Method::POST | &Method::DELETE) if target.contains("//") => Ok(cleaned(path)),
            _ => Err(respond::status(StatusCode::NOT_FOUND)),
        }
    }

    fn asset(&self, method: &Method, target: &str) -> Option<Reply> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        if ![Method::GET, Method::HEAD].contains(method) || !target.bytes().all(plain) || target.contains("..") {
            return None;
        }
        self.ports.pages.page(PageRequest::Asset(target)).map(respond::page)
    }

    async fn collider_post(&self, room: &str, client: &str, body: &str) -> Reply {
        if body.is_empty() {
            return respond::text(StatusCode::INTERNAL_SERVER_ERROR, "Empty request body\n");
        }
        let sent = match (RoomId::parse_any(room), ClientId::parse(client)) {
            (Ok(room), Ok(client)) => self.post.post(&room, &client, body).await,
            _ => Err(Trouble::Refused(Refusal::UnknownClient)),
        };
        match sent {
            Ok(()) => respond::text(StatusCode::OK, "OK\n"),
            Err(Trouble::Store(_)) => respond::later(StatusCode::SERVICE_UNAVAILABLE),
            Err(Trouble::Refused(refusal)) => not_sent(refusal),
        }
    }

    /// `OK` whether it was known or not.
    async fn collider_delete(&self, room: &str, client: &str) -> Reply {
        if let (Ok(room), Ok(client)) = (RoomId::parse_any(room), ClientId::parse(client)) {
            let deleted = self.post.change(&room, |room, policy, now| room.delete(policy, now, &client)).await;
            if deleted.is_err() {
                return respond::later(StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        respond::text(StatusCode::OK, "OK\n")
    }
}

/// Collider's words, and for what it allowed to anybody our own: a client that is not there is not a fault of the
/// server.
fn not_sent(refusal: Refusal) -> Reply {
    let (status, why) = match refusal {
        Refusal::Full => (StatusCode::INTERNAL_SERVER_ERROR, "Max room capacity reached"),
        Refusal::QueueFull => (StatusCode::INTERNAL_SERVER_ERROR, "Too many messages queued for the client"),
        Refusal::MessageTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Message too large"),
        _ => (StatusCode::NOT_FOUND, "Client not registered"),
    };
    respond::text(status, format!("Failed to send the message: {why}\n"))
}

/// A doubled slash is a typing error: the path without it, if that can be a client's.
fn cleaned(path: &[&str]) -> Reply {
    let segments: Vec<&&str> = path.iter().filter(|segment| !segment.is_empty()).collect();
    let plain = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match segments.as_slice() {
        [room, client] if segments.iter().all(|segment| plain(segment)) => {
            let mut reply = respond::empty(StatusCode::MOVED_PERMANENTLY);
            if let Ok(location) = HeaderValue::from_str(&format!("/{room}/{client}")) {
                reply.headers_mut().insert(LOCATION, location);
            }
            reply
        }
        _ => respond::status(StatusCode::NOT_FOUND),
    }
}
