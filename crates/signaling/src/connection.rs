//! One accepted stream: HTTP/1.1 with its limits, and the WebSocket it may turn into.

mod framing;
mod watched;

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::TRANSFER_ENCODING,
    server::conn::http1,
    service::service_fn,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tracing::debug;

use crate::{
    Signaling,
    drain::Drain,
    respond,
    routes::Answer,
    socket::{Allowance, Guarded, Pump, WebSocket},
    upgrade::Opening,
};

use watched::Watched;

/// Request line (8 KiB) and headers (16 KiB).
const HEAD: usize = 24 * 1024;
const HEADERS: usize = 64;
/// Requests on one connection; the last answer says that it closes.
const REQUESTS: usize = 1000;

impl Signaling {
    /// Serves one stream that somebody else has accepted (and perhaps decrypted). `peer` is the address at its other
    /// end. Returns when the connection, and the WebSocket it may have become, is over.
    pub async fn serve_stream<S>(self: &Arc<Self>, stream: S, peer: SocketAddr, drain: watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let drain = Drain::new(drain);
        self.keep_time();
        // Boxed, so that HTTP's state is gone for as long as a WebSocket lives.
        let opened = Box::pin(self.converse(stream, peer, drain.clone())).await;
        if let Some((upgrade, opening)) = opened
            && let Ok(upgraded) = upgrade.await
        {
            Box::pin(self.attend::<S>(upgraded, opening, drain)).await;
        }
    }

    /// Answers requests until the connection ends or becomes a WebSocket.
    async fn converse<S>(
        self: &Arc<Self>,
        stream: S,
        peer: SocketAddr,
        mut drain: Drain,
    ) -> Option<(OnUpgrade, Opening)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (opened, requests) = (Mutex::new(None), AtomicUsize::new(0));
        let ambiguous = Arc::new(AtomicBool::new(false));
        let service = service_fn(|mut request: Request<Incoming>| async {
            if ambiguous.load(Ordering::Relaxed) {
                self.counters.http_errors.add();
                return Ok::<_, Infallible>(respond::closing(respond::bare(StatusCode::BAD_REQUEST)));
            }
            // What comes behind a body without a length is not looked at, so nothing may come.
            let last = request.headers().contains_key(TRANSFER_ENCODING);
            let upgrade = hyper::upgrade::on(&mut request);
            let response = match self.answer(request, peer).await {
                Answer::Response(response) if last => respond::closing(response),
                Answer::Response(response) if requests.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS => {
                    respond::closing(response)
                }
                Answer::Response(response) => response,
                Answer::Upgrade(response, opening) => {
                    *opened.lock() = Some((upgrade, opening));
                    response
                }
            };
            Ok(response)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.current.load().config.timing.headers)
            .max_buf_size(HEAD)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(Watched::new(stream, ambiguous.clone())), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = drain.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(problem) = served {
            debug!(target: "signaling", %problem, "a connection ended");
        }
        opened.lock().take()
    }

    /// Serves a WebSocket to its end.
    async fn attend<S>(self: &Arc<Self>, upgraded: Upgraded, opening: Opening, drain: Drain)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Only the stream and the early bytes are kept, copied: hyper's buffer would cost 8 KiB for as long as the socket
        // lives.
        let Ok(parts) = upgraded.downcast::<TokioIo<Watched<S>>>() else { return };
        let current = self.current.load_full();
        let longest = current.config.rooms.max_message;
        let stream = Guarded::new(parts.io.into_inner().into_inner(), &parts.read_buf, longest);
        drop(parts.read_buf);
        let socket = Arc::new(Mutex::new(WebSocket::new(stream, longest)));
        self.counters.sockets_opened.add();
        let (rates, timing) = (&current.config.rates, current.config.timing.clone());
        let Opening { dialect, seat } = opening;
        let outgoing = dialect.outgoing().clone();
        let (messages, pings) = (Allowance::new(rates.socket_messages), Allowance::new(rates.socket_pings));
        let counters = self.counters.clone();
        let pump = Pump { socket, outgoing, dialect, timing, messages, pings, drain, counters };
        pump.run().await;
        drop(seat);
    }
}
