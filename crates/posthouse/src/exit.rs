//! [`Failure`]: why the process ends, in a sentence and as an exit code of `sysexits.h`.

use std::fmt;

use posthouse_relay::StartError;

/// All is well.
pub(crate) const OK: u8 = 0;
/// The command line is wrong (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;
/// Something needed is not there (`EX_UNAVAILABLE`).
pub(crate) const UNAVAILABLE: u8 = 69;
/// The operating system refused something (`EX_OSERR`).
pub(crate) const OS: u8 = 71;
/// A permission is missing (`EX_NOPERM`).
pub(crate) const PERMISSION: u8 = 77;
/// The configuration is wrong (`EX_CONFIG`).
pub(crate) const CONFIG: u8 = 78;

/// A sentence for the operator and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    sentence: String,
}

impl Failure {
    /// The configuration is wrong; `problems` says what to write.
    pub(crate) fn config(problems: impl fmt::Display) -> Self {
        Self { code: CONFIG, sentence: problems.to_string() }
    }

    /// The command line is wrong.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: USAGE, sentence: sentence.into() }
    }

    /// Something needed is not there.
    pub(crate) fn unavailable(sentence: impl Into<String>) -> Self {
        Self { code: UNAVAILABLE, sentence: sentence.into() }
    }

    /// The operating system refused `what`; names the remedy where there is one.
    pub(crate) fn os(what: impl fmt::Display, error: &std::io::Error) -> Self {
        let code = if error.kind() == std::io::ErrorKind::PermissionDenied { PERMISSION } else { OS };
        Self { code, sentence: format!("{what}: {error}{}", remedy(error)) }
    }

    /// The relay did not start; its error says which address and what to do.
    pub(crate) fn relay(error: &StartError) -> Self {
        let code = match error {
            StartError::Listen { source, .. }
            | StartError::RelayAddress { source, .. }
            | StartError::Worker(source) => {
                if source.kind() == std::io::ErrorKind::PermissionDenied {
                    PERMISSION
                } else {
                    OS
                }
            }
            _ => CONFIG,
        };
        Self { code, sentence: error.to_string() }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need CAP_NET_BIND_SERVICE: use the systemd unit, or a port above 1023"
        }
        std::io::ErrorKind::AddrInUse => "; another program listens there: stop it or choose another port",
        std::io::ErrorKind::AddrNotAvailable => "; this machine has no such address: name one of `ip address`",
        _ => "",
    }
}
