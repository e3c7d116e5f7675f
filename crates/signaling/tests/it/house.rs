//! A server under test, and plain clients for it: HTTP by hand, WebSockets by tungstenite.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use posthouse_rooms::{MemoryBus, MemoryStore};
use posthouse_signaling::{
    Config, IceConfig, IceServer, IceServers, NoEvents, Page, PageRequest, Pages, Ports, RelayControl, RequestContext,
    Signaling,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// Longer than anything that is expected takes; what is expected not to happen is not waited for this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const BYE: &str = r#"{"type":"bye"}"#;

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) drain: watch::Sender<bool>,
    pub(crate) served: tokio::task::JoinHandle<()>,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::sharing(change, None).await
    }

    pub(crate) async fn sharing(
        change: impl FnOnce(&mut Config),
        engines: Option<(Arc<MemoryStore>, Arc<MemoryBus>)>,
    ) -> Self {
        Self::lending(3600, change, engines).await
    }

    /// One whose relay credentials are good for so many seconds.
    pub(crate) async fn lending(
        lifetime: u64,
        change: impl FnOnce(&mut Config),
        engines: Option<(Arc<MemoryStore>, Arc<MemoryBus>)>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = Config { listen: address, ..Config::default() };
        change(&mut config);
        let relay = Arc::new(Relay::default());
        let ice = Arc::new(Ice { lifetime });
        let ports = Ports { ice, relay: relay.clone(), pages: Arc::new(Desk), events: Arc::new(NoEvents) };
        let signaling = match engines {
            Some((store, bus)) => Signaling::shared(config, ports, store, bus),
            None => Signaling::new(config, ports),
        };
        let (drain, draining) = watch::channel(false);
        let served = tokio::spawn(signaling.clone().serve(listener, draining));
        Self { address, signaling, relay, drain, served }
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || ["POST", "PUT"].contains(&method) {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body;
        self.raw(request.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[], body).await
    }

    /// Bytes as they are, and all that comes back until the server closes.
    pub(crate) async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes");
        Answer::parse(&answer)
    }

    pub(crate) async fn join(&self, room: &str) -> Member {
        let answer = self.post(&format!("/join/{room}"), "").await.json();
        assert_eq!(answer["result"], "SUCCESS", "{answer}");
        let text = |key: &str| answer["params"][key].as_str().unwrap().to_owned();
        let messages = answer["params"]["messages"].as_array().unwrap();
        Member {
            room: room.to_owned(),
            id: text("client_id"),
            initiator: text("is_initiator") == "true",
            messages: messages.iter().map(|message| message.as_str().unwrap().to_owned()).collect(),
        }
    }

    pub(crate) async fn join_result(&self, room: &str) -> String {
        self.post(&format!("/join/{room}"), "").await.json()["result"].as_str().unwrap().to_owned()
    }

    /// A WebSocket, open.
    pub(crate) async fn socket(&self) -> Socket {
        self.socket_with(&[]).await.unwrap()
    }

    pub(crate) async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        self.socket_at("/ws", headers).await
    }

    /// A WebSocket at a path, or the status it is refused with.
    pub(crate) async fn socket_at(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A member's socket, registered.
    pub(crate) async fn register(&self, member: &Member) -> Socket {
        let mut socket = self.socket().await;
        socket.register(&member.room, &member.id).await;
        // `register` is silent: what comes after a harmless error has been registered.
        socket.say(r#"{"cmd":"nothing"}"#).await;
        socket.held_back().await;
        socket
    }

    /// Two in a call, the first of them the initiator.
    pub(crate) async fn call(&self, room: &str) -> [(Member, Socket); 2] {
        let (alice, bob) = (self.join(room).await, self.join(room).await);
        let sockets = (self.register(&alice).await, self.register(&bob).await);
        [(alice, sockets.0), (bob, sockets.1)]
    }

    /// Waits until the room takes somebody again.
    pub(crate) async fn free_seat(&self, room: &str) -> Member {
        for _ in 0..1000 {
            if self.signaling.stats().members < 2 {
                return self.join(room).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the seat of a dead socket stays taken");
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) room: String,
    pub(crate) id: String,
    pub(crate) initiator: bool,
    pub(crate) messages: Vec<String>,
}

impl Member {
    pub(crate) fn path(&self, verb: &str) -> String {
        format!("{verb}/{}/{}", self.room, self.id)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The first answer among the bytes; status 0 if there is none.
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return Self::default() };
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
        let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: lines.filter_map(pair).collect(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|problem| panic!("{problem}: {self:?}"))
    }
}

pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn register(&mut self, room: &str, id: &str) {
        self.say(&serde_json::json!({"cmd": "register", "roomid": room, "clientid": id}).to_string()).await;
    }

    pub(crate) async fn send(&mut self, msg: &str) {
        self.say(&serde_json::json!({"cmd": "send", "msg": msg}).to_string()).await;
    }

    /// The next frame, as text; `None` when the socket closes.
    pub(crate) async fn frame(&mut self) -> Option<String> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("a frame comes") {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> String {
        let frame: Value = serde_json::from_str(&self.frame().await.expect("a message comes")).unwrap();
        assert_eq!(frame["error"], "", "{frame}");
        frame["msg"].as_str().unwrap().to_owned()
    }

    /// The next error.
    pub(crate) async fn error(&mut self) -> String {
        let frame: Value = serde_json::from_str(&self.frame().await.expect("an error comes")).unwrap();
        assert_eq!(frame["msg"], "", "{frame}");
        frame["error"].as_str().unwrap().to_owned()
    }

    /// Messages that came before the answer to a harmless frame: nothing else is on its way.
    async fn held_back(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            let frame: Value = serde_json::from_str(&self.frame().await.expect("an answer comes")).unwrap();
            if frame["error"] != "" {
                return messages;
            }
            messages.push(frame["msg"].as_str().unwrap().to_owned());
        }
    }

    /// All messages that have come by now.
    pub(crate) async fn heard(&mut self) -> Vec<String> {
        self.say(r#"{"cmd":"nothing"}"#).await;
        self.held_back().await
    }

    /// The code the server closes with; frames before it are skipped.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("the socket closes") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn close(mut self) {
        let _ = self.0.close(None).await;
        while let Ok(Some(Ok(_))) = timeout(PATIENCE, self.0.next()).await {}
    }

    /// The process is killed: no goodbye, no close frame.
    pub(crate) fn kill(self) {
        drop(self.0);
    }
}

pub(crate) struct Ice {
    lifetime: u64,
}

impl IceServers for Ice {
    fn ice_servers(&self, label: &str, _: &RequestContext<'_>) -> IceConfig {
        let stun = IceServer { urls: vec!["stun:127.0.0.1:3478".to_owned()], username: None, credential: None };
        let none = IceServer { urls: Vec::new(), username: None, credential: None };
        let turn = IceServer {
            urls: vec!["turn:127.0.0.1:3478?transport=udp".to_owned(), "turn:127.0.0.1:3478?transport=tcp".to_owned()],
            username: Some(format!("1700003600:{label}")),
            credential: Some("secret".to_owned()),
        };
        IceConfig { servers: vec![stun, none, turn], lifetime: self.lifetime }
    }
}

/// Remembers whose allocations were to be freed.
#[derive(Default)]
pub(crate) struct Relay(pub(crate) Mutex<Vec<String>>);

impl RelayControl for Relay {
    fn end_user(&self, label: &str) {
        self.0.lock().unwrap().push(label.to_owned());
    }

    fn revoke_user(&self, label: &str) {
        self.0.lock().unwrap().push(format!("{label} revoked"));
    }
}

pub(crate) struct Desk;

impl Pages for Desk {
    fn page(&self, request: PageRequest<'_>) -> Option<Page> {
        let (body, content_type) = match request {
            PageRequest::Landing => ("landing".to_owned(), "text/html; charset=utf-8"),
            PageRequest::Drop => ("drop".to_owned(), "text/html; charset=utf-8"),
            PageRequest::Room { room, full } => (format!("room {room} full={full}"), "text/html; charset=utf-8"),
            PageRequest::Asset("/js/call.js") => ("call()".to_owned(), "text/javascript"),
            PageRequest::Asset(_) => return None,
        };
        let policy = ("content-security-policy", "default-src 'self'".into());
        Some(Page {
            body: body.into(),
            content_type: content_type.into(),
            cache_control: "no-cache".into(),
            headers: vec![policy],
        })
    }
}
