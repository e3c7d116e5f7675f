//! `posthouse run`: build, announce, serve, end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posthouse_config::{Config, Loaded};
use posthouse_relay::Relay;
use posthouse_signaling::{Ports, Signaling};
use posthouse_turn::{NonceKeys, Shared};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::admin::{self, View, metrics};
use crate::announce::Announcement;
use crate::check::load;
use crate::exit::Failure;
use crate::ground::{Own, Secrets, random};
use crate::ice::{IceUrls, Mint};
use crate::listeners::bind_all;
use crate::pages::EmbeddedPages;
use crate::relay_control::{EndOfMembership, FreshCredentials};
use crate::signals::Signals;
use crate::streams::{Served, Streams};
use crate::{convert, logging, notify};

/// How long calls may go on once the end was asked for; a second signal cuts them at once.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

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

    house.serve_until_told(&mut signals, &drain, &mut sessions).await;
    Ok(())
}

/// Sessions are told to end; allocations end when their clients hang up.
async fn all_has_ended(sessions: &mut JoinSet<()>, relay: &Relay) {
    while sessions.join_next().await.is_some() {}
    while relay.ports_taken() > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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

impl House {
    /// Waits for a signal, then lets what runs end in order; a second signal cuts it.
    async fn serve_until_told(&self, signals: &mut Signals, drain: &watch::Sender<bool>, sessions: &mut JoinSet<()>) {
        let signal = signals.next().await;
        info!(target: "posthouse", signal, "ending");
        notify::stopping();
        self.ending.store(true, Ordering::Relaxed);
        let _ = drain.send(true);
        self.relay.drain();
        tokio::select! {
            () = all_has_ended(sessions, &self.relay) => (),
            () = tokio::time::sleep(DRAIN_LIMIT) => {
                warn!(target: "posthouse", "calls did not end in 30 s and are cut");
            }
            again = signals.next() => info!(target: "posthouse", signal = again, "ending at once"),
        }
        self.relay.shutdown();
        info!(target: "posthouse", "ended");
    }
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
