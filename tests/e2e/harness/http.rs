//! One HTTP/1.1 request on a connection of its own.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON, whatever its Content-Type says: AppRTC's clients do so too.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

pub(crate) async fn get(server: SocketAddr, path: &str) -> Answer {
    request(server, Method::GET, path, "").await
}

pub(crate) async fn post(server: SocketAddr, path: &str, body: &str) -> Answer {
    request(server, Method::POST, path, body).await
}

pub(crate) async fn delete(server: SocketAddr, path: &str) -> Answer {
    request(server, Method::DELETE, path, "").await
}

async fn request(server: SocketAddr, method: Method, path: &str, body: &str) -> Answer {
    request_with(server, method, path, &[], body).await
}

/// The same with headers.
pub(crate) async fn request_with(
    server: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let stream = TcpStream::connect(server).await.unwrap_or_else(|error| panic!("{server} does not accept: {error}"));
    exchange(stream, &server.to_string(), method, path, headers, body).await
}

/// The same on a stream that is there already, for instance of TLS.
pub(crate) async fn request_on<S>(stream: S, host: &str, method: Method, path: &str, body: &str) -> Answer
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    exchange(stream, host, method, path, &[], body).await
}

async fn exchange<S>(stream: S, host: &str, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    let connection = tokio::spawn(connection);
    let mut request =
        Request::builder().method(method).uri(path).header("Host", host).header("User-Agent", "posthouse-e2e");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
    let answer = sender.send_request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    connection.abort();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
}
