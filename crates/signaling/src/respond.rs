//! Answers, and the headers that every one of them carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
        HeaderName, HeaderValue, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::Serialize;

use crate::{Page, json};

pub(crate) type Reply = Response<Full<Bytes>>;

/// An answer of JSON. AppRTC called it `text/html`, which made every echoed value a way to inject script; no known
/// client looks at the type.
pub(crate) fn json(value: &impl Serialize) -> Reply {
    typed(StatusCode::OK, "application/json; charset=utf-8", json::write(value))
}

/// An answer of plain text.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    typed(status, "text/plain; charset=utf-8", text)
}

/// Nothing but a status.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply
}

/// An error page, as AppRTC answers what it does not know.
pub(crate) fn status(status: StatusCode) -> Reply {
    let page =
        format!("<!DOCTYPE html>\n<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    typed(status, "text/html; charset=utf-8", page)
}

/// An error page for a request that nothing of is believed: with the headers of every answer, and no more.
pub(crate) fn bare(status: StatusCode) -> Reply {
    let mut reply = self::status(status);
    harden(reply.headers_mut(), false);
    reply
}

/// 405 with the methods that are.
pub(crate) fn not_allowed(methods: &'static str) -> Reply {
    let mut reply = status(StatusCode::METHOD_NOT_ALLOWED);
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    reply
}

/// The answer to a preflight (the Fetch standard); who may and what is added to every answer. `allowed`: header fields.
pub(crate) fn preflight(allowed: &'static str) -> Reply {
    let mut reply = empty(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    reply
}

/// 429 or 503: later.
pub(crate) fn later(status: StatusCode) -> Reply {
    let mut reply = self::status(status);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    reply
}

/// The connection ends with this answer.
pub(crate) fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// A page. A header that does not parse is the page's mistake, and left out.
pub(crate) fn page(page: Page) -> Reply {
    let mut reply = typed(StatusCode::OK, &page.content_type, page.body);
    let headers = reply.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&page.cache_control) {
        headers.insert(CACHE_CONTROL, value);
    }
    for (name, value) in &page.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    reply
}

/// Lets pages of allowed origins read the answer.
pub(crate) fn cors(headers: &mut HeaderMap, origin: Option<HeaderValue>, methods: Option<&'static str>) {
    if let Some(origin) = origin {
        if origin != "*" {
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if let Some(methods) = methods {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        }
    }
}

/// What every answer carries, unless the page decided otherwise. A room's name is as good as a key to it, so no link
/// tells it to anybody (`no-referrer`).
pub(crate) fn harden(headers: &mut HeaderMap, over_tls: bool) {
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        // Answers carry credentials and client ids.
        (CACHE_CONTROL, "no-store"),
    ];
    let hsts = over_tls.then_some((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    for (name, value) in always.into_iter().chain(hsts) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn typed(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        reply.headers_mut().insert(CONTENT_TYPE, value);
    }
    reply
}
