//! [`Credentials`]: who may use the relay, and the keys they prove it with.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hmac::{Hmac, KeyInit, Mac};
use posthouse_stun::{Integrity, Key, Message, PasswordAlgorithm, userhash};
use sha1::Sha1;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of base64 of an HMAC-SHA1.
const PASSWORD_LEN: usize = 28;

/// The realm, shared secrets for time-limited credentials, and static users, side by side.
#[derive(Clone)]
pub struct Credentials {
    realm: Box<str>,
    secrets: Vec<Secret>,
    users: HashMap<Box<str>, StaticUser, FixedState>,
    names_by_hash: HashMap<[u8; 32], Box<str>, FixedState>,
    dummy: Key,
}

impl Credentials {
    /// Nobody may use the relay yet. Keys depend on the realm, so it comes first.
    #[must_use]
    pub fn new(realm: &str) -> Self {
        Self {
            realm: realm.into(),
            secrets: Vec::new(),
            users: HashMap::default(),
            names_by_hash: HashMap::default(),
            dummy: Key::sha256(b"", realm.as_bytes(), b""),
        }
    }

    /// Accepts time-limited credentials signed with `secret` (coturn's `static-auth-secret`).
    pub fn add_secret(&mut self, secret: &[u8]) -> &mut Self {
        self.secrets.push(Secret(secret.into()));
        self
    }

    /// Accepts a static user. Only the keys are kept, never the password (RFC 8656 §6).
    pub fn add_user(&mut self, name: &str, password: &str) -> &mut Self {
        let of = |algorithm| Key::derive(algorithm, name.as_bytes(), self.realm.as_bytes(), password.as_bytes());
        let user = StaticUser { md5: of(PasswordAlgorithm::Md5), sha256: of(PasswordAlgorithm::Sha256) };
        self.names_by_hash.insert(userhash(name.as_bytes(), self.realm.as_bytes()), name.into());
        self.users.insert(name.into(), user);
        self
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Makes a time-limited credential that is good until `expiry` (seconds since 1970).
    #[must_use]
    pub fn mint(secret: &[u8], user: &str, expiry: u64) -> Minted {
        let username = if user.is_empty() { expiry.to_string() } else { format!("{expiry}:{user}") };
        let password = String::from_utf8_lossy(&*password(secret, &username)).into_owned();
        Minted { username, password }
    }

    /// USERHASH is offered when there are static users: a time-limited name carries its expiry and must be sent.
    pub(crate) fn offers_userhash(&self) -> bool {
        !self.users.is_empty()
    }

    pub(crate) fn name_of(&self, hash: &[u8; 32]) -> Option<&str> {
        self.names_by_hash.get(hash).map(AsRef::as_ref)
    }

    /// Finds the key of `name` that verifies `message`.
    ///
    /// A name nobody has costs the same MAC as a name somebody has, with a key nobody has.
    pub(crate) fn verify(
        &self,
        message: &Message<'_>,
        integrity: Integrity,
        algorithm: PasswordAlgorithm,
        name: Option<&str>,
    ) -> Option<Verified> {
        let verified = |key: Key| message.verify_integrity(integrity, key.as_bytes()).then_some(key);
        let Some(name) = name else { return verified(self.dummy.clone()).and(None) };
        if let Some(user) = self.users.get(name) {
            return verified(user.key(algorithm).clone()).map(|key| Verified { key, secret: None });
        }
        if self.secrets.is_empty() || TimeLimited::parse(name).is_none() {
            return verified(self.dummy.clone()).and(None);
        }
        self.secrets.iter().enumerate().find_map(|(index, secret)| {
            let password = password(&secret.0, name);
            let key = verified(Key::derive(algorithm, name.as_bytes(), self.realm.as_bytes(), &*password))?;
            Some(Verified { key, secret: Some(index) })
        })
    }

    /// Until when a name is good, in seconds since 1970; a static user has no end.
    pub(crate) fn expiry(&self, name: &str) -> Option<u64> {
        if self.users.contains_key(name) {
            return None;
        }
        TimeLimited::parse(name).map(|t| t.expiry)
    }

    /// Whom a name belongs to, over all the credentials he was given: what quotas and kicks go by. Empty when a
    /// time-limited name names nobody.
    pub(crate) fn user_id<'n>(&self, name: &'n str) -> &'n str {
        if self.users.contains_key(name) {
            return name;
        }
        TimeLimited::parse(name).map_or(name, |t| t.user)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("secrets", &self.secrets.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

/// A time-limited credential, as [`Credentials::mint`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// `expiry:user`, or `expiry` alone for nobody in particular.
    pub username: String,
    /// `base64(HMAC-SHA1(secret, username))`.
    pub password: String,
}

/// What verified a message: the key, and which of the secrets it came from.
pub(crate) struct Verified {
    pub(crate) key: Key,
    pub(crate) secret: Option<usize>,
}

#[derive(Clone)]
struct Secret(Box<[u8]>);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Clone)]
struct StaticUser {
    md5: Key,
    sha256: Key,
}

impl StaticUser {
    fn key(&self, algorithm: PasswordAlgorithm) -> &Key {
        match algorithm {
            PasswordAlgorithm::Md5 => &self.md5,
            PasswordAlgorithm::Sha256 => &self.sha256,
        }
    }
}

/// A user name of the TURN REST API draft: `expiry:user`, as coturn also `user:expiry`, or the expiry alone.
#[derive(Debug, PartialEq, Eq)]
struct TimeLimited<'n> {
    expiry: u64,
    user: &'n str,
}

impl<'n> TimeLimited<'n> {
    fn parse(name: &'n str) -> Option<Self> {
        let Some((first, second)) = name.split_once(':') else {
            return Some(Self { expiry: seconds(name)?, user: "" });
        };
        match seconds(first) {
            Some(expiry) => Some(Self { expiry, user: second }),
            None => Some(Self { expiry: seconds(second)?, user: first }),
        }
    }
}

/// At most twelve decimal digits: good for thirty thousand years, and never an overflow.
fn seconds(digits: &str) -> Option<u64> {
    let plain = (1..=12).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// `base64(HMAC-SHA1(secret, username))`.
fn password(secret: &[u8], username: &str) -> Zeroizing<[u8; PASSWORD_LEN]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(username.as_bytes());
    let mut password = Zeroizing::new([0; PASSWORD_LEN]);
    BASE64.encode_slice(mac.finalize().into_bytes(), &mut *password).expect("28 bytes hold base64 of 20");
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limited_name_has_its_expiry_on_either_side_or_alone() {
        let parsed = |name| TimeLimited::parse(name).map(|t| (t.expiry, t.user));
        assert_eq!(parsed("1700000000:alice"), Some((1_700_000_000, "alice")));
        assert_eq!(parsed("1700000000:a:b"), Some((1_700_000_000, "a:b")));
        assert_eq!(parsed("alice:1700000000"), Some((1_700_000_000, "alice")));
        assert_eq!(parsed("1700000000"), Some((1_700_000_000, "")));
        assert_eq!(parsed("alice"), None);
        assert_eq!(parsed("alice:bob"), None);
        assert_eq!(parsed("+1700000000:alice"), None);
        assert_eq!(parsed("1234567890123:alice"), None, "thirteen digits");
        assert_eq!(parsed(""), None);
    }

    #[test]
    fn a_minted_credential_is_the_draft_s_base64_of_hmac_sha1() {
        // Computed with `openssl dgst -sha1 -hmac north -binary | base64` over "1433895918:ninefingers".
        let minted = Credentials::mint(b"north", "ninefingers", 1_433_895_918);
        assert_eq!(minted.username, "1433895918:ninefingers");
        assert_eq!(minted.password, OPENSSL);
    }

    const OPENSSL: &str = "jy8hTxmOO7UtEKXqSkSlvakPVYA=";
}
