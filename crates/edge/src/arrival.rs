//! One connection, from accept to the one who takes it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use crate::drain;
use crate::edge::Edge;
use crate::handshake;
use crate::listener::Carries;
use crate::ports::{Adopted, HttpConnection, Stream};
use crate::protocol::Protocol;
use crate::proxy;
use crate::redirect;
use crate::refusal::Refusal;
use crate::replay::Replay;
use crate::settings::Settings;
use crate::sources::Counted;

/// A connection of which it is not known what it is.
pub(crate) struct Arrival {
    edge: Arc<Edge>,
    settings: Arc<Settings>,
    carries: Carries,
    deadline: Instant,
    ends: Ends,
    /// Whether the other end of the socket may speak for others.
    is_trusted: bool,
    stream: TcpStream,
    /// Of the source, unless a proxy is to tell it first.
    counted: Option<Counted>,
    _seat: OwnedSemaphorePermit,
}

/// Between whom a connection is.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
}

/// Who takes a connection.
pub(crate) enum Taker {
    Turn(Adopted),
    Http {
        stream: Box<dyn Stream>,
        is_tls: bool,
    },
    /// Nobody: plain HTTP is told to come back with TLS.
    Redirect(Replay),
}

impl Arrival {
    /// `None` when it was refused, and counted as such.
    pub(crate) fn new(
        edge: &Arc<Edge>,
        stream: TcpStream,
        peer: SocketAddr,
        carries: Carries,
        seat: OwnedSemaphorePermit,
    ) -> Option<Self> {
        let settings = edge.settings.load_full();
        let is_trusted = settings.trusts(peer.ip());
        let Ok(server) = stream.local_addr() else {
            edge.counters.refused(Refusal::Gone);
            return None;
        };
        let mut arrival = Self {
            edge: Arc::clone(edge),
            deadline: Instant::now() + settings.timing.arrival,
            settings,
            carries,
            ends: Ends { client: peer, server },
            is_trusted,
            stream,
            counted: None,
            _seat: seat,
        };
        if !is_trusted {
            arrival.count().map_err(|refusal| edge.counters.refused(refusal)).ok()?;
        }
        Some(arrival)
    }

    /// Finds out what it is and gives it to its taker; returns when HTTP is over.
    pub(crate) async fn hand_on(self, mut drain: watch::Receiver<bool>) {
        let edge = Arc::clone(&self.edge);
        let (settings, ends, deadline) = (Arc::clone(&self.settings), self.ends, self.deadline);
        let decided = tokio::select! {
            decided = timeout_at(deadline, self.decide()) => decided.unwrap_or(Err(Refusal::Silent)),
            () = drain::begun(&mut drain) => return,
        };
        match decided {
            Ok((Taker::Turn(connection), _)) => edge.to_turn(connection),
            Ok((Taker::Http { stream, is_tls }, Ends { client, server })) => {
                edge.to_http(HttpConnection { stream, client, server, is_tls }).await;
            }
            Ok((Taker::Redirect(stream), _)) => edge.to_redirect(stream, &settings).await,
            Err(refusal) => {
                edge.counters.refused(refusal);
                debug!(target: "edge", client = %ends.client, ?refusal, "closed");
            }
        }
    }

    /// The seat among the arriving ends with this call.
    async fn decide(mut self) -> Result<(Taker, Ends), Refusal> {
        let mut first = peek(&self.stream).await?;
        let mut early = Vec::new();
        if proxy::may_begin_with(first) {
            early = self.proxy_header().await?;
            first = match early.first() {
                Some(first) => *first,
                None => peek(&self.stream).await?,
            };
        }
        let taker = match (Protocol::of_first_byte(first, self.carries), self.carries) {
            (Protocol::Tls, _) => {
                handshake::take(&self.edge, &self.settings, self.stream, self.ends, self.carries).await?
            }
            (Protocol::Turn, _) => {
                let Ends { client, server } = self.ends;
                Taker::Turn(Adopted { stream: self.stream.into_std()?, tls: None, early, client, server })
            }
            (Protocol::Http, Carries::Turn) => return Err(Refusal::NotTurn),
            (Protocol::Http, Carries::All) if self.is_trusted => {
                Taker::Http { stream: Box::new(Replay::new(early, self.stream)), is_tls: false }
            }
            (Protocol::Http, Carries::All) => Taker::Redirect(Replay::new(early, self.stream)),
        };
        Ok((taker, self.ends))
    }

    /// Consumes a PROXY header and believes it. Returns what was consumed and turned out to be something else, which
    /// begins like a header and hence not like TLS.
    async fn proxy_header(&mut self) -> Result<Vec<u8>, Refusal> {
        let (mut bytes, mut taken) = (vec![0; proxy::LONGEST], 0);
        loop {
            let seen = self.stream.peek(&mut bytes[taken..]).await?;
            if seen == 0 {
                return Err(Refusal::Gone);
            }
            match proxy::parse(&bytes[..taken + seen]) {
                proxy::Parsed::Absent => {
                    bytes.truncate(taken);
                    return Ok(bytes);
                }
                proxy::Parsed::Incomplete => {
                    self.stream.read_exact(&mut bytes[taken..taken + seen]).await?;
                    taken += seen;
                }
                proxy::Parsed::Malformed | proxy::Parsed::Header { .. } if !self.is_trusted => {
                    return Err(Refusal::Untrusted);
                }
                proxy::Parsed::Malformed => return Err(Refusal::ProxyHeader),
                proxy::Parsed::Header { length, told } => {
                    self.stream.read_exact(&mut bytes[taken..length]).await?;
                    self.believe(told)?;
                    return Ok(Vec::new());
                }
            }
        }
    }

    fn believe(&mut self, told: Option<(SocketAddr, SocketAddr)>) -> Result<(), Refusal> {
        let Some((client, server)) = told else { return Ok(()) };
        self.ends = Ends { client, server };
        self.edge.counters.proxied.add();
        self.count()
    }

    fn count(&mut self) -> Result<(), Refusal> {
        let most = self.settings.limits.arriving_per_source;
        self.counted = Some(self.edge.sources.count(self.ends.client.ip(), most).ok_or(Refusal::Source)?);
        Ok(())
    }
}

impl Edge {
    fn to_turn(&self, connection: Adopted) {
        let counter = if connection.tls.is_some() { &self.counters.turn_tls } else { &self.counters.turn_plain };
        counter.add();
        self.ports.turn.adopt(connection);
    }

    async fn to_http(&self, connection: HttpConnection) {
        let Ok(_seat) = self.http.try_acquire() else { return self.counters.refused(Refusal::Http) };
        let counter = if connection.is_tls { &self.counters.http_tls } else { &self.counters.http_plain };
        counter.add();
        self.ports.http.serve(connection).await;
    }

    async fn to_redirect(&self, stream: Replay, settings: &Settings) {
        let Ok(_seat) = self.http.try_acquire() else { return self.counters.refused(Refusal::Http) };
        self.counters.redirected.add();
        redirect::answer(stream, settings.origin.as_deref(), settings.timing.arrival).await;
    }
}

/// The next byte, which stays in the socket.
async fn peek(stream: &TcpStream) -> Result<u8, Refusal> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(Refusal::Gone),
        _ => Ok(first[0]),
    }
}
