//! A secret: zeroed when dropped, absent from every log, and not one that a stranger could guess.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::problem::Complaint;

/// Shortest secret that signs time-limited credentials, in bytes: 256 bits when it is random bytes.
pub(crate) const SHORTEST: usize = 32;

/// Words that guides and samples put where a secret belongs.
const PLACEHOLDERS: [&str; 11] = [
    "changeme",
    "change-me",
    "change_me",
    "change me",
    "a secret of at least",
    "a password of at least",
    "your-secret",
    "your secret",
    "yoursecret",
    "placeholder",
    "replace-me",
];

/// A secret, a password or a token. `Debug` prints `[secret]`, dropping it zeroes it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text itself, for the one place that signs or compares with it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Compares two settings of one operator; it is not meant for what a stranger sent.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

/// A secret for time-limited credentials: at least 32 bytes, no placeholder, no padding of one character.
pub(crate) fn signing(text: &str) -> Result<Secret, Complaint> {
    let write = "write the output of `openssl rand -base64 32`";
    strong(text, SHORTEST, "a secret of at least 32 bytes", write)
}

/// A secret of at least `shortest` bytes that nobody finds in a guide. The complaint never repeats it.
pub(crate) fn strong(text: &str, shortest: usize, expected: &str, write: &str) -> Result<Secret, Complaint> {
    let wrong = |found: String| Err(Complaint::wrong(expected, found, write));
    let lower = text.to_lowercase();
    if text.is_empty() {
        return wrong("an empty one".to_owned());
    }
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return wrong("a placeholder that strangers know".to_owned());
    }
    if text.len() < shortest {
        return wrong(format!("one of {} bytes", text.len()));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return wrong("one with blanks at its ends or control characters in it".to_owned());
    }
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 5 {
        return wrong("one made of fewer than 5 different characters".to_owned());
    }
    Ok(Secret::new(text.to_owned()))
}

/// Whether the value at `path` of a file may be a secret. Misspelt keys count: they hold what was meant for the right one.
pub(crate) fn is_kept_at(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let last = last.split('[').next().unwrap_or(last);
    let plain = [
        "realm",
        "secrets_file",
        "credential_lifetime",
        "nonce_lifetime",
        "max_session",
        "strict_expiry",
        "name",
        "listen",
    ];
    let telling = TELLING.iter().any(|word| last.contains(word)) && last != "secrets_file";
    let guarded = ["auth", "admin"].iter().any(|table| path.split(['.', '[']).next() == Some(table));
    telling || (guarded && !plain.contains(&last))
}

/// Words that tell of a secret in a key.
const TELLING: [&str; 4] = ["secret", "passw", "token", "api_key"];

/// Stars over what may be a secret in a text that could not be parsed: whole lines, but for the key.
///
/// Without a tree only the looks remain, so everything in `[auth]` and `[admin]`, before the first table header, and
/// from a line with a telling word to the next key is covered.
pub(crate) fn mask_by_looks(text: &str) -> String {
    let (mut guarded, mut goes_on) = (true, false);
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start().trim_start_matches('[');
        let header = line.trim_start().starts_with('[') && inner.starts_with(|c: char| c.is_ascii_alphabetic());
        let lower = line.to_lowercase();
        let telling = TELLING.iter().any(|word| lower.contains(word));
        if header {
            guarded = line.contains("auth") || line.contains("admin");
        }
        goes_on = telling || (goes_on && !header && known_key(line).is_none());
        if (guarded && !header) || goes_on {
            mask_line(line, &mut masked);
        } else {
            masked.push_str(line);
        }
    }
    masked
}

/// The part of a line before its `=`, when it is a key of ours.
fn known_key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    crate::keys::names().any(|name| name == key.trim()).then_some(key)
}

/// Keeps the key of `key = value` when it is one of ours, the blanks and the line end; everything else becomes stars.
fn mask_line(line: &str, masked: &mut String) {
    let kept = known_key(line).map_or(0, |key| key.len() + 1);
    masked.push_str(&line[..kept]);
    for c in line[kept..].chars() {
        if c.is_whitespace() {
            masked.push(c);
        } else {
            masked.extend(std::iter::repeat_n('*', c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let secret = Secret::new("7f1c9d0e5b8a46327f1c9d0e5b8a4632".to_owned());
        assert_eq!(format!("{secret:?}"), "[secret]");
    }

    #[test]
    fn placeholders_and_paddings_are_no_secrets() {
        let bad = [
            "changeme",
            "",
            "a secret of at least 32 characters, the first signs, all verify",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "abababababababababababababababababababab",
            "CHANGE-ME-CHANGE-ME-CHANGE-ME-CHANGE-ME",
            "0123456789abcdef0123456789abcde",
            " 0123456789abcdef0123456789abcdef",
        ];
        for text in bad {
            assert!(signing(text).is_err(), "{text:?} passed");
        }
        assert!(signing("0123456789abcdef0123456789abcdef").is_ok());
    }

    #[test]
    fn a_text_that_is_not_toml_shows_no_secret() {
        let text = "[auth]\nsecrets = [\n  \"hunter2hunter2\n]\n[relay]\nports = \n";
        let masked = mask_by_looks(text);
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("hunter2"), "{masked}");
        assert!(masked.contains("ports = "), "{masked}");
    }
}
