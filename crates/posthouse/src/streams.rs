//! Streams: TURN over TCP and TLS, and the one port that carries everything. What `edge` found out decides who serves.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use posthouse_config::Config;
use posthouse_edge::{
    Adopted, Carries, Certificates, Edge, Http, HttpConnection, Ports, Settings as EdgeSettings, Turn,
};
use posthouse_relay::Relay;
use posthouse_signaling::Signaling;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::convert;
use crate::exit::Failure;
use crate::listeners::bind_all;

/// How often the certificate's files are looked at: two `stat` calls for each pair.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(2);

/// Bound and not yet served.
pub(crate) struct Streams {
    listeners: Vec<(TcpListener, Carries)>,
    certificates: Arc<Certificates>,
    settings: EdgeSettings,
}

impl Streams {
    /// Binds every stream listener of the relay and the edge, and reads the certificate.
    pub(crate) fn bind(config: &Config) -> Result<Self, Failure> {
        let mut listeners = Vec::new();
        let kinds = [
            (&config.relay.listen, Carries::Turn),
            (&config.relay.tls_listen, Carries::Turn),
            (&config.edge.listen, Carries::All),
        ];
        for (addresses, carries) in kinds {
            listeners.extend(bind_all(addresses)?.into_iter().map(|listener| (listener, carries)));
        }
        let certificates = Certificates::load(&convert::pairs(config)).map_err(Failure::config)?;
        Ok(Self { listeners, certificates, settings: convert::edge(config) })
    }

    /// Serves every listener until `drain` turns true. The relay must have started: it raised the limit of open files.
    pub(crate) fn serve(
        self,
        relay: &Arc<Relay>,
        signaling: &Arc<Signaling>,
        drain: &watch::Receiver<bool>,
        sessions: &mut JoinSet<()>,
    ) -> Served {
        let ports = Ports {
            turn: Arc::new(ToRelay(Arc::clone(relay))),
            http: Arc::new(ToSignaling { signaling: Arc::clone(signaling), drain: drain.clone() }),
        };
        let edge = Edge::new(self.settings, ports, Arc::clone(&self.certificates));
        for (listener, carries) in self.listeners {
            sessions.spawn(Arc::clone(&edge).serve(listener, carries, drain.clone()));
        }
        tokio::spawn(Arc::clone(&self.certificates).watch(CERTIFICATE_LOOK));
        Served { edge, certificates: self.certificates }
    }
}

/// For those who look at it from the side.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) edge: Arc<Edge>,
    pub(crate) certificates: Arc<Certificates>,
}

/// TURN clients go to a worker of the relay, for good.
struct ToRelay(Arc<Relay>);

impl Turn for ToRelay {
    fn adopt(&self, connection: Adopted) {
        let Adopted { stream, tls, early, client, server } = connection;
        // One that is not taken is closed, and counted where it was refused.
        let _ = self.0.adopt(posthouse_relay::Adopted { stream, tls, early, client, server });
    }
}

/// Browsers go to signaling.
struct ToSignaling {
    signaling: Arc<Signaling>,
    drain: watch::Receiver<bool>,
}

impl Http for ToSignaling {
    fn serve(&self, connection: HttpConnection) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let (signaling, drain) = (Arc::clone(&self.signaling), self.drain.clone());
        let HttpConnection { stream, client, .. } = connection;
        Box::pin(async move { signaling.serve_stream(stream, client, drain).await })
    }
}
