//! Who may make and enter rooms of our own protocol and be a peer of `PeerJS`, where the operator wants to know: keys of a
//! backend, and tokens that it signs (JWT, RFC 7519) with HS256 or EdDSA.
//!
//! A key knows its own algorithm and a token's header must name the same one, so none is ever read as another's. There
//! are two algorithms and no negotiation; that is why a verifier of this size stands here and no library.

mod token;

use std::fmt;

use aws_lc_rs::hmac;
use posthouse_rooms::{Digest, Timestamp};
use token::Key;
pub(crate) use token::{Grants, TokenError};

/// Who may make and enter rooms. By default everybody.
#[derive(Clone, Default)]
pub struct Access {
    /// Are rooms made by [`Access::add_api_key`]'s bearers, and tokens with the grant `create`, alone?
    pub create_needs_key: bool,
    /// Does nobody enter without a token for the room?
    pub join_needs_token: bool,
    api_keys: Vec<Digest>,
    tokens: Vec<Key>,
}

impl Access {
    /// Whoever brings this key may make, change and close every room.
    pub fn add_api_key(&mut self, key: &str) {
        self.api_keys.push(Digest::of(key));
    }

    /// Tokens signed with this secret (HS256) are good.
    pub fn add_token_secret(&mut self, secret: &str) {
        self.tokens.push(Key::Hs256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))));
    }

    /// Tokens signed with the private half of this Ed25519 key (EdDSA) are good.
    pub fn add_token_public_key(&mut self, key: [u8; 32]) {
        self.tokens.push(Key::EdDsa(key));
    }

    /// Is this one of the backend's keys?
    pub(crate) fn is_api_key(&self, key: &str) -> bool {
        let key = Digest::of(key);
        // All are looked at, whether one fits or not.
        self.api_keys.iter().fold(false, |found, one| found | (*one == key))
    }

    /// What a token grants for a room.
    pub(crate) fn grants(&self, token: &str, room: &str, now: Timestamp) -> Result<Grants, TokenError> {
        token::grants(&self.tokens, token, room, now)
    }

    /// The subject of a token with which a `PeerJS` client may be `id` under `key`, if it names one.
    pub(crate) fn subject(
        &self,
        token: &str,
        key: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<String>, TokenError> {
        token::subject(&self.tokens, token, key, id, now)
    }

    /// Are tokens good for anything here?
    pub(crate) fn knows_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("create_needs_key", &self.create_needs_key)
            .field("join_needs_token", &self.join_needs_token)
            .field("api_keys", &self.api_keys.len())
            .field("tokens", &self.tokens.len())
            .finish()
    }
}
