//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use crate::arrival::Arrival;
use crate::drain;
use crate::edge::Edge;
use crate::refusal::Refusal;

/// After a failed accept: descriptors do not come back by asking again at once.
const BACK_OFF: Duration = Duration::from_millis(250);
/// Between two lines about failed accepts.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);
/// How long a drain waits for connections that end by themselves.
const DRAIN: Duration = Duration::from_secs(10);

/// What the connections of a listener may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// STUN and TURN, plain or, where there is a certificate, in TLS: the first byte decides. Clients such as libnice send
    /// plain STUN to `turns:` ports, so that a port for one of the two alone would fail them.
    Turn,
    /// TURN and HTTPS together, for networks that let only 443 out.
    All,
}

impl Edge {
    /// Accepts connections until `drain` turns true: then nobody new is accepted, connections that have not said what they
    /// are get closed, and those that carry HTTP have ten seconds to end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, carries: Carries, mut drain: watch::Receiver<bool>) {
        let address = listener.local_addr().ok();
        info!(target: "edge", ?address, ?carries, "serving");
        let mut connections = JoinSet::new();
        let mut warned = None;
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listener, &mut warned) => accepted,
                () = drain::begun(&mut drain) => break,
            };
            while connections.try_join_next().is_some() {}
            let Some((stream, peer, seat)) = accepted else { continue };
            if let Some(arrival) = Arrival::new(&self, stream, peer, carries, seat) {
                connections.spawn(arrival.hand_on(drain.clone()));
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(DRAIN, ended).await.is_err() {
            debug!(target: "edge", ?address, "some connections did not end in time");
            connections.detach_all();
        }
        info!(target: "edge", ?address, "drained");
    }

    async fn accept(
        &self,
        listener: &TcpListener,
        warned: &mut Option<Instant>,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        match listener.accept().await {
            Ok((stream, _)) if self.ceiling.is_reached_by(&stream) => {
                self.counters.accepted.add();
                self.counters.refused(Refusal::Descriptors);
                None
            }
            Ok((stream, peer)) => {
                self.counters.accepted.add();
                // Nagle and delayed acknowledgements would cost tens of milliseconds a message.
                stream.set_nodelay(true).unwrap_or_default();
                // While there is no seat, those behind this one wait in the kernel's backlog.
                let seat = Arc::clone(&self.arriving).acquire_owned().await.ok()?;
                Some((stream, peer, seat))
            }
            // The client gave up before we looked: nothing is wrong here.
            Err(gone) if gone.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(problem) => {
                self.counters.accept_errors.add();
                if warned.is_none_or(|at| at.elapsed() > BETWEEN_WARNINGS) {
                    *warned = Some(Instant::now());
                    warn!(target: "edge", %problem, "cannot accept, waiting; raise LimitNOFILE if this stays");
                }
                sleep(BACK_OFF).await;
                None
            }
        }
    }
}
