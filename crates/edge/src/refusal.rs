//! Why a connection goes to nobody.

use std::io;

/// Why a connection was closed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The process has too few descriptors left.
    Descriptors,
    /// Its source has too many connections that say nothing.
    Source,
    /// Too many connections carry HTTP.
    Http,
    /// It did not say in time what it is.
    Silent,
    /// The client went away before.
    Gone,
    /// A PROXY header from a source that is not trusted to send one.
    Untrusted,
    /// A PROXY header that breaks its rules.
    ProxyHeader,
    /// TLS where there is no certificate.
    NoCertificate,
    /// The TLS handshake failed.
    Handshake,
    /// The TLS handshake took too long.
    SlowHandshake,
    /// Neither STUN nor TLS on a listener for TURN.
    NotTurn,
}

/// A socket that fails is one whose client is gone.
impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}
