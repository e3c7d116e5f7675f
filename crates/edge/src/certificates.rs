//! The certificates of all listeners, replaced while they serve.

mod choice;
mod pair;
mod pem;
mod validity;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::NoServerSessionStorage;

pub use pair::{Pair, PairFault, PairFile};

use crate::listener::Carries;
use crate::protocol;
use choice::{Choice, Served};
use watch::Look;

/// The certificates that TLS is ended with. The first of the pairs serves clients that name no host, or one that no other
/// has; a name chooses among several.
///
/// What they are can be replaced at any time. A connection keeps what it began with, and a new pair that is not good
/// leaves the old ones serving.
#[derive(Debug)]
pub struct Certificates {
    choice: Arc<Choice>,
    turn: Arc<ServerConfig>,
    all: Arc<ServerConfig>,
    /// Held while the files are read, so that of two reloads the later one wins.
    files: Mutex<Files>,
}

/// The files in force.
#[derive(Debug)]
struct Files {
    pairs: Vec<Pair>,
    /// What they looked like just before they were last read.
    looks: Vec<[Look; 2]>,
}

/// How long a certificate is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Its file.
    pub certificate: PathBuf,
    /// Whole days from now; negative once it has expired.
    pub days_left: i64,
}

impl Certificates {
    /// Reads the files of `pairs`, which all must be good. Without pairs no TLS is served until [`Certificates::replace`].
    pub fn load(pairs: &[Pair]) -> Result<Arc<Self>, PairFault> {
        let choice = Arc::new(Choice::default());
        let files = Files { pairs: pairs.to_vec(), looks: watch::looks(pairs) };
        choice.set(read(pairs)?);
        Ok(Arc::new(Self {
            turn: config(&choice, protocol::names_of_turn()),
            all: config(&choice, protocol::names_of_all()),
            choice,
            files: Mutex::new(files),
        }))
    }

    /// Reads the same files again. With an error nothing has changed.
    pub fn reload(&self) -> Result<(), PairFault> {
        self.reread(&mut self.files())
    }

    /// Serves other files from now on. With an error nothing has changed.
    pub fn replace(&self, pairs: &[Pair]) -> Result<(), PairFault> {
        let mut files = self.files();
        let looks = watch::looks(pairs);
        self.choice.set(read(pairs)?);
        *files = Files { pairs: pairs.to_vec(), looks };
        Ok(())
    }

    /// What the operator should know about the pairs in force.
    pub fn warnings(&self) -> Vec<PairFault> {
        self.choice.served().iter().flat_map(|served| served.doubts.clone()).collect()
    }

    /// How long each certificate in force is still good.
    pub fn expiries(&self) -> Vec<Expiry> {
        let served = self.choice.served();
        let expiry = |served: &Served| Expiry {
            certificate: served.certificate.clone(),
            days_left: served.validity.days_left(validity::now()),
        };
        served.iter().map(expiry).collect()
    }

    /// For one connection to a listener; `None` while there is no certificate.
    pub(crate) fn config(&self, carries: Carries) -> Option<Arc<ServerConfig>> {
        let config = match carries {
            Carries::Turn => &self.turn,
            Carries::All => &self.all,
        };
        (!self.choice.served().is_empty()).then(|| Arc::clone(config))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the files looked like is remembered even when they are not good: they are read again when they change again.
    fn reread(&self, files: &mut Files) -> Result<(), PairFault> {
        files.looks = watch::looks(&files.pairs);
        self.choice.set(read(&files.pairs)?);
        Ok(())
    }
}

fn read(pairs: &[Pair]) -> Result<Vec<Served>, PairFault> {
    pairs.iter().map(Pair::read).collect()
}

/// TLS 1.2 and 1.3, without client certificates.
fn config(choice: &Arc<Choice>, alpn: Vec<Vec<u8>>) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("the provider has suites for both versions");
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::<Choice>::clone(choice));
    config.alpn_protocols = alpn;
    // A client that comes back brings its session along in a ticket: nothing is kept here for those who do not.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if let Ok(ticketer) = Ticketer::new() {
        config.ticketer = ticketer;
    }
    Arc::new(config)
}
