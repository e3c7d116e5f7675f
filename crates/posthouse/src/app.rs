//! `posthouse run`: build, announce, serve, end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posthouse_config::{Config, Loaded};
use posthouse_relay::Relay;
use posthouse_signaling::{Ports, Signaling};
use posthouse_turn::{NonceKeys, Shared};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::admin::{self, View, metrics};
use crate::announce::Announcement;
use crate::check::load;
use crate::exit::Failure;
use crate::ground::{Own, Secrets, random};
use crate::ice::{IceUrls, Mint};
use crate::pages::EmbeddedPages;
use crate::relay_control::{EndOfMembership, FreshCredentials};
use crate::signals::Signals;
use crate::streams::{Served, Streams};
use crate::{convert, logging, notify};

/// How long calls may go on once the end was asked for; a second signal cuts them at once.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// Connections the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// Serves until a signal ends it.
pub(crate) fn run(file: Option<&Path>) -> Result<(), Failure> {
    let Loaded { config, warnings, .. } = load(file)?;
    logging::start(&config.log);
    for warning in warnings {
        warn!(target: "config", "{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::os("cannot start threads", &error))?;
    runtime.block_on(serve(&config, file))
}

async fn serve(config: &Config, file: Option<&Path>) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let secrets = Secrets::of(&config.auth)?;
    // Everything is bound before anything is announced: an address in use ends the start, and nothing half serves.
    let web = bind_all(&config.web.listen)?;
    let admin = bind_all(&config.admin.listen)?;
    let streams = Streams::bind(config)?;
    let relay = start_relay(config, &secrets)?;
    let urls = IceUrls::of(config);
    let origin = config.origin().unwrap_or_default();
    let signaling = Signaling::new(
        convert::signaling(config),
        Ports {
            ice: Arc::new(FreshCredentials {
                urls: urls.clone(),
                mint: Mint::new(secrets.first().clone(), config.auth.credential_lifetime),
            }),
            relay: Arc::new(EndOfMembership(Arc::clone(&relay))),
            pages: Arc::new(EmbeddedPages::new(&origin)),
        },
    );
    // Every listener is bound, so whoever reads the addresses can use them at once.
    Announcement {
        page: config.origin(),
        ice: &urls,
        config: file,
        own_secret: secrets.own,
        admin: &config.admin.listen,
    }
    .print();
    let (drain, draining) = watch::channel(false);
    let mut sessions = JoinSet::new();
    for listener in web {
        sessions.spawn(Arc::clone(&signaling).serve(listener, draining.clone()));
    }
    let streams = streams.serve(&relay, &signaling, &draining, &mut sessions);
    let house = Arc::new(House { relay, signaling, streams, ending: AtomicBool::new(false) });
    let mut tools = JoinSet::new();
    for listener in admin {
        let view: Arc<dyn View> = house.clone();
        tools.spawn(admin::serve(listener, config.admin.token.clone(), view));
    }
    let watched = Arc::clone(&house);
    tools.spawn(notify::keep_watchdog(move || watched.healthy()));

    notify::ready("serving");
    info!(target: "posthouse", version = env!("CARGO_PKG_VERSION"), "serving");

    let signal = signals.next().await;
    info!(target: "posthouse", signal, "ending");
    notify::stopping();
    house.ending.store(true, Ordering::Relaxed);
    let _ = drain.send(true);
    house.relay.drain();
    tokio::select! {
        () = all_has_ended(&mut sessions, &house.relay) => (),
        () = tokio::time::sleep(DRAIN_LIMIT) => warn!(target: "posthouse", "calls did not end in 30 s and are cut"),
        again = signals.next() => info!(target: "posthouse", signal = again, "ending at once"),
    }
    house.relay.shutdown();
    info!(target: "posthouse", "ended");
    Ok(())
}

/// Sessions are told to end; allocations end when their clients hang up.
async fn all_has_ended(sessions: &mut JoinSet<()>, relay: &Relay) {
    while sessions.join_next().await.is_some() {}
    while relay.ports_taken() > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Binds TCP listeners; what cannot be bound says so with its address.
pub(crate) fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        listeners.push(bind(*address).map_err(|e| Failure::os(format_args!("cannot listen on TCP {address}"), &e))?);
    }
    Ok(listeners)
}

/// `[::]` is IPv6 alone, as for the relay's listeners, so that `0.0.0.0` may stand beside it.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for the last connections of the process before it to time out.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn start_relay(config: &Config, secrets: &Secrets) -> Result<Arc<Relay>, Failure> {
    let nonce_keys = NonceKeys::new(random()?, None, posthouse_relay::now());
    let own = Own::of(config);
    let settings = convert::turn_settings(&config.relay, &config.auth, &config.limits, secrets, own, nonce_keys);
    let relay = Relay::start(&convert::relay(&config.relay), Arc::new(settings), Shared::new());
    relay.map(Arc::new).map_err(|error| Failure::relay(&error))
}

/// Everything that lives, for those who look at it from the side.
struct House {
    relay: Arc<Relay>,
    signaling: Arc<Signaling>,
    streams: Served,
    ending: AtomicBool,
}

impl View for House {
    fn healthy(&self) -> bool {
        self.relay.healthy()
    }

    fn ready(&self) -> bool {
        !self.ending.load(Ordering::Relaxed) && self.relay.healthy()
    }

    fn metrics(&self) -> String {
        let Served { edge, certificates } = &self.streams;
        metrics::text(&self.relay.stats(), &self.signaling.stats(), &edge.stats(), &certificates.expiries())
    }
}
