//! Which certificate a client sees.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use rustls::client::verify_server_name;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::ServerName;

use super::pair::PairFault;
use super::validity::Validity;

/// The pairs in force, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Choice(ArcSwap<Vec<Served>>);

/// One pair, read and found good.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) certificate: PathBuf,
    pub(super) key: Arc<CertifiedKey>,
    pub(super) validity: Validity,
    pub(super) doubts: Vec<PairFault>,
}

impl Choice {
    pub(super) fn set(&self, served: Vec<Served>) {
        self.0.store(Arc::new(served));
    }

    pub(super) fn served(&self) -> Guard<Arc<Vec<Served>>> {
        self.0.load()
    }
}

impl ResolvesServerCert for Choice {
    /// The first that has the name and a key that the client can verify, else the first such key.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = self.served();
        let usable = || served.iter().filter(|one| one.key.key.choose_scheme(hello.signature_schemes()).is_some());
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| usable().find(|one| one.is_for(&name)));
        named.or_else(|| usable().next()).map(|one| Arc::clone(&one.key))
    }
}

impl Served {
    fn is_for(&self, name: &ServerName<'_>) -> bool {
        let certificate = self.key.end_entity_cert().and_then(ParsedCertificate::try_from);
        certificate.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
    }
}
