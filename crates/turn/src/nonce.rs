//! Nonces without memory: minted and verified by a key (RFC 8489 §9.2, the first nine letters by its §9.2.1).
//!
//! ```text
//! obMatJos2 wAAA AAAAAAAAAAAAAAAAAAAAAA
//! |         |    22 letters, base64url of 4 bytes time and 12 bytes MAC
//! |         4 letters, base64 of the 24 security feature bits
//! nonce cookie
//! ```
//! The MAC covers time, feature bits and the client's address, port and transport, so that a nonce is of no use to
//! anybody else and the feature bits cannot be cleared to talk a client into the weaker algorithm.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{FiveTuple, Now, Transport};

const COOKIE: &[u8; 9] = b"obMatJos2";
const FEATURES: std::ops::Range<usize> = 9..13;

/// Bit 0 of the security feature set, the leftmost: PASSWORD-ALGORITHMS is offered (RFC 8489 §18.1).
const PASSWORD_ALGORITHMS: u8 = 0x80;
/// Bit 1: USERHASH is understood.
const USERNAME_ANONYMITY: u8 = 0x40;

/// Another machine of a fleet may be this far ahead of us.
const SKEW: Duration = Duration::from_secs(60);

/// What nonces are signed with: the current key and the one before it, which still verifies.
#[derive(Clone)]
pub struct NonceKeys {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
    epoch: Now,
}

impl NonceKeys {
    /// `epoch` ties the nonces' time to both clocks once: servers that share keys must share it too (one process), or
    /// have wall clocks that agree (a fleet). Later jumps of the wall clock change nothing.
    #[must_use]
    pub fn new(current: [u8; 32], previous: Option<[u8; 32]>, epoch: Now) -> Self {
        Self { current: keyed(&current), previous: previous.as_ref().map(keyed), epoch }
    }

    pub(crate) fn mint(&self, now: Now, from: &FiveTuple, anonymity: bool) -> Nonce {
        let bits = if anonymity { PASSWORD_ALGORITHMS | USERNAME_ANONYMITY } else { PASSWORD_ALGORITHMS };
        let mut letters = [0; Nonce::LEN];
        letters[..9].copy_from_slice(COOKIE);
        BASE64.encode_slice([bits, 0, 0], &mut letters[FEATURES]).expect("4 letters hold 3 bytes");
        let features = letters[FEATURES].try_into().expect("4 letters");
        let time = self.time(now).to_be_bytes();
        let mut sealed = [0; 16];
        sealed[..4].copy_from_slice(&time);
        sealed[4..].copy_from_slice(&seal(&self.current, time, features, from));
        BASE64URL.encode_slice(sealed, &mut letters[FEATURES.end..]).expect("22 letters hold 16 bytes");
        Nonce(letters)
    }

    /// True when the nonce was minted here, for this client, at most `lifetime` ago.
    pub(crate) fn verify(&self, now: Now, from: &FiveTuple, nonce: &[u8], lifetime: Duration) -> bool {
        let Ok(nonce) = <&[u8; Nonce::LEN]>::try_from(nonce) else { return false };
        let features: &[u8; 4] = nonce[FEATURES].try_into().expect("4 letters");
        let mut sealed = [0; 16];
        let (true, Ok(16)) = (nonce.starts_with(COOKIE), BASE64URL.decode_slice(&nonce[FEATURES.end..], &mut sealed))
        else {
            return false;
        };
        let (time, mac) = sealed.split_first_chunk::<4>().expect("16 bytes");
        let genuine = |key| seal(key, *time, features, from).ct_eq(mac).into();
        self.is_fresh(now, u32::from_be_bytes(*time), lifetime)
            && (genuine(&self.current) || self.previous.as_ref().is_some_and(genuine))
    }

    fn is_fresh(&self, now: Now, minted: u32, lifetime: Duration) -> bool {
        let now = u64::from(self.time(now));
        let minted = u64::from(minted);
        now < minted + lifetime.as_secs() && minted <= now + SKEW.as_secs()
    }

    /// Seconds since 1970 as they were at the epoch, moved on by the monotonic clock; good until 2106.
    fn time(&self, now: Now) -> u32 {
        let elapsed = now.instant.saturating_duration_since(self.epoch.instant).as_secs();
        (self.epoch.unix + elapsed) as u32
    }
}

impl fmt::Debug for NonceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceKeys").finish_non_exhaustive()
    }
}

/// A nonce as it stands in NONCE.
pub(crate) struct Nonce([u8; Self::LEN]);

impl Nonce {
    pub(crate) const LEN: usize = 35;

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn seal(key: &Hmac<Sha256>, time: [u8; 4], features: &[u8; 4], from: &FiveTuple) -> [u8; 12] {
    let mut mac = key.clone();
    mac.update(&time);
    mac.update(features);
    match from.client.ip() {
        IpAddr::V4(ip) => mac.update(&ip.octets()),
        IpAddr::V6(ip) => mac.update(&ip.octets()),
    }
    mac.update(&from.client.port().to_be_bytes());
    mac.update(&[match from.transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
    }]);
    let full = mac.finalize().into_bytes();
    let mut short = [0; 12];
    short.copy_from_slice(&full[..12]);
    short
}
