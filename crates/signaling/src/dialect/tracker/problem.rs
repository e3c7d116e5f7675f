//! Mistakes of a tracker's clients, and the tracker's own.

use serde::Serialize;

use super::frame::{Hash, write};

/// Why a message is refused: what a client reads as `failure reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Json,
    Action,
    InfoHash,
    PeerId,
    ToPeerId,
    Offer,
    Answer,
    Event,
    Scraped,
    PeerIdTaken,
    OtherPeerId,
    TooManyTorrents,
    Full,
    Busy,
}

impl Problem {
    fn reason(self) -> &'static str {
        match self {
            Self::Json => "expected a JSON object with an action",
            Self::Action => "invalid action, expected announce or scrape",
            Self::InfoHash => "invalid info_hash, expected 20 characters up to U+00FF",
            Self::PeerId => "invalid peer_id, expected 20 characters up to U+00FF",
            Self::ToPeerId => "invalid to_peer_id, an answer needs 20 characters up to U+00FF",
            Self::Offer => "invalid offer, expected an object and an offer_id of 1 to 64 bytes",
            Self::Answer => "invalid answer, expected an object and an offer_id of 1 to 64 bytes",
            Self::Event => "invalid event",
            Self::Scraped => "expected 1 to 50 info_hashes to scrape",
            Self::PeerIdTaken => "the peer_id is in use on another connection",
            Self::OtherPeerId => "another peer_id is announced for this info_hash on this connection",
            Self::TooManyTorrents => "too many torrents on this connection",
            Self::Full => "the torrent has as many peers as it may",
            Self::Busy => "the tracker is busy, try again later",
        }
    }
}

/// What a client hears of its mistake.
pub(super) fn failure(problem: Problem, info_hash: Option<&Hash>) -> String {
    #[derive(Serialize)]
    struct Failure<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<&'a str>,
        #[serde(rename = "failure reason")]
        reason: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        info_hash: Option<&'a Hash>,
    }
    write(&Failure { action: info_hash.map(|_| "announce"), reason: problem.reason(), info_hash })
}
