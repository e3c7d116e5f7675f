//! `[auth]`: who may use the relay.

use std::time::Duration;

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::secret::{self, Secret};
use crate::secrets_file::SecretsFile;
use crate::value::{Parsed, duration};

mod users;

pub(crate) use users::USERS;
pub use users::User;

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const TABLE: Table = Table {
    path: "auth",
    text: "Who may use the relay: holders of a time-limited credential signed with a secret, and static users.",
    keys: &[
        Key {
            name: "realm",
            default: "\"posthouse\"",
            example: "\"example.org\"",
            expects: "a text in quotes",
            text: "The realm of long-term credentials, usually your domain. Static users' keys are made of it, and it\n\
                   travels in every 401 answer, so keep it short.",
        },
        Key {
            name: "secrets",
            default: "[]",
            example: "[\"…\"]",
            expects: "a list of secrets",
            text: "Secrets that sign time-limited credentials, at least 32 bytes each (openssl rand -base64 32): what\n\
                   coturn calls static-auth-secret. The first signs, all verify, so a new one is put in front of the\n\
                   old. None by default: a random one is made at each start, and credentials end with the process.",
        },
        Key {
            name: "secrets_file",
            default: "\"\"",
            example: "\"credential:secrets\"",
            expects: "a path in quotes",
            text: "A file with the secrets in place of `secrets`, one a line, readable by the service alone: this file\n\
                   can then be shown to others. \"credential:NAME\" is the systemd credential NAME. A relative path\n\
                   begins at the folder of this file.",
        },
        Key {
            name: "credential_lifetime",
            default: "\"1h\"",
            example: "\"1h\"",
            expects: "a duration in quotes",
            text: "How long a new credential is good for, 1m to 24h. One hour: a credential that leaks is soon worth\n\
                   nothing, and calls that run do not end with it.",
        },
        Key {
            name: "nonce_lifetime",
            default: "\"10m\"",
            example: "\"10m\"",
            expects: "a duration in quotes",
            text: "How long a client may use one nonce, 1m to 1h; then it gets a fresh one with a 438 answer. Ten minutes\n\
                   keep a recorded request from being replayed later; RFC 8656 §5 wants an hour at most.",
        },
        Key {
            name: "max_session",
            default: "\"12h\"",
            example: "\"12h\"",
            expects: "a duration in quotes",
            text: "How old an allocation may grow by being refreshed after its credential has expired, 1h to 7days. Twelve\n\
                   hours: long calls go on, and an allocation is not for ever.",
        },
        Key {
            name: "strict_expiry",
            default: "false",
            example: "true",
            expects: "true or false",
            text: "Whether an allocation ends when the credential that made it expires, whatever it was refreshed for.\n\
                   False: clients do not fetch new credentials during a call, so that calls would break.",
        },
        Key {
            name: "users",
            default: "[]",
            example: "[{ name = \"alice\", password = \"…\" }]",
            expects: "a list of tables with a name and a password",
            text: "Static users for clients that cannot ask for time-limited credentials. None by default: such a\n\
                   password does not expire. Write one block for each user:\n\
                   \x20 [[auth.users]]\n\
                   \x20 name = \"alice\"\n\
                   \x20 password = \"a password of at least 12 bytes\"",
        },
    ],
};

/// `[auth]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// The realm of long-term credentials, 1 to 127 bytes.
    pub realm: String,
    /// The first signs, all verify. Empty: make a random one at start. [`load`](fn@crate::load) puts those of
    /// `secrets_file` here.
    pub secrets: Vec<Secret>,
    /// Where the secrets came from, when not from the file itself.
    pub secrets_file: Option<SecretsFile>,
    /// How long a new time-limited credential is good for, at most a day.
    pub credential_lifetime: Duration,
    /// How long a nonce is good for, at most an hour.
    pub nonce_lifetime: Duration,
    /// How old an allocation may grow with a credential that has expired.
    pub max_session: Duration,
    /// Whether allocations end with their credential instead.
    pub strict_expiry: bool,
    /// Static users, each name once.
    pub users: Vec<User>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            realm: "posthouse".to_owned(),
            secrets: Vec::new(),
            secrets_file: None,
            credential_lifetime: HOUR,
            nonce_lifetime: HOUR / 6,
            max_session: 12 * HOUR,
            strict_expiry: false,
            users: Vec::new(),
        }
    }
}

impl Auth {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let default = Self::default();
        let minute = HOUR / 60;
        let credential = duration::within(minute..=24 * HOUR);
        let nonce = duration::within(minute..=HOUR);
        let session = duration::within(HOUR..=7 * 24 * HOUR);
        let auth = Self {
            realm: reading.text("auth.realm", realm).unwrap_or(default.realm),
            secrets: reading.list("auth.secrets", secret::signing).unwrap_or_default(),
            secrets_file: reading.text("auth.secrets_file", SecretsFile::parse).flatten(),
            credential_lifetime: reading
                .text("auth.credential_lifetime", credential)
                .unwrap_or(default.credential_lifetime),
            nonce_lifetime: reading.text("auth.nonce_lifetime", nonce).unwrap_or(default.nonce_lifetime),
            max_session: reading.text("auth.max_session", session).unwrap_or(default.max_session),
            strict_expiry: reading.flag("auth.strict_expiry").unwrap_or(default.strict_expiry),
            users: users::read(reading),
        };
        auth.check(reading);
        auth
    }

    fn check(&self, reading: &mut Reading<'_>) {
        for (index, secret) in self.secrets.iter().enumerate() {
            if self.secrets[..index].contains(secret) {
                let complaint = Complaint::wrong("each secret once", "one of the secrets before it", "remove it");
                reading.complain(&format!("auth.secrets[{index}]"), complaint);
            }
        }
        if self.secrets_file.is_some() && !self.secrets.is_empty() {
            let expected = "either `secrets` or `secrets_file`";
            reading.complain("auth.secrets_file", Complaint::wrong(expected, "both", "move all secrets into the file"));
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self {
            realm,
            secrets,
            secrets_file,
            credential_lifetime,
            nonce_lifetime,
            max_session,
            strict_expiry,
            users,
        } = self;
        let users: Vec<String> =
            users.iter().map(|user| format!("{{ name = {}, password = \"***\" }}", text(&user.name))).collect();
        let secrets = if secrets_file.is_some() { Vec::new() } else { vec!["***"; secrets.len()] };
        vec![
            ("auth.realm", text(realm)),
            ("auth.secrets", list(&secrets)),
            ("auth.secrets_file", text(&secrets_file.as_ref().map(ToString::to_string).unwrap_or_default())),
            ("auth.credential_lifetime", duration::shown(*credential_lifetime)),
            ("auth.nonce_lifetime", duration::shown(*nonce_lifetime)),
            ("auth.max_session", duration::shown(*max_session)),
            ("auth.strict_expiry", strict_expiry.to_string()),
            ("auth.users", format!("[{}]", users.join(", "))),
        ]
    }
}

/// RFC 8489 §14.9 allows 127 characters; quotes and control characters would need escapes that clients get wrong.
fn realm(text: &str) -> Parsed<String> {
    let expected = "1 to 127 characters without quotes, backslashes and control characters";
    let odd = |c: char| c.is_control() || matches!(c, '"' | '\\');
    if text.is_empty() || text.len() > 127 || text.contains(odd) {
        return Err(Complaint::wrong(expected, crate::value::quoted(text), "write your domain, like \"example.org\""));
    }
    Ok(text.to_owned())
}
