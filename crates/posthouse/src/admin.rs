//! The admin listener: `/healthz`, `/readyz`, `/metrics`, the dashboard and its JSON. Never on a public listener.

mod access;
mod dashboard;
mod history;
mod holdings;
pub(crate) mod metrics;
mod routes;
mod status;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use posthouse_config::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub(crate) use access::Access;
pub(crate) use dashboard::Dashboard;

/// How long a client may take to send its request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one connection may last: a scrape takes milliseconds, a browser makes another one.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);
/// How long the answer under way may take after that.
const LAST_ANSWER: Duration = Duration::from_secs(10);
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

/// What all admin listeners answer from.
pub(crate) struct Desk {
    pub(crate) access: Access,
    pub(crate) view: Arc<dyn View>,
    pub(crate) dashboard: Dashboard,
}

impl Desk {
    /// Keeps the time of the plots, until the task is dropped.
    pub(crate) async fn remember(self: Arc<Self>) {
        self.dashboard.remember().await;
    }
}

/// Answers on one listener until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move {
                    serve_connection(stream, peer, &desk).await;
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

async fn serve_connection(stream: TcpStream, peer: SocketAddr, desk: &Arc<Desk>) {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(routes::answer(&request, peer, desk).await) });
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(16 * 1024)
            .max_headers(64)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = match tokio::time::timeout(CONNECTION_LIMIT, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "admin", %peer, %error, "connection ended");
    }
}
