//! MESSAGE-INTEGRITY (HMAC-SHA1) and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6).
//!
//! The MAC covers the message up to the attribute, with a length field that ends *behind* the attribute:
//! what follows it later (FINGERPRINT) does not count. So the two length bytes are fed separately.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{AttributeType, HEADER_LEN, Message, RawAttribute};

/// Which of the two integrity attributes protects a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integrity {
    /// MESSAGE-INTEGRITY, 20 bytes.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256, 32 bytes.
    Sha256,
}

impl Message<'_> {
    /// Which integrity attribute the message carries. With both, the stronger counts (RFC 8489 §9.2.4).
    #[must_use]
    pub fn integrity(&self) -> Option<Integrity> {
        if self.find(AttributeType::MESSAGE_INTEGRITY_SHA256).is_some() {
            return Some(Integrity::Sha256);
        }
        self.find(AttributeType::MESSAGE_INTEGRITY).map(|_| Integrity::Sha1)
    }

    /// Compares the integrity attribute with the MAC under `key`, in constant time. False when it is absent.
    ///
    /// `key` is the long-term key's bytes ([`crate::Key::as_bytes`]) or a short-term password.
    #[must_use]
    pub fn verify_integrity(&self, integrity: Integrity, key: &[u8]) -> bool {
        match integrity {
            Integrity::Sha1 => self.verify_sha1(key),
            Integrity::Sha256 => self.verify_sha256(key),
        }
    }

    fn verify_sha1(&self, key: &[u8]) -> bool {
        let Some(attribute) = self.find(AttributeType::MESSAGE_INTEGRITY) else { return false };
        attribute.value.len() == 20 && mac_sha1(key, self.before(attribute)).ct_eq(attribute.value).into()
    }

    /// In full: a truncated MAC is for usages that say so, and TURN does not (RFC 8489 §14.6).
    fn verify_sha256(&self, key: &[u8]) -> bool {
        let Some(attribute) = self.find(AttributeType::MESSAGE_INTEGRITY_SHA256) else { return false };
        attribute.value.len() == 32 && mac_sha256(key, self.before(attribute)).ct_eq(attribute.value).into()
    }

    fn before(&self, attribute: RawAttribute<'_>) -> Covered<'_> {
        Covered { bytes: &self.as_bytes()[..attribute.offset], end: attribute.end() }
    }
}

/// The bytes under a MAC, and where the message ends as its length field shall say.
#[derive(Clone, Copy)]
pub(crate) struct Covered<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) end: usize,
}

impl Covered<'_> {
    fn feed(self, mac: &mut impl Mac) {
        // At most 65,555 - 20: the header's length field has 16 bits and was checked or written by this crate.
        let length = u16::try_from(self.end - HEADER_LEN).unwrap_or(u16::MAX);
        mac.update(&self.bytes[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&self.bytes[4..]);
    }
}

pub(crate) fn mac_sha1(key: &[u8], covered: Covered<'_>) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    covered.feed(&mut mac);
    mac.finalize().into_bytes().into()
}

pub(crate) fn mac_sha256(key: &[u8], covered: Covered<'_>) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    covered.feed(&mut mac);
    mac.finalize().into_bytes().into()
}
