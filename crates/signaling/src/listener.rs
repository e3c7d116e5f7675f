//! The accept loop.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{Signaling, drain::Drain};

/// After a failed accept: descriptors do not come back by asking again at once.
const BACK_OFF: Duration = Duration::from_millis(500);
/// How long a drain waits for connections that end by themselves.
const DRAIN: Duration = Duration::from_secs(10);

impl Signaling {
    /// Accepts and serves connections until `drain` turns true: then nobody new is accepted, WebSockets close with 1001,
    /// requests under way are answered. Returns when the last connection is gone, or after ten seconds.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, drain: watch::Receiver<bool>) {
        let address = listener.local_addr().ok();
        info!(target: "signaling", ?address, "serving");
        let (alive, mut gone) = tokio::sync::mpsc::channel::<()>(1);
        let mut draining = Drain::new(drain.clone());
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listener) => accepted,
                () = draining.begun() => break,
            };
            let Some((stream, peer, seat)) = accepted else { continue };
            let (signaling, drain, alive) = (self.clone(), drain.clone(), alive.clone());
            tokio::spawn(async move {
                signaling.serve_stream(stream, peer, drain).await;
                drop((seat, alive));
            });
        }
        drop((listener, alive));
        if timeout(DRAIN, gone.recv()).await.is_err() {
            debug!(target: "signaling", ?address, "some connections did not end in time");
        }
        info!(target: "signaling", ?address, "drained");
    }

    async fn accept(
        &self,
        listener: &TcpListener,
    ) -> Option<(tokio::net::TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let seat = self.free.clone().acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                self.counters.connections.add();
                // Nagle and delayed acknowledgements would cost tens of milliseconds a message.
                stream.set_nodelay(true).unwrap_or_default();
                Some((stream, peer, seat))
            }
            // The client gave up before we looked: nothing is wrong here.
            Err(gone) if gone.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(problem) => {
                warn!(target: "signaling", %problem, "cannot accept, waiting; raise LimitNOFILE if this stays");
                sleep(BACK_OFF).await;
                None
            }
        }
    }
}
