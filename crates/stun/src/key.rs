//! Long-term keys (RFC 8489 §9.2.2) and user hashes (§14.4).

use core::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::Integrity;

/// How a password becomes a key (RFC 8489 §18.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasswordAlgorithm {
    /// 0x0001
    Md5,
    /// 0x0002
    Sha256,
}

impl PasswordAlgorithm {
    /// The number on the wire.
    #[must_use]
    pub const fn to_number(self) -> u16 {
        match self {
            Self::Md5 => 1,
            Self::Sha256 => 2,
        }
    }

    /// PASSWORD-ALGORITHM's value; neither algorithm has parameters.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.to_number().to_be_bytes();
        [high, low, 0, 0]
    }

    /// Reads the first algorithm of a list and returns the rest; `None` when lengths do not fit.
    pub(crate) fn split_first(value: &[u8]) -> Option<(Result<Self, u16>, &[u8])> {
        let (&[high, low, len_high, len_low], rest) = value.split_first_chunk()?;
        let parameters = usize::from(u16::from_be_bytes([len_high, len_low]));
        let rest = rest.get(parameters.next_multiple_of(4)..)?;
        match u16::from_be_bytes([high, low]) {
            1 if parameters == 0 => Some((Ok(Self::Md5), rest)),
            2 if parameters == 0 => Some((Ok(Self::Sha256), rest)),
            1 | 2 => None,
            other => Some((Err(other), rest)),
        }
    }
}

/// A long-term key. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; 32],
    len: usize,
}

impl Key {
    /// `MD5(username ":" realm ":" password)`: what every shipping WebRTC client uses.
    #[must_use]
    pub fn md5(username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&digest::<Md5>(username, realm, password));
        Self { bytes, len: 16 }
    }

    /// `SHA-256(username ":" realm ":" password)`.
    #[must_use]
    pub fn sha256(username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&digest::<Sha256>(username, realm, password));
        Self { bytes, len: 32 }
    }

    /// The key under the algorithm.
    #[must_use]
    pub fn derive(algorithm: PasswordAlgorithm, username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        match algorithm {
            PasswordAlgorithm::Md5 => Self::md5(username, realm, password),
            PasswordAlgorithm::Sha256 => Self::sha256(username, realm, password),
        }
    }

    /// The bytes an HMAC takes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// USERHASH: `SHA-256(username ":" realm)` (RFC 8489 §14.4).
#[must_use]
pub fn userhash(username: &[u8], realm: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(username).chain_update(b":").chain_update(realm).finalize().into()
}

impl Integrity {
    /// The MAC's full length in bytes.
    #[must_use]
    pub const fn mac_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

fn digest<D: Digest>(username: &[u8], realm: &[u8], password: &[u8]) -> sha2::digest::Output<D> {
    D::new()
        .chain_update(username)
        .chain_update(b":")
        .chain_update(realm)
        .chain_update(b":")
        .chain_update(password)
        .finalize()
}
