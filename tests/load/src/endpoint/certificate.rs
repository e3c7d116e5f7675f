//! [`Certificate`]: made for one run; servers get its files, clients trust it and nothing else.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// A self-signed certificate for `localhost`.
#[derive(Debug, Clone)]
pub struct Certificate {
    pem: String,
    key_pem: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// A new one.
    ///
    /// # Errors
    /// The words for the report.
    pub fn generate() -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(words)?;
        Ok(Self { pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem(), der: made.cert.der().clone() })
    }

    /// Writes certificate and key for a server; returns their paths.
    ///
    /// # Errors
    /// The words for the report.
    pub fn write(&self, directory: &Path) -> Result<(PathBuf, PathBuf), String> {
        let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        fs::write(&certificate, &self.pem).map_err(words)?;
        fs::write(&key, &self.key_pem).map_err(words)?;
        Ok((certificate, key))
    }

    /// What a client needs. AES-256-GCM only, so that all servers do the same work on each record, whether they
    /// speak TLS 1.3 or, as Debian's coturn does with this certificate, 1.2.
    ///
    /// # Errors
    /// The words for the report.
    pub fn trusted(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).map_err(words)?;
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![
            ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
            ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ];
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(words)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn words(error: impl Display) -> String {
    format!("the certificate of this run: {error}")
}
