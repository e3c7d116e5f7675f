//! `[webhooks]`: who is told what happens to rooms.

use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::secret::{self, Secret};
use crate::value::{Parsed, origin, quoted, word};

/// The events there are.
const EVENTS: [(&str, &str); 4] = [
    ("room-opened", "room-opened"),
    ("member-joined", "member-joined"),
    ("member-left", "member-left"),
    ("room-closed", "room-closed"),
];

pub(crate) const TABLE: Table = Table {
    path: "webhooks",
    text: "Servers of yours that are told, by a signed POST, what happens to rooms (AppRTC's and those of /v1).",
    keys: &[
        Key {
            name: "urls",
            default: "[]",
            example: "[\"https://backend.example.org/posthouse\"]",
            expects: "a list of URLs",
            text: "Where each event is posted, http:// or https://. Nothing by default. What does not answer 2xx within\n\
                   ten seconds is tried again, six times within about half a minute; redirects are not followed.",
        },
        Key {
            name: "secret",
            default: "\"\"",
            example: "\"…\"",
            expects: "a secret of at least 32 bytes",
            text: "What events are signed with, HMAC-SHA256 as Standard Webhooks has it. Needed as soon as there is a\n\
                   URL: without it anybody could tell your server anything.",
        },
        Key {
            name: "events",
            default: "[\"room-opened\", \"member-joined\", \"member-left\", \"room-closed\"]",
            example: "[\"member-joined\", \"member-left\"]",
            expects: "a list of events",
            text: "Which events are posted. All by default.",
        },
    ],
};

/// `[webhooks]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// `http://` or `https://`, host, maybe a port, maybe path and query.
    pub urls: Vec<String>,
    /// What signs; there is one if there is a URL.
    pub secret: Option<Secret>,
    /// Names of events.
    pub events: Vec<&'static str>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { urls: Vec::new(), secret: None, events: EVENTS.map(|(name, _)| name).to_vec() }
    }
}

impl Webhooks {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let webhooks = Self {
            urls: reading.list("webhooks.urls", url).unwrap_or_default(),
            secret: reading.text("webhooks.secret", secret).flatten(),
            events: reading
                .list("webhooks.events", |event| word::one_of(&EVENTS, event))
                .unwrap_or(Self::default().events),
        };
        let unsigned = webhooks.secret.is_none() && !webhooks.urls.is_empty();
        if unsigned && reading.is_sound(&["webhooks.urls", "webhooks.secret"]) {
            let write = "write webhooks.secret: the output of `openssl rand -base64 32`";
            reading.complain("webhooks.urls", Complaint::wrong("a secret beside the URLs", "none", write));
        }
        webhooks
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { urls, secret, events } = self;
        let secret = if secret.is_some() { "***" } else { "" };
        vec![("webhooks.urls", list(urls)), ("webhooks.secret", text(secret)), ("webhooks.events", list(events))]
    }
}

fn secret(text: &str) -> Parsed<Option<Secret>> {
    if text.is_empty() { Ok(None) } else { secret::signing(text).map(Some) }
}

/// An origin, and maybe a path and a query of printable characters.
fn url(text: &str) -> Parsed<String> {
    let authority = text.find("://").map_or(0, |at| at + 3);
    let end = text[authority..].find(['/', '?', '#']).map_or(text.len(), |at| authority + at);
    origin::origin(&text[..end])?;
    if !text[end..].chars().all(|c| c.is_ascii_graphic() && !"#\"<>\\^`{|}".contains(c)) || text[end..].starts_with('?')
    {
        let expected = "a URL like \"https://backend.example.org/posthouse\"";
        return Err(Complaint::wrong(expected, quoted(text), "percent-encode what is no plain character"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_origin_and_maybe_a_path_and_a_query() {
        for good in ["http://127.0.0.1:9000", "https://a.example/", "https://a.example:8443/hook?key=1&b=%20"] {
            assert_eq!(url(good).ok().as_deref(), Some(good));
        }
        for bad in
            ["", "a.example", "ftp://a/", "https://u@a/", "https://a/ b", "https://a/#x", "https://a?x", "https://é/"]
        {
            assert!(url(bad).is_err(), "{bad} passed");
        }
    }
}
