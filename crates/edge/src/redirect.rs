//! Plain HTTP on a port that is for HTTPS.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::replay::Replay;

/// Request line and headers.
const HEAD: usize = 16 * 1024;

/// Answers one request and closes: 301 to the same path below `origin` for GET and HEAD, else 400, for a body that was sent
/// in the clear is not asked for a second time.
pub(crate) async fn answer(stream: Replay, origin: Option<&str>, limit: Duration) {
    let service =
        service_fn(|request: Request<Incoming>| async move { Ok::<_, Infallible>(response(&request, origin)) });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // However it ends, it has ended.
    let _ = tokio::time::timeout(limit, connection).await;
}

fn response<B>(request: &Request<B>, origin: Option<&str>) -> Response<Full<Bytes>> {
    let moved = matches!(*request.method(), Method::GET | Method::HEAD).then(|| location(request, origin?)).flatten();
    let mut response = match moved {
        Some(location) => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            response.headers_mut().insert(LOCATION, location);
            response
        }
        None => {
            let mut response = Response::new(Full::from("This port speaks HTTPS.\n"));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            response
        }
    };
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Never made of the request's own Host, which anybody may choose.
fn location<B>(request: &Request<B>, origin: &str) -> Option<HeaderValue> {
    let path = request.uri().path_and_query().filter(|path| path.as_str().starts_with('/'))?;
    HeaderValue::try_from(format!("{origin}{path}")).ok()
}
