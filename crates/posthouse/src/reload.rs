//! SIGHUP: the file is read again. What is wrong with it changes nothing; what is right is applied as one.
//!
//! ```text
//! read and check ──► compare with what is in force ──► certificates ──► relay, streams, signaling, pages, admin, log
//!       │                        │                          │
//!       └── wrong: told          └── needs a restart:       └── not good: nothing has changed
//!           as by `check`            old value, told
//! ```
//! Nothing is bound, closed or waited for here: workers take their settings with their next batch, everybody else has
//! them behind an `ArcSwap`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use posthouse_config::{Applies, Auth, Change, Config, Loaded, Reloaded, User};
use posthouse_edge::{Certificates, Edge, PairFault};
use posthouse_relay::Relay;
use posthouse_signaling::Signaling;
use tracing::{error, info, warn};

use crate::admin::Token;
use crate::check::load_again;
use crate::convert;
use crate::exit::Failure;
use crate::ground::{Own, Secrets};
use crate::ice::{IceUrls, Mint};
use crate::keys::Keys;
use crate::logging::Logging;
use crate::notify;
use crate::pages::EmbeddedPages;
use crate::relay_control::FreshCredentials;
use crate::webhooks::Webhooks;

/// Everything that can be told other settings.
pub(crate) struct Doors {
    pub(crate) relay: Arc<Relay>,
    pub(crate) edge: Arc<Edge>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) credentials: Arc<FreshCredentials>,
    pub(crate) pages: Arc<EmbeddedPages>,
    pub(crate) token: Arc<Token>,
    pub(crate) logging: Logging,
}

/// What is in force, and how it is replaced.
pub(crate) struct Reload {
    pub(crate) file: Option<PathBuf>,
    pub(crate) config: Config,
    pub(crate) secrets: Secrets,
    pub(crate) keys: Keys,
    pub(crate) doors: Doors,
    pub(crate) count: Arc<Count>,
}

/// How often, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Count {
    applied: AtomicU64,
    refused: AtomicU64,
}

impl Count {
    /// Applied and refused.
    pub(crate) fn outcomes(&self) -> [(&'static str, u64); 2] {
        [("applied", &self.applied), ("refused", &self.refused)]
            .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

impl Reload {
    /// Reads the file again and applies it, or tells what is wrong with it.
    pub(crate) fn run(&mut self) {
        notify::reloading();
        let (count, status) = match self.read_and_apply() {
            Ok(()) => (&self.count.applied, "serving"),
            Err(failure) => {
                error!(target: "config", "reload refused, the old settings go on: {failure}");
                (&self.count.refused, "serving with the old settings: the last reload was refused")
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        notify::ready(status);
    }

    fn read_and_apply(&mut self) -> Result<(), Failure> {
        let Loaded { config, warnings, .. } = load_again(self.file.as_deref())?;
        let secrets = self.secrets.again(&config.auth)?;
        let Reloaded { mut config, mut changes } = self.config.replaced_by(config);
        if !self.replace_certificates(&config)? {
            config.tls = self.config.tls.clone();
            changes.retain(|change| !change.key.starts_with("tls."));
        }
        for warning in warnings {
            warn!(target: "config", "{warning}");
        }
        self.apply(&config, &secrets);
        tell(&changes);
        (self.config, self.secrets) = (config, secrets);
        Ok(())
    }

    /// The one step that can fail, so it is the first; whether they were replaced. A certificate that has expired is no
    /// reason to keep a secret in force that was taken away.
    fn replace_certificates(&self, config: &Config) -> Result<bool, Failure> {
        match self.doors.certificates.replace(&convert::pairs(config)) {
            Ok(()) => Ok(true),
            Err(fault @ PairFault { expired: true, .. }) => {
                warn!(target: "edge", "the old certificates serve on: {fault}");
                Ok(false)
            }
            Err(fault) => Err(Failure::config(fault)),
        }
    }

    fn apply(&self, config: &Config, secrets: &Secrets) {
        let Doors { relay, edge, certificates: _, signaling, webhooks, credentials, pages, token, logging } =
            &self.doors;
        let own = Own::of(config);
        let settings = convert::turn_settings(&config.relay, &config.auth, &config.limits, secrets, own, &self.keys);
        relay.apply(&Arc::new(settings));
        for user in revoked(&self.config.auth, &config.auth) {
            relay.end_user(&user.name);
        }
        edge.apply(convert::edge(config));
        signaling.apply(convert::signaling(config));
        if config.webhooks != self.config.webhooks {
            webhooks.apply(&config.webhooks);
        }
        credentials.replace(IceUrls::of(config), Mint::new(secrets.first().clone(), config.auth.credential_lifetime));
        pages.change(&config.origin().unwrap_or_default(), config.rooms.capacity);
        token.store(Arc::new(config.admin.token.clone()));
        logging.set_level(config.log.level);
    }
}

/// Static users whose name or password is no longer good: what they hold on the relay ends at once.
fn revoked<'a>(old: &'a Auth, new: &'a Auth) -> impl Iterator<Item = &'a User> {
    old.users.iter().filter(|user| !new.users.contains(user))
}

/// One line for each key that waits, then one for what holds now.
fn tell(changes: &[Change]) {
    let (now, waiting): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.applies == Applies::Now);
    for Change { key, .. } in waiting {
        warn!(target: "config", "{key} differs and needs a restart; the old value goes on");
    }
    let names: Vec<&str> = now.iter().map(|change| change.key).collect();
    match names.as_slice() {
        [] => info!(target: "config", "reloaded; no setting that can change at once differs"),
        names => info!(target: "config", "reloaded; changed: {}", names.join(", ")),
    }
}
