//! An edge under test, its two takers, and clients for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use posthouse_edge::{Adopted, Carries, Certificates, Edge, Http, HttpConnection, Pair, Ports, Settings, Stats, Turn};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than anything that is expected takes; what is expected not to happen is not waited for this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A Binding request (RFC 8489 §5) without attributes.
pub(crate) const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";

/// An edge with one listener.
pub(crate) struct World {
    pub(crate) edge: Arc<Edge>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) address: SocketAddr,
    pub(crate) drain: watch::Sender<bool>,
    pub(crate) served: tokio::task::JoinHandle<()>,
    adopted: mpsc::UnboundedReceiver<Adopted>,
    http: mpsc::UnboundedReceiver<Served>,
}

/// HTTP that was handed over; the taker serves it until `_end` is dropped.
pub(crate) struct Served {
    pub(crate) connection: HttpConnection,
    _end: oneshot::Sender<()>,
}

impl World {
    /// With a certificate for `localhost`.
    pub(crate) async fn open(carries: Carries) -> Self {
        let files = Files::new();
        Self::with(carries, &[files.pair("localhost")], |_| {}).await
    }

    pub(crate) async fn with(carries: Carries, pairs: &[Pair], change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let certificates = Certificates::load(pairs).unwrap_or_else(|fault| panic!("{fault}"));
        let (turn, adopted) = mpsc::unbounded_channel();
        let (page, http) = mpsc::unbounded_channel();
        let ports = Ports { turn: Arc::new(Takes(turn)), http: Arc::new(Takes(page)) };
        let edge = Edge::new(settings, ports, Arc::clone(&certificates));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (drain, draining) = watch::channel(false);
        let served = tokio::spawn(Arc::clone(&edge).serve(listener, carries, draining));
        Self { edge, certificates, address, drain, served, adopted, http }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// From another address of loopback: another source.
    pub(crate) async fn connect_from(&self, source: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((source, 0))).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Connects, says `bytes`.
    pub(crate) async fn say(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream
    }

    pub(crate) async fn adopted(&mut self) -> Adopted {
        timeout(PATIENCE, self.adopted.recv()).await.expect("a connection for TURN").unwrap()
    }

    pub(crate) async fn http(&mut self) -> Served {
        timeout(PATIENCE, self.http.recv()).await.expect("a connection for HTTP").unwrap()
    }

    /// Nothing was handed over that no test asked for.
    pub(crate) fn assert_nothing_taken(&mut self) {
        assert!(self.adopted.try_recv().is_err(), "TURN was given a connection");
        assert!(self.http.try_recv().is_err(), "HTTP was given a connection");
    }

    /// Waits until the figures are as `wanted` says.
    pub(crate) async fn until(&self, wanted: impl Fn(&Stats) -> bool) -> Stats {
        let asked = async {
            while !wanted(&self.edge.stats()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let figures = timeout(PATIENCE, asked).await;
        assert!(figures.is_ok(), "{:?}", self.edge.stats());
        self.edge.stats()
    }
}

struct Takes<T>(mpsc::UnboundedSender<T>);

impl Turn for Takes<Adopted> {
    fn adopt(&self, connection: Adopted) {
        let _ = self.0.send(connection);
    }
}

impl Http for Takes<Served> {
    fn serve(&self, connection: HttpConnection) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let (end, ended) = oneshot::channel();
        let _ = self.0.send(Served { connection, _end: end });
        Box::pin(async move {
            let _ = ended.await;
        })
    }
}

/// Reads to the end. A reset is an end too: the other side closed while bytes of ours were on their way.
pub(crate) async fn rest(mut stream: impl AsyncReadExt + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends");
    if let Err(error) = read {
        assert!(
            matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof),
            "{error}"
        );
    }
    bytes
}

/// Exactly so many bytes.
pub(crate) async fn exactly(stream: &mut (impl AsyncReadExt + Unpin), length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes in time").unwrap();
    bytes
}

/// Bytes that wait in the socket of an adopted connection on plain TCP.
pub(crate) async fn plain_bytes(adopted: Adopted, length: usize) -> Vec<u8> {
    assert!(adopted.tls.is_none() && adopted.early.is_empty());
    let mut stream = TcpStream::from_std(adopted.stream).unwrap();
    exactly(&mut stream, length).await
}

/// A folder of certificates, gone with the value.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("posthouse-edge-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A fresh certificate for `name`, and its key.
    pub(crate) fn pair(&self, name: &str) -> Pair {
        self.pair_with(name, |_| {})
    }

    pub(crate) fn pair_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let pair = Pair { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) };
        let (certificate, key) = issue(name, change);
        write(&pair.certificate, &certificate, 0o644);
        write(&pair.key, &key, 0o600);
        pair
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Certificate and key as PEM, signed by itself.
pub(crate) fn issue(name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Replaces a file in one step, as tools that renew certificates do.
pub(crate) fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::set_permissions(&fresh, PermissionsExt::from_mode(mode)).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

/// The certificate of a PEM file as the client sees it.
pub(crate) fn der(path: &Path) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_file(path).unwrap()
}

/// A client that verifies the handshake and takes any certificate, so that tests look at it themselves.
pub(crate) fn client(alpn: &[&str]) -> ClientConfig {
    client_of(alpn, rustls::DEFAULT_VERSIONS)
}

pub(crate) fn client_of(alpn: &[&str], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let anybody = Arc::new(Anybody(provider.signature_verification_algorithms));
    let mut config = builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// A handshake for `name` on a stream.
pub(crate) async fn handshake<S>(config: ClientConfig, name: &str, stream: S) -> std::io::Result<TlsStream<S>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    timeout(PATIENCE, connector.connect(name, stream)).await.expect("a handshake ends")
}

/// The first certificate that the server showed.
pub(crate) fn shown<S>(stream: &TlsStream<S>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
