//! The admin listener: `/healthz`, `/readyz`, `/metrics`. Never on a public listener.

pub(crate) mod metrics;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use posthouse_config::Secret;
use subtle::ConstantTimeEq;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How long a client may take to send its request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one connection may last: a scrape takes milliseconds.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);
/// Connections at a time; operators and their tools need few.
const CONNECTIONS: usize = 64;

/// What the admin listener can see of the rest.
pub(crate) trait View: Send + Sync + 'static {
    /// Every worker and task moves.
    fn healthy(&self) -> bool;
    /// Listening, and not about to end.
    fn ready(&self) -> bool;
    /// The metrics as Prometheus reads them.
    fn metrics(&self) -> String;
}

/// The bearer token that requests must carry, if any; it may change.
pub(crate) type Token = ArcSwap<Option<Secret>>;

/// Answers on one listener until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, token: Arc<Token>, view: Arc<dyn View>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (token, view) = (Arc::clone(&token), Arc::clone(&view));
                tokio::spawn(async move {
                    serve_connection(stream, peer, &token, &view).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(target: "admin", %error, "cannot accept; trying again in a second");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, token: &Token, view: &Arc<dyn View>) {
    let service = service_fn(|request| {
        let response = answer(&request, token.load().as_ref().as_ref(), view.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(16 * 1024)
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service);
    if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_LIMIT, connection).await {
        tracing::debug!(target: "admin", %peer, %error, "connection ended");
    }
}

fn answer<B>(request: &Request<B>, token: Option<&Secret>, view: &dyn View) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if !matches!(path, "/healthz" | "/readyz" | "/metrics") {
        return text(StatusCode::NOT_FOUND, "not found: there are /healthz, /readyz and /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "expected GET\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if !authorised(request, token) {
        let mut response = text(StatusCode::UNAUTHORIZED, "expected `Authorization: Bearer` with admin.token\n");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    match path {
        "/healthz" if view.healthy() => text(StatusCode::OK, "healthy\n"),
        "/healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "a relay worker stands still\n"),
        "/readyz" if view.ready() => text(StatusCode::OK, "ready\n"),
        "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready: starting or about to end\n"),
        _ => {
            let mut response = text(StatusCode::OK, view.metrics());
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            response
        }
    }
}

fn authorised<B>(request: &Request<B>, token: Option<&Secret>) -> bool {
    let Some(token) = token else { return true };
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
    // The scheme's case does not matter (RFC 9110 §11.1).
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"Bearer ") && given.ct_eq(token.expose().as_bytes()).into()
    })
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
