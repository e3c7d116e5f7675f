//! `[signaling.v1]`: our own protocol, and who may make and enter its rooms.

use std::time::Duration;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::JOIN;
use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::secret::{self, Secret};
use crate::value::word::{one_of, word_of};
use crate::value::{Parsed, duration};

pub(crate) const TABLE: Table = Table {
    path: "signaling.v1",
    text: "Posthouse's own protocol, /v1: rooms that survive the network. Everybody may make and enter rooms unless it says\n\
           otherwise here.",
    keys: &[
        Key {
            name: "resume",
            default: "\"1m\"",
            example: "\"1m\"",
            expects: "a duration in quotes",
            text: "How long the seat of a member whose socket was lost is kept, with every event it misses, 1s to 10m. Its\n\
                   client comes back by itself, so a minute is worth waiting for: a tunnel, a sleeping phone.",
        },
        Key {
            name: "create",
            default: "\"anyone\"",
            example: "\"key\"",
            expects: "\"anyone\" or \"key\"",
            text: "Who makes rooms: \"anyone\", or \"key\": a backend with one of `api_keys`, and tokens with the grant `create`.",
        },
        Key {
            name: "join",
            default: "\"anyone\"",
            example: "\"token\"",
            expects: "\"anyone\" or \"token\"",
            text: "Who enters rooms: \"anyone\" who knows the name, or \"token\": whoever brings a token for that room.",
        },
        Key {
            name: "api_keys",
            default: "[]",
            example: "[\"a key of at least 32 characters\"]",
            expects: "a list of texts in quotes",
            text: "Keys of the backend, at least 32 characters: `Authorization: Bearer KEY` makes, changes and closes every room.\n\
                   Several, so that one can be replaced while the other is in use.",
        },
        Key {
            name: "token_secrets",
            default: "[]",
            example: "[\"a secret of at least 32 characters\"]",
            expects: "a list of texts in quotes",
            text: "Secrets with which a backend signs tokens (JWT, HS256), at least 32 characters.",
        },
        Key {
            name: "token_public_keys",
            default: "[]",
            example: "[\"MCowBQYDK2VwAyEA...\"]",
            expects: "a list of texts in quotes",
            text: "Ed25519 public keys whose tokens are good here (JWT, EdDSA): the base64 line of `openssl pkey -pubout`.",
        },
    ],
};

/// `[signaling.v1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1 {
    /// How long a lost socket's seat is kept.
    pub resume: Duration,
    /// Must whoever makes a room prove that it may?
    pub create_needs_key: bool,
    /// Must whoever enters a room bring a token?
    pub join_needs_token: bool,
    /// Keys of the backend.
    pub api_keys: Vec<Secret>,
    /// Secrets of tokens.
    pub token_secrets: Vec<Secret>,
    /// Ed25519 public keys of tokens.
    pub token_public_keys: Vec<[u8; 32]>,
}

/// Where keys of tokens stand.
const TOKENS: [&str; 2] = ["signaling.v1.token_secrets", "signaling.v1.token_public_keys"];

const CREATE: [(&str, bool); 2] = [("anyone", false), ("key", true)];

/// What stands before the 32 bytes in a public key's usual wrapping (RFC 8410 §4).
const WRAPPING: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl Default for V1 {
    fn default() -> Self {
        Self {
            resume: Duration::from_secs(60),
            create_needs_key: false,
            join_needs_token: false,
            api_keys: Vec::new(),
            token_secrets: Vec::new(),
            token_public_keys: Vec::new(),
        }
    }
}

impl V1 {
    pub(super) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let resume = duration::within(Duration::from_secs(1)..=Duration::from_secs(600));
        let v1 = Self {
            resume: reading.text("signaling.v1.resume", resume).unwrap_or(default.resume),
            create_needs_key: reading.text("signaling.v1.create", |word| one_of(&CREATE, word)).unwrap_or_default(),
            join_needs_token: reading.text("signaling.v1.join", |word| one_of(&JOIN, word)).unwrap_or_default(),
            api_keys: reading.list("signaling.v1.api_keys", secret::signing).unwrap_or_default(),
            token_secrets: reading.list("signaling.v1.token_secrets", secret::signing).unwrap_or_default(),
            token_public_keys: reading.list("signaling.v1.token_public_keys", public_key).unwrap_or_default(),
        };
        v1.check(reading);
        v1
    }

    /// A door that nobody can open is safe, and hardly meant.
    fn check(&self, reading: &mut Reading<'_>) {
        if self.join_needs_token {
            self.check_tokens(reading, "signaling.v1.join");
        }
        let sound = reading.is_sound(&TOKENS) && reading.is_sound(&["signaling.v1.api_keys"]);
        if self.create_needs_key && self.knows_no_tokens() && self.api_keys.is_empty() && sound {
            let expected = "`api_keys`, or keys of tokens, beside \"key\"";
            reading.warn("signaling.v1.create", Complaint::wrong(expected, "none", "add a key of your backend"));
        }
    }

    /// The same, of a key that wants a token.
    pub(super) fn check_tokens(&self, reading: &mut Reading<'_>, key: &'static str) {
        if self.knows_no_tokens() && reading.is_sound(&TOKENS) {
            let expected = "`token_secrets` or `token_public_keys` in [signaling.v1] beside \"token\"";
            let write = "add the secret or public key of whoever makes the tokens";
            reading.warn(key, Complaint::wrong(expected, "neither", write));
        }
    }

    fn knows_no_tokens(&self) -> bool {
        self.token_secrets.is_empty() && self.token_public_keys.is_empty()
    }

    pub(super) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { resume, create_needs_key, join_needs_token, api_keys, token_secrets, token_public_keys } = self;
        let masked = |count: usize| list(&vec!["***"; count]);
        vec![
            ("signaling.v1.resume", duration::shown(*resume)),
            ("signaling.v1.create", text(word_of(&CREATE, *create_needs_key))),
            ("signaling.v1.join", text(word_of(&JOIN, *join_needs_token))),
            ("signaling.v1.api_keys", masked(api_keys.len())),
            ("signaling.v1.token_secrets", masked(token_secrets.len())),
            ("signaling.v1.token_public_keys", masked(token_public_keys.len())),
        ]
    }
}

/// 32 bytes in base64, alone or wrapped as `openssl pkey -pubout` prints them.
fn public_key(text: &str) -> Parsed<[u8; 32]> {
    let bytes = base64(text.trim());
    let plain = bytes.as_deref().map(|bytes| bytes.strip_prefix(&WRAPPING[..]).unwrap_or(bytes));
    plain.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Complaint::wrong(
            "an Ed25519 public key in base64",
            format!("{} characters that are none", text.len()),
            "write the line between BEGIN and END of `openssl pkey -in KEY -pubout`",
        )
    })
}

/// In either alphabet (RFC 4648 §4 and §5), padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let indifferent = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let plain = text.replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&alphabet::STANDARD, indifferent).decode(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_read_wrapped_and_plain() {
        // RFC 8410 §10.1.
        let key = public_key("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
        assert_eq!((key[0], key[31]), (0x19, 0xe1));
        assert_eq!(public_key("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE").unwrap(), key);
        for wrong in
            ["", "MCowBQYDK2VwAyEAGb9E", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE?", "-----BEGIN PUBLIC KEY-----"]
        {
            assert!(public_key(wrong).is_err(), "{wrong}");
        }
    }
}
