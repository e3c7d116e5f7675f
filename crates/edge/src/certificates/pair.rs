//! A certificate and its key, in two files.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::Error;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;

use super::choice::Served;
use super::pem;
use super::validity::{self, Validity};

/// Two PEM files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The server's certificate, then those that signed it.
    pub certificate: PathBuf,
    /// The private key of the first certificate, not encrypted.
    pub key: PathBuf,
}

/// What is wrong or doubtful with a file of a [`Pair`], and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}; {write}", path.display())]
pub struct PairFault {
    /// Which of the two.
    pub file: PairFile,
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub write: String,
    /// The certificate was good once: whoever serves an older one of the name need not stop for it.
    pub expired: bool,
}

/// Which file of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairFile {
    /// [`Pair::certificate`]
    Certificate,
    /// [`Pair::key`]
    Key,
}

impl Pair {
    /// Reads both files; what is allowed and doubtful about them, or why they cannot be served.
    pub fn check(&self) -> Result<Vec<PairFault>, PairFault> {
        self.read().map(|served| served.doubts)
    }

    pub(super) fn read(&self) -> Result<Served, PairFault> {
        let chain = pem::chain(&self.certificate).map_err(|fault| self.certificate_fault(fault))?;
        let validity = Validity::of(&chain[0]).map_err(|unread| self.certificate_fault(unread))?;
        let key = pem::key(&self.key).map_err(|fault| self.key_fault(fault))?;
        let key = default_provider().key_provider.load_private_key(key).map_err(|error| {
            self.key_fault((
                format!("holds a key that cannot be used ({error})"),
                "make an ECDSA P-256 or RSA key".into(),
            ))
        })?;
        let key = CertifiedKey::new(chain, key);
        self.belong_together(&key)?;
        let doubts = self.judge(validity)?;
        Ok(Served { certificate: self.certificate.clone(), key: Arc::new(key), validity, doubts })
    }

    fn belong_together(&self, key: &CertifiedKey) -> Result<(), PairFault> {
        match key.keys_match() {
            Ok(()) => Ok(()),
            // A key that cannot tell its public half may be the right one.
            Err(Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(()),
            Err(Error::InconsistentKeys(_)) => {
                let certificate = self.certificate.display();
                Err(self.key_fault((
                    format!("is not the key of the first certificate in {certificate}"),
                    "name the key that it was made with, and put the server's own certificate first".into(),
                )))
            }
            Err(error) => Err(self.certificate_fault((
                format!("holds a certificate that cannot be served ({error})"),
                "make an X.509 version 3 certificate with the host's name".into(),
            ))),
        }
    }

    fn judge(&self, validity: Validity) -> Result<Vec<PairFault>, PairFault> {
        let now = validity::now();
        if validity.has_ended(now) {
            let reason = format!("expired on {}", validity.end());
            return Err(PairFault { expired: true, ..self.certificate_fault((reason, "renew it".into())) });
        }
        let mut doubts = Vec::new();
        if !validity.has_begun(now) {
            let reason = format!("is not valid before {}", validity.begin());
            doubts.push(self.certificate_fault((reason, "look at the clock of this machine".into())));
        }
        if is_open(&self.key) {
            let reason = "can be read by everybody on this machine".to_owned();
            doubts.push(self.key_fault((reason, "chmod 0640 and let the service's group own it".into())));
        }
        Ok(doubts)
    }

    fn certificate_fault(&self, (reason, write): (String, String)) -> PairFault {
        PairFault { file: PairFile::Certificate, path: self.certificate.clone(), reason, write, expired: false }
    }

    fn key_fault(&self, (reason, write): (String, String)) -> PairFault {
        PairFault { file: PairFile::Key, path: self.key.clone(), reason, write, expired: false }
    }
}

fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

impl fmt::Display for PairFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}
