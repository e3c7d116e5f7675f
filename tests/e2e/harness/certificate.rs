//! A certificate of a test's own, and a TLS client that trusts it alone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd, generate_simple_self_signed};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::folder::Folder;

/// The name in every certificate, and the host in the server's public URL.
pub(crate) const NAME: &str = "localhost";

/// Two PEM files in a folder that goes with it.
pub(crate) struct Certificate {
    folder: Folder,
    made: CertifiedKey<KeyPair>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let certificate = Self { folder: Folder::new(), made: generate_simple_self_signed([NAME.to_owned()]).unwrap() };
        certificate.install(&certificate.certificate(), &certificate.key());
        certificate
    }

    /// One whose last day was in 2020.
    pub(crate) fn expired() -> Self {
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let certificate = Self { folder: Folder::new(), made: CertifiedKey { cert, signing_key } };
        certificate.install(&certificate.certificate(), &certificate.key());
        certificate
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Writes it over the files of another.
    pub(crate) fn install(&self, certificate: &Path, key: &Path) {
        std::fs::write(certificate, self.made.cert.pem()).expect("a certificate in the temporary folder");
        std::fs::write(key, self.made.signing_key.serialize_pem()).expect("a key in the temporary folder");
    }

    /// A handshake that succeeds only when the server shows this certificate.
    pub(crate) async fn connect(&self, server: SocketAddr, alpn: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(server).await?;
        TlsConnector::from(self.client(alpn)).connect(server_name(), stream).await
    }

    /// What a TLS client needs that trusts this certificate alone.
    pub(crate) fn client(&self, alpn: &str) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.made.cert.der().to_vec())).expect("a trust anchor");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("the provider has suites for both versions");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = if alpn.is_empty() { Vec::new() } else { vec![alpn.as_bytes().to_vec()] };
        Arc::new(config)
    }
}

/// The name that a client expects in the certificate.
pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a name")
}
