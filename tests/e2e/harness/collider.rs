//! A client of Collider's WebSocket, as AppRTC's clients speak it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// What has not come by then will not come; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(20);

/// What should not come is waited for this long.
const SILENCE: Duration = Duration::from_millis(700);

/// `S`: the stream below, plain or TLS.
pub(crate) struct Collider<S = TcpStream>(WebSocketStream<S>);

impl Collider {
    pub(crate) async fn connect(web: SocketAddr) -> Self {
        let stream = TcpStream::connect(web).await.expect("the web listener accepts");
        Self::on(stream, &format!("ws://{web}/ws")).await
    }

    /// Connects and registers; success is silent.
    pub(crate) async fn register(web: SocketAddr, room: &str, client: &str) -> Self {
        let mut collider = Self::connect(web).await;
        collider.enter(room, client).await;
        collider
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Collider<S> {
    /// Opens the WebSocket `url` on a stream that is there already.
    pub(crate) async fn on(stream: S, url: &str) -> Self {
        let (socket, _) = client_async(url, stream).await.expect("a WebSocket");
        Self(socket)
    }

    /// Registers; success is silent.
    pub(crate) async fn enter(&mut self, room: &str, client: &str) {
        self.frame(&json!({"cmd": "register", "roomid": room, "clientid": client})).await;
    }

    /// Sends one message to the other member.
    pub(crate) async fn send(&mut self, message: &str) {
        self.frame(&json!({"cmd": "send", "msg": message})).await;
    }

    /// Sends a frame as it is.
    pub(crate) async fn frame(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.expect("the socket takes a frame");
    }

    /// The `msg` of the next frame, whose `error` must be empty.
    pub(crate) async fn message(&mut self) -> String {
        let frame = self.next().await.expect("a frame, not the end of the socket");
        assert_eq!(frame["error"], "", "{frame}");
        frame["msg"].as_str().expect("msg is a string").to_owned()
    }

    /// The `error` of the next frame.
    pub(crate) async fn error(&mut self) -> String {
        let frame = self.next().await.expect("a frame, not the end of the socket");
        assert_eq!(frame["msg"], "", "{frame}");
        frame["error"].as_str().expect("error is a string").to_owned()
    }

    /// The server closes the socket without another frame.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.next().await.is_none()
    }

    /// Nothing more comes for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        timeout(SILENCE, self.read()).await.is_err()
    }

    pub(crate) async fn close(mut self) {
        drop(self.0.close(None).await);
    }

    /// The next frame, `None` when the socket ends.
    async fn next(&mut self) -> Option<Value> {
        timeout(LIMIT, self.read()).await.expect("a frame or the end of the socket")
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await? {
                Ok(Message::Text(text)) => return Some(parse(&text)),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
}
