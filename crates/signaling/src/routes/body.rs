//! The body of a request: opaque, bounded in bytes and time. Whatever the `Content-Type` says, nothing is parsed: iOS
//! posts JSON as a form.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Request, StatusCode, body::Incoming};
use tokio::time::timeout;

use crate::respond::{self, Reply};

/// Reads a body as text; bytes that are not UTF-8 become U+FFFD, as Collider had it.
pub(super) async fn read(request: Request<Incoming>, longest: usize, patience: Duration) -> Result<String, Reply> {
    let refuse = |status| respond::closing(respond::status(status));
    let body = Limited::new(request.into_body(), longest).collect();
    match timeout(patience, body).await {
        Ok(Ok(body)) => Ok(String::from_utf8(body.to_bytes().into())
            .unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned())),
        Ok(Err(problem)) if problem.is::<LengthLimitError>() => Err(refuse(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(_)) => Err(refuse(StatusCode::BAD_REQUEST)),
        Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT)),
    }
}
