//! Who takes a connection once it is known what it is.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite};

/// The two takers.
#[derive(Clone)]
pub struct Ports {
    /// Takes STUN and TURN.
    pub turn: Arc<dyn Turn>,
    /// Takes HTTP.
    pub http: Arc<dyn Http>,
}

/// Takes connections that carry STUN and TURN.
pub trait Turn: Send + Sync {
    /// Takes a connection for good. Must not block: it is called on a thread of the runtime. Who cannot take it drops it.
    fn adopt(&self, connection: Adopted);
}

/// Takes connections that carry HTTP.
pub trait Http: Send + Sync {
    /// Serves a connection to its end.
    fn serve(&self, connection: HttpConnection) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>>;
}

/// A connection that carries STUN and TURN, with everything that its new owner needs to drive it from any thread.
///
/// Of two living connections both addresses may be equal, when a proxy names the clients.
pub struct Adopted {
    /// Non-blocking, without Nagle's delay. Bytes that have not been read wait in it.
    pub stream: std::net::TcpStream,
    /// The state of TLS after its handshake; `None` on plain TCP. All that it could decrypt is in `early`; it may hold the
    /// beginning of a record, and it may want to write (`wants_write`), so ask before waiting for the socket.
    pub tls: Option<Box<ServerConnection>>,
    /// Bytes of the client that were read already, decrypted. Empty on plain TCP.
    pub early: Vec<u8>,
    /// The client's address, as a trusted proxy told it or as the socket has it.
    pub client: SocketAddr,
    /// The address that the client connected to, as a trusted proxy told it or as the socket has it.
    pub server: SocketAddr,
}

impl fmt::Debug for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tls, early) = (self.tls.is_some(), self.early.len());
        write!(f, "Adopted {{ client: {}, server: {}, tls: {tls}, early: {early} }}", self.client, self.server)
    }
}

/// A connection that carries HTTP.
pub struct HttpConnection {
    /// Decrypted, from the client's first byte on.
    pub stream: Box<dyn Stream>,
    /// The client's address, as a trusted proxy told it or as the socket has it.
    pub client: SocketAddr,
    /// The address that the client connected to, as a trusted proxy told it or as the socket has it.
    pub server: SocketAddr,
    /// Whether TLS ended here. `false`: a trusted proxy ended it, for plain HTTP of others is answered here.
    pub is_tls: bool,
}

/// Both directions of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}
