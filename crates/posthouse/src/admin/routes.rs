//! Everything that the admin listener answers, on one screen.
//!
//! | request | answer |
//! |---|---|
//! | `GET /healthz` `/readyz` `/metrics` | for tools |
//! | `GET /` `/assets/..` | the dashboard: public, for there is nothing in it |
//! | `GET /api/status` `/api/history` | what the dashboard shows |
//! | `POST`, `DELETE /api/session` | signing in, and out |
//! | `DELETE /api/rooms/DIALECT/ROOM`, `../members/MEMBER`, `/api/allocations/NAME` | what its buttons do |

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, SET_COOKIE, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use posthouse_signaling::Undone;
use posthouse_web::{Asset, OPERATOR_PERMISSIONS_POLICY, REFERRER_POLICY, content_security_policy};
use serde::Serialize;

use super::dashboard::Question;
use super::history::EVERY;
use super::{Desk, access};

type Answer = Response<Full<Bytes>>;

/// Longest text that rooms and users are looked for by.
const LONGEST_SEARCH: usize = 256;

/// The answer to one request. Bodies are not read: nothing here needs one.
pub(super) async fn answer<B>(request: &Request<B>, peer: SocketAddr, desk: &Desk) -> Answer {
    let path = request.uri().path();
    let Some(segments) = segments(path) else { return refused(StatusCode::BAD_REQUEST, "bad-path", BAD_PATH) };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let Some(methods) = methods(&segments) else { return text(StatusCode::NOT_FOUND, NOT_FOUND) };
    if !methods.split(", ").any(|method| method == request.method().as_str()) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, format!("expected {methods}\n"));
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        return answer;
    }
    if let [tool @ ("healthz" | "readyz" | "metrics")] = segments[..] {
        return if desk.access.allows(request.headers()) { tools(tool, desk) } else { unauthorised() };
    }
    if desk.access.is_open() && !access::is_at_home(request.headers()) {
        return refused(StatusCode::MISDIRECTED_REQUEST, "foreign-host", FOREIGN_HOST);
    }
    if segments.first() != Some(&"api") {
        return page(request, path);
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !access::is_own(request.headers()) {
        return refused(StatusCode::FORBIDDEN, "foreign-origin", FOREIGN_ORIGIN);
    }
    if segments[..] == ["api", "session"] {
        return session(request, desk);
    }
    if !desk.access.allows(request.headers()) {
        return unauthorised();
    }
    api(&segments, request.uri().query().unwrap_or_default(), peer, desk).await
}

fn methods(path: &[&str]) -> Option<&'static str> {
    match path {
        ["healthz" | "readyz" | "metrics"] | [""] | ["assets", ..] | ["api", "status" | "history"] => Some("GET, HEAD"),
        ["api", "session"] => Some("POST, DELETE"),
        ["api", "rooms", _, _] | ["api", "rooms", _, _, "members", _] | ["api", "allocations", _] => Some("DELETE"),
        _ => None,
    }
}

fn tools(tool: &str, desk: &Desk) -> Answer {
    let view = &desk.view;
    match tool {
        "healthz" if view.healthy() => text(StatusCode::OK, "healthy\n"),
        "healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "a relay worker stands still\n"),
        "readyz" if view.ready() => text(StatusCode::OK, "ready\n"),
        "readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready: starting or about to end\n"),
        _ => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            of_type(kind, view.metrics())
        }
    }
}

fn page<B>(request: &Request<B>, path: &str) -> Answer {
    let Some(Asset { content_type, etag, cache_control, body }) = posthouse_web::operator_page(path) else {
        return text(StatusCode::NOT_FOUND, NOT_FOUND);
    };
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == etag);
    let mut answer = of_type(content_type, if known { "".as_bytes() } else { body });
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let policy = HeaderValue::from_str(&content_security_policy(&[])).expect("the policy is printable");
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), policy);
    headers.insert("permissions-policy", HeaderValue::from_static(OPERATOR_PERMISSIONS_POLICY));
    headers.insert("referrer-policy", HeaderValue::from_static(REFERRER_POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
    headers.insert(ETAG, HeaderValue::from_static(etag));
    answer
}

fn session<B>(request: &Request<B>, desk: &Desk) -> Answer {
    let cookie = match *request.method() {
        Method::DELETE => desk.access.sign_out(request.headers()),
        _ => match desk.access.sign_in(request.headers()) {
            Some(cookie) => cookie,
            None => return unauthorised(),
        },
    };
    let mut answer = done();
    if let Ok(cookie) = HeaderValue::from_str(&cookie)
        && !cookie.is_empty()
    {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

async fn api(path: &[&str], query: &str, peer: SocketAddr, desk: &Desk) -> Answer {
    let dashboard = &desk.dashboard;
    match path {
        [_, "status"] => match dashboard.status(question(query), &*desk.view, !desk.access.is_open()).await {
            Ok(status) => json(StatusCode::OK, &status),
            Err(undone) => not_done(undone),
        },
        [_, "history"] => {
            json(StatusCode::OK, &serde_json::json!({ "every": EVERY.as_secs(), "samples": dashboard.history() }))
        }
        [_, "rooms", dialect, room] => {
            tracing::info!(target: "admin", %peer, dialect, room, "a room is closed");
            outcome(dashboard.close_room(dialect, room).await)
        }
        [_, "rooms", dialect, room, _, member] => {
            tracing::info!(target: "admin", %peer, dialect, room, member, "a member is kicked");
            outcome(dashboard.kick(dialect, room, member).await)
        }
        [_, _, name] => {
            tracing::info!(target: "admin", %peer, allocation = name, "an allocation is ended");
            if dashboard.end_allocation(name).await {
                return done();
            }
            refused(StatusCode::NOT_FOUND, "no-such-allocation", "there is no such allocation (any more)")
        }
        _ => text(StatusCode::NOT_FOUND, NOT_FOUND),
    }
}

/// What is not understood is left out: there is nobody but our own page and scripts to be told.
fn question(query: &str) -> Question {
    let mut question = Question::default();
    let (mut after, mut dialect) = (None, None);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match &*key {
            "find" if value.len() <= LONGEST_SEARCH => question.find = value,
            "after" => after = Some(value),
            "after_dialect" => dialect = Some(value),
            "after_user" => question.after_user = Some(value),
            "most" => question.most = value.parse().ok(),
            _ => {}
        }
    }
    question.after = after.map(|after| (after, dialect.unwrap_or_default()));
    question
}

/// The decoded segments; `None` where they are not UTF-8.
fn segments(path: &str) -> Option<Vec<String>> {
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    segments.map(|one| percent_decode_str(one).decode_utf8().ok().map(Into::into)).collect()
}

fn outcome(done_or_not: Result<(), Undone>) -> Answer {
    done_or_not.map_or_else(not_done, |()| done())
}

fn not_done(undone: Undone) -> Answer {
    let (status, code, message) = match undone {
        Undone::NoSuchRoom => (StatusCode::NOT_FOUND, "no-such-room", "there is no such room (any more)"),
        Undone::NoSuchMember => {
            (StatusCode::NOT_FOUND, "no-such-member", "there is no such member in this room (any more)")
        }
        Undone::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the store of rooms did not answer; try again")
        }
    };
    refused(status, code, message)
}

const NOT_FOUND: &str = "not found: there are /, /healthz, /readyz, /metrics and /api/status\n";
const BAD_PATH: &str = "expected a path of percent-encoded UTF-8";
const FOREIGN_HOST: &str = "without admin.token the dashboard answers to localhost and to addresses only, not to names";
const FOREIGN_ORIGIN: &str = "expected a request of the dashboard itself, or one with `Authorization` or `X-Posthouse`";

fn unauthorised() -> Answer {
    let message = "expected `Authorization: Bearer` with admin.token";
    let mut answer = refused(StatusCode::UNAUTHORIZED, "unauthorized", message);
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

fn refused(status: StatusCode, code: &str, message: &str) -> Answer {
    json(status, &serde_json::json!({ "error": { "code": code, "message": message } }))
}

fn done() -> Answer {
    text(StatusCode::NO_CONTENT, "")
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).expect("names and numbers are JSON");
    let mut answer = of_type("application/json", body);
    *answer.status_mut() = status;
    answer
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = of_type("text/plain; charset=utf-8", body);
    *answer.status_mut() = status;
    answer
}

fn of_type(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    answer
}
