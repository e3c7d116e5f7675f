//! Tokens: JWS compact serialization (RFC 7515 §7.1) of claims (RFC 7519) with HS256 (RFC 7518 §3.2) or EdDSA
//! (RFC 8037 §3.1).
//!
//! ```text
//! base64url({"alg":"HS256"}) . base64url({"exp":1700000000,"room":"r","owner":true}) . base64url(signature)
//! └────────────────────────── what is signed ──────────────────────────────────────┘
//! ```

use aws_lc_rs::{hmac, signature};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use posthouse_rooms::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

/// Seconds by which the clock of whoever made the token may differ.
const LEEWAY: u64 = 30;

/// Longest token. One of ours has some hundred bytes.
const LONGEST: usize = 4096;

/// For whom a token must be, if it says for whom.
const AUDIENCE: &str = "posthouse";

/// What proves tokens, each by its own algorithm alone.
#[derive(Clone)]
pub(super) enum Key {
    Hs256(Box<hmac::Key>),
    EdDsa([u8; 32]),
}

/// What a token grants in its room, beside entering it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    /// Its bearer may do what the owner may.
    pub(crate) owner: bool,
    /// Its bearer may make the room.
    pub(crate) create: bool,
    /// What its bearer is called.
    pub(crate) name: Option<String>,
}

/// Why a token grants nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// It is none, or nobody we trust signed it.
    Unknown,
    /// It is not good any more, or not yet.
    Expired,
    /// It is for another room or another server.
    Foreign,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that must be understood (RFC 7515 §4.1.11): we understand none.
    crit: Option<serde::de::IgnoredAny>,
}

/// When and where every token is good. A claim that comes twice is refused.
#[derive(Deserialize)]
struct Validity {
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Audience>,
}

/// What a token of our own protocol says.
#[derive(Deserialize)]
struct RoomClaims {
    room: String,
    #[serde(default)]
    owner: bool,
    #[serde(default)]
    create: bool,
    name: Option<String>,
}

/// What a token of a `PeerJS` client says.
#[derive(Deserialize)]
struct PeerClaims {
    key: String,
    sub: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token grants for a room.
pub(super) fn grants(keys: &[Key], token: &str, room: &str, now: Timestamp) -> Result<Grants, TokenError> {
    let RoomClaims { room: for_room, owner, create, name } = claims(keys, token, now)?;
    let is_here = for_room == "*" || for_room == room;
    if is_here { Ok(Grants { owner, create, name }) } else { Err(TokenError::Foreign) }
}

/// Whether a token lets a `PeerJS` client be `id` under `key`; the subject it was made for, if it names one.
pub(super) fn subject(
    keys: &[Key],
    token: &str,
    key: &str,
    id: &str,
    now: Timestamp,
) -> Result<Option<String>, TokenError> {
    let PeerClaims { key: for_key, sub } = claims(keys, token, now)?;
    let is_here = (for_key == "*" || for_key == key) && sub.as_deref().is_none_or(|sub| sub == id);
    if is_here { Ok(sub) } else { Err(TokenError::Foreign) }
}

/// The claims of a token that is good now and for us.
fn claims<C: DeserializeOwned>(keys: &[Key], token: &str, now: Timestamp) -> Result<C, TokenError> {
    let claims = signed(keys, token).ok_or(TokenError::Unknown)?;
    let Validity { exp, nbf, aud } = serde_json::from_slice(&claims).map_err(|_| TokenError::Unknown)?;
    let own = serde_json::from_slice(&claims).map_err(|_| TokenError::Unknown)?;
    let seconds = now.0 / 1000;
    // Beyond 2^53 seconds there are no dates.
    let is_past = |moment: f64| moment < seconds.saturating_sub(LEEWAY) as f64;
    if !exp.is_finite() || is_past(exp) || nbf.is_some_and(|begin| begin > (seconds + LEEWAY) as f64) {
        return Err(TokenError::Expired);
    }
    let for_us = match &aud {
        None => true,
        Some(Audience::One(one)) => one == AUDIENCE,
        Some(Audience::Several(several)) => several.iter().any(|one| one == AUDIENCE),
    };
    if for_us { Ok(own) } else { Err(TokenError::Foreign) }
}

/// The claims, if one of the keys signed them.
fn signed(keys: &[Key], token: &str) -> Option<Vec<u8>> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST)?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    if header.crit.is_some() {
        return None;
    }
    let signature = decode(signature)?;
    let proven = keys.iter().any(|key| key.proves(&header.alg, signed.as_bytes(), &signature));
    if proven { decode(claims) } else { None }
}

impl Key {
    fn proves(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Hs256(key), "HS256") => hmac::verify(key, signed, signature).is_ok(),
            (Self::EdDsa(key), "EdDSA" | "Ed25519") => {
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
                key.verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn secret() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef0123456789abcdef")
    }

    fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn hs256(claims: &Value) -> String {
        token(&json!({"alg": "HS256", "typ": "JWT"}), claims, |text| hmac::sign(&secret(), text).as_ref().to_vec())
    }

    fn judged(keys: &[Key], token: &str) -> Result<Grants, TokenError> {
        grants(keys, token, "r", NOW)
    }

    #[test]
    fn a_token_grants_what_it_says_for_its_room_and_time() {
        let keys = [Key::Hs256(Box::new(secret()))];
        let good =
            json!({"exp": 1_700_000_100, "room": "r", "owner": true, "name": "Ada", "iss": "x", "aud": ["posthouse"]});
        let grants = Grants { owner: true, create: false, name: Some("Ada".to_owned()) };
        assert_eq!(judged(&keys, &hs256(&good)), Ok(grants));
        assert_eq!(judged(&keys, &hs256(&json!({"exp": 1_700_000_000.5, "room": "*"}))), Ok(Grants::default()));
        for (claims, error) in [
            (json!({"exp": 1_699_999_969, "room": "r"}), TokenError::Expired),
            (json!({"exp": 1_700_000_100, "nbf": 1_700_000_031, "room": "r"}), TokenError::Expired),
            (json!({"exp": 1_700_000_100, "room": "s"}), TokenError::Foreign),
            (json!({"exp": 1_700_000_100, "room": "r", "aud": "elsewhere"}), TokenError::Foreign),
            (json!({"exp": 1_700_000_100}), TokenError::Unknown),
            (json!({"room": "r"}), TokenError::Unknown),
        ] {
            assert_eq!(judged(&keys, &hs256(&claims)), Err(error), "{claims}");
        }
    }

    #[test]
    fn a_peer_may_be_who_its_token_says_under_its_key() {
        let keys = [Key::Hs256(Box::new(secret()))];
        let judged = |claims: Value| subject(&keys, &hs256(&claims), "app", "ada", NOW);
        let own = Some("ada".to_owned());
        assert_eq!(judged(json!({"exp": 1_700_000_100, "key": "app", "sub": "ada", "room": 1})), Ok(own));
        assert_eq!(judged(json!({"exp": 1_700_000_100, "key": "*"})), Ok(None));
        for (claims, error) in [
            (json!({"exp": 1_700_000_100, "key": "app", "sub": "bob"}), TokenError::Foreign),
            (json!({"exp": 1_700_000_100, "key": "other", "sub": "ada"}), TokenError::Foreign),
            (json!({"exp": 1_700_000_100, "key": "app", "aud": "elsewhere"}), TokenError::Foreign),
            (json!({"exp": 1_699_999_969, "key": "app"}), TokenError::Expired),
            // A token for a room of our own protocol is none here.
            (json!({"exp": 1_700_000_100, "room": "*", "sub": "ada"}), TokenError::Unknown),
            (json!({"key": "app", "sub": "ada"}), TokenError::Unknown),
        ] {
            assert_eq!(judged(claims.clone()), Err(error), "{claims}");
        }
    }

    #[test]
    fn an_ed25519_key_proves_eddsa_and_nothing_else() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let claims = json!({"exp": 1_700_000_100, "room": "r"});
        let sign = |text: &[u8]| pair.sign(text).as_ref().to_vec();
        let good = token(&json!({"alg": "EdDSA"}), &claims, sign);
        let keys = [Key::Hs256(Box::new(secret())), Key::EdDsa(public)];
        assert!(judged(&keys, &good).is_ok());
        // The classic confusion: the public key, known to all, used as a secret.
        let as_secret = hmac::Key::new(hmac::HMAC_SHA256, &public);
        for (header, sign) in [
            (json!({"alg": "HS256"}), hmac::sign(&as_secret, b"").as_ref().to_vec()),
            (json!({"alg": "none"}), Vec::new()),
        ] {
            let signed = |text: &[u8]| {
                if sign.is_empty() { Vec::new() } else { hmac::sign(&as_secret, text).as_ref().to_vec() }
            };
            assert_eq!(judged(&keys, &token(&header, &claims, signed)), Err(TokenError::Unknown), "{header}");
        }
        assert_eq!(judged(&keys, &token(&json!({"alg": "HS256"}), &claims, sign)), Err(TokenError::Unknown));
    }

    #[test]
    fn what_is_changed_broken_or_endless_is_no_token() {
        let keys = [Key::Hs256(Box::new(secret()))];
        let good = hs256(&json!({"exp": 1_700_000_100, "room": "r"}));
        let sign = |text: &[u8]| hmac::sign(&secret(), text).as_ref().to_vec();
        let critical =
            token(&json!({"alg": "HS256", "crit": ["x"]}), &json!({"exp": 1_700_000_100, "room": "r"}), sign);
        let cut = &good[..good.len() - 2];
        let long = format!("{good}{}", "A".repeat(LONGEST));
        for bad in ["", ".", "..", "a.b", cut, &good.replacen('.', "A.", 1), &critical, &long] {
            assert_eq!(judged(&keys, bad), Err(TokenError::Unknown), "{bad:.60}");
        }
        assert_eq!(judged(&[], &good), Err(TokenError::Unknown));
    }
}
