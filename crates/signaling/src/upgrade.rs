//! The opening handshake of a WebSocket (RFC 6455 §4.2).

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tungstenite::handshake::derive_accept_key;

use crate::{
    dialect::Dialect,
    rates::SocketSeat,
    respond::{self, Reply},
};

/// A handshake that was accepted; its source has one WebSocket more until this is dropped.
pub(crate) struct Opening {
    pub(crate) dialect: Box<dyn Dialect>,
    pub(crate) seat: SocketSeat,
}

/// Does it ask for a WebSocket at all?
pub(crate) fn is_asked<B>(request: &Request<B>) -> bool {
    has_token(request.headers(), &UPGRADE, "websocket")
}

/// Checks a handshake and writes its answer. No extension is ever accepted.
pub(crate) fn handshake<B>(request: &Request<B>) -> Result<Reply, Reply> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(respond::not_allowed("GET"));
    }
    let asked = has_token(headers, &UPGRADE, "websocket") && has_token(headers, &CONNECTION, "upgrade");
    if !asked || request.version() != Version::HTTP_11 {
        return Err(respond::text(StatusCode::BAD_REQUEST, "not websocket protocol"));
    }
    if one(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        let mut reply = respond::text(StatusCode::UPGRADE_REQUIRED, "expected Sec-WebSocket-Version: 13\n");
        reply.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(reply);
    }
    let key = one(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key =
        key.ok_or_else(|| respond::text(StatusCode::BAD_REQUEST, "expected one Sec-WebSocket-Key of 16 bytes\n"))?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is a header value");
    let mut reply = Response::new(Full::<Bytes>::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = reply.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = protocol(headers) {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(reply)
}

/// The first subprotocol that was asked for, as Collider's library answered it: a client that asks for one closes the
/// socket if none is chosen. Only a token (RFC 9110 §5.6.2) is echoed.
fn protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let first = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?.split(',').next()?.trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!first.is_empty() && first.len() <= 64 && first.bytes().all(token)).then(|| HeaderValue::from_str(first).ok())?
}

/// 16 bytes in base64 are 22 characters and two signs of padding.
fn is_key(key: &str) -> bool {
    let digits = key.strip_suffix("==").unwrap_or_default();
    digits.len() == 22 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first.trim())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}
