//! One event to one server: signed, over HTTP/1.1, again and again until it is taken or it is enough.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, pki_types::ServerName};

use super::{Event, seconds};

/// How long a server is waited for, and how often it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For one attempt, from the connection to the answer.
    pub(crate) attempt: Duration,
    /// After the first attempt; twice as long after each further one.
    pub(crate) pause: Duration,
    /// In all.
    pub(crate) attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(10), pause: Duration::from_secs(1), attempts: 6 }
    }
}

/// Signs as Standard Webhooks has it: base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`.
#[derive(Clone)]
pub(super) struct Signer(Arc<Hmac<Sha256>>);

impl Signer {
    /// The key is the secret's bytes; behind `whsec_` it is base64 of them, as the libraries of Standard Webhooks write it.
    pub(super) fn new(secret: &str) -> Self {
        let decoded = secret.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
        Self(Arc::new(Hmac::new_from_slice(&key).expect("HMAC takes keys of any length")))
    }

    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let mut mac = (*self.0).clone();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Posts to one server.
pub(super) struct Poster {
    url: Uri,
    signer: Signer,
    patience: Patience,
}

/// Why an event was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// Something else than 2xx. A redirect is no address that the operator wrote, so it is not followed.
    Status(StatusCode),
    Late,
    Broken(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(f, "expected 2xx, got {status}"),
            Self::Late => write!(f, "expected an answer in time, got none"),
            Self::Broken(problem) => write!(f, "expected a connection: {problem}"),
        }
    }
}

fn broken(problem: impl std::fmt::Display) -> Refused {
    Refused::Broken(problem.to_string())
}

impl Poster {
    pub(super) fn new(url: Uri, signer: Signer, patience: Patience) -> Self {
        Self { url, signer, patience }
    }

    /// For the log: the path and the query may be a secret.
    pub(super) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// Posts until it is taken; the last refusal, if it never is.
    pub(super) async fn post(&self, event: &Event) -> Result<(), Refused> {
        let (mut pause, mut attempt) = (self.patience.pause, 1);
        loop {
            let tried = tokio::time::timeout(self.patience.attempt, self.attempt(event)).await;
            let refused = match tried.unwrap_or(Err(Refused::Late)) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            if attempt == self.patience.attempts {
                return Err(refused);
            }
            tokio::time::sleep(pause).await;
            (pause, attempt) = (pause * 2, attempt + 1);
        }
    }

    async fn attempt(&self, event: &Event) -> Result<(), Refused> {
        let tls = self.url.scheme_str() == Some("https");
        let port = self.url.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let host = self.host().trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, port)).await.map_err(broken)?;
        let status = if tls {
            let name = ServerName::try_from(host.to_owned()).map_err(broken)?;
            let connector = TlsConnector::from(TLS.clone().map_err(broken)?);
            self.ask(connector.connect(name, stream).await.map_err(broken)?, event).await?
        } else {
            self.ask(stream, event).await?
        };
        if status.is_success() { Ok(()) } else { Err(Refused::Status(status)) }
    }

    /// Only the status is read; what follows it goes with the connection.
    async fn ask<S>(&self, stream: S, event: &Event) -> Result<StatusCode, Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(16 * 1024)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let answered = sender.send_request(self.request(event)?);
        tokio::pin!(answered, connection);
        tokio::select! {
            answer = &mut answered => answer.map(|answer| answer.status()).map_err(broken),
            ended = &mut connection => match ended {
                Ok(()) => answered.await.map(|answer| answer.status()).map_err(broken),
                Err(problem) => Err(broken(problem)),
            },
        }
    }

    fn request(&self, event: &Event) -> Result<Request<Full<Bytes>>, Refused> {
        let Event { id, body } = event;
        // A receiver refuses what is old, so every attempt has its own time.
        let timestamp = seconds();
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.url.authority().map_or("", hyper::http::uri::Authority::as_str))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("posthouse/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &**id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.signer.sign(id, timestamp, body))
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .map_err(broken)
    }
}

/// The roots that the system trusts, read at the first https URL.
static TLS: LazyLock<Result<Arc<ClientConfig>, String>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("no root certificates on this system; install ca-certificates".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|problem| problem.to_string())?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
});
