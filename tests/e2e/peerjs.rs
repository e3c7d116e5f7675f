//! A PeerJS client where the operator wants to know who comes: the file's keys, the server's word.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Server, Settings};

/// What has not come by then will not come; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(20);

const ACCESS: &str = r#"
[signaling.peerjs]
join = "token"
[signaling.v1]
token_secrets = ["token-secret-0123456789-0123456789"]
"#;

/// `{"exp":4102444800,"key":"peerjs","sub":"ada"}`, signed with that secret by an implementation that is not ours.
const ADA: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImtleSI6InBlZXJqcyIsInN1YiI6ImFkYSJ9.\
    QoXJVefPEFr_bBiW1ac1tv4LnYSKge3LbDtRrpKBCP4";

/// The first thing that is said to a client.
async fn first(web: SocketAddr, id: &str, token: &str) -> String {
    let stream = TcpStream::connect(web).await.expect("the web listener accepts");
    let url = format!("ws://{web}/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5");
    let (mut socket, _) = client_async(url, stream).await.expect("a WebSocket");
    match timeout(LIMIT, socket.next()).await.expect("a frame comes") {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("expected a frame, got {other:?}"),
    }
}

#[tokio::test]
async fn a_peer_needs_the_token_that_the_file_asks_for() {
    let server = Server::start(&Settings::default().section(ACCESS));
    assert_eq!(first(server.web, "ada", ADA).await, r#"{"type":"OPEN"}"#);
    // Its name is kept, and counted, with no label but the dialect's.
    let metrics = crate::harness::http::get(server.admin, "/metrics").await.body;
    assert!(metrics.contains("posthouse_signaling_identities{dialect=\"peerjs\"} 1\n"), "{metrics}");
    assert!(metrics.contains("posthouse_signaling_topics{dialect=\"yjs\"} 0\n"), "{metrics}");
    let refused = r#"{"type":"ERROR","payload":{"msg":"Invalid token provided"}}"#;
    assert_eq!(first(server.web, "bob", ADA).await, refused);
    assert_eq!(first(server.web, "bob", "a-word-of-its-own").await, refused);
    // Everybody again, and at once.
    let told = server.reload("join = \"token\"", "join = \"anyone\"");
    assert!(told.contains("signaling.peerjs.join"), "{told}");
    assert_eq!(first(server.web, "bob", "a-word-of-its-own").await, r#"{"type":"OPEN"}"#);
}
