//! `posthouse run`: build, announce, serve, end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use posthouse_config::{Config, Loaded};
use posthouse_relay::Relay;
use posthouse_signaling::{Ports, Signaling};
use posthouse_turn::Shared;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::admin::{self, Access, Dashboard, Desk, Token, View, metrics};
use crate::announce::Announcement;
use crate::check::load;
use crate::exit::Failure;
use crate::ground::{Own, Secrets};
use crate::ice::{IceUrls, Mint};
use crate::keys::Keys;
use crate::listeners::bind_all;
use crate::logging::Logging;
use crate::pages::EmbeddedPages;
use crate::relay_control::{EndOfMembership, FreshCredentials};
use crate::reload::{Count, Doors, Reload};
use crate::signals::{Signals, Wish};
use crate::streams::{Served, Streams};
use crate::webhooks::{Patience, Webhooks};
use crate::{convert, notify};

/// How long calls may go on once the end was asked for; a second signal cuts them at once.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// Serves until a signal ends it.
pub(crate) fn run(file: Option<&Path>) -> Result<(), Failure> {
    let loaded = load(file)?;
    let logging = Logging::start(&loaded.config.log);
    for variable in loaded.variables() {
        info!(target: "config", variable, "set by the environment");
    }
    let Loaded { config, warnings, .. } = loaded;
    for warning in warnings {
        warn!(target: "config", "{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::os("cannot start threads", &error))?;
    runtime.block_on(serve(config, file.map(Path::to_owned), logging))
}

async fn serve(config: Config, file: Option<PathBuf>, logging: Logging) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let secrets = Secrets::of(&config.auth)?;
    // Everything is bound before anything is announced: an address in use ends the start, and nothing half serves.
    let web = bind_all(&config.web.listen)?;
    let admin = bind_all(&config.admin.listen)?;
    let streams = Streams::bind(&config)?;
    let keys = Keys::draw()?;
    let relay = start_relay(&config, &secrets, &keys)?;
    let urls = IceUrls::of(&config);
    let origin = config.origin().unwrap_or_default();
    let mint = Mint::new(secrets.first().clone(), config.auth.credential_lifetime);
    let credentials = Arc::new(FreshCredentials::new(urls.clone(), mint));
    let pages = Arc::new(EmbeddedPages::new(&origin, config.rooms.capacity));
    let webhooks = Arc::new(Webhooks::new(Patience::default()));
    webhooks.apply(&config.webhooks);
    let ports = Ports {
        ice: credentials.clone(),
        relay: Arc::new(EndOfMembership { relay: Arc::clone(&relay), credentials: Arc::clone(&credentials) }),
        pages: pages.clone(),
        events: webhooks.clone(),
    };
    let signaling = Signaling::new(convert::signaling(&config), ports);
    // Every listener is bound, so whoever reads the addresses can use them at once.
    Announcement {
        page: config.origin(),
        ice: &urls,
        config: file.as_deref(),
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
    let token = Arc::new(ArcSwap::from_pointee(config.admin.token.clone()));
    let count = Arc::new(Count::default());
    let doors = Doors {
        relay: Arc::clone(&relay),
        edge: Arc::clone(&streams.edge),
        certificates: Arc::clone(&streams.certificates),
        signaling: Arc::clone(&signaling),
        webhooks: Arc::clone(&webhooks),
        credentials,
        pages,
        token: Arc::clone(&token),
        logging,
    };
    let reloads = Arc::clone(&count);
    let house = Arc::new(House { relay, signaling, webhooks, streams, reloads, ending: AtomicBool::new(false) });
    let mut tools = JoinSet::new();
    let desk = house.desk(token, file.clone());
    tools.spawn(Arc::clone(&desk).remember());
    for listener in admin {
        tools.spawn(admin::serve(listener, Arc::clone(&desk)));
    }
    let watched = Arc::clone(&house);
    tools.spawn(notify::keep_watchdog(move || watched.healthy()));

    notify::ready("serving");
    info!(target: "posthouse", version = env!("CARGO_PKG_VERSION"), "serving");

    let mut reload = Reload { file, config, secrets, keys, doors, count };
    house.serve_until_told(&mut signals, &mut reload, &drain, &mut sessions).await;
    Ok(())
}

/// Sessions are told to end; allocations end when their clients hang up.
async fn all_has_ended(sessions: &mut JoinSet<()>, relay: &Relay) {
    while sessions.join_next().await.is_some() {}
    while relay.ports_taken() > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn start_relay(config: &Config, secrets: &Secrets, keys: &Keys) -> Result<Arc<Relay>, Failure> {
    let own = Own::of(config);
    let settings = convert::turn_settings(&config.relay, &config.auth, &config.limits, secrets, own, keys);
    let relay = Relay::start(&convert::relay(&config.relay), Arc::new(settings), Shared::new());
    relay.map(Arc::new).map_err(|error| Failure::relay(&error))
}

/// Everything that lives, for those who look at it from the side.
struct House {
    relay: Arc<Relay>,
    signaling: Arc<Signaling>,
    webhooks: Arc<Webhooks>,
    streams: Served,
    reloads: Arc<Count>,
    ending: AtomicBool,
}

impl House {
    /// What the admin listeners answer from.
    fn desk(self: &Arc<Self>, token: Arc<Token>, config: Option<PathBuf>) -> Arc<Desk> {
        let (relay, signaling) = (Arc::clone(&self.relay), Arc::clone(&self.signaling));
        let dashboard = Dashboard::new(relay, signaling, self.streams.clone(), config);
        Arc::new(Desk { access: Access::new(token), view: Arc::clone(self) as Arc<dyn View>, dashboard })
    }

    /// Reloads whenever a signal asks for it; when one asks for the end, lets what runs end in order. A second one cuts it.
    async fn serve_until_told(
        &self,
        signals: &mut Signals,
        reload: &mut Reload,
        drain: &watch::Sender<bool>,
        sessions: &mut JoinSet<()>,
    ) {
        let signal = loop {
            match signals.next().await {
                Wish::Reload => reload.run(),
                Wish::End(signal) => break signal,
            }
        };
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
            again = signals.next_end() => info!(target: "posthouse", signal = again, "ending at once"),
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
        metrics::text(
            &self.relay.stats(),
            &self.signaling.stats(),
            self.signaling.tallies(),
            &edge.stats(),
            &certificates.expiries(),
            self.reloads.outcomes(),
            self.webhooks.counts().outcomes(),
        )
    }
}
