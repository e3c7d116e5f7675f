//! Messages of a tracker's clients, and what they hear.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{problem::Problem, swarm::Counts};
use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// Seconds between two announces of a client, as `bittorrent-tracker` has it without our word. They bring new offers:
/// Trystero takes an offer of one side alone, so two peers may not meet before the other side announces again.
const INTERVAL: u64 = 30;

/// Offers of one announce that are relayed. Clients make 3 to 10.
const OFFERS: usize = 20;

/// Torrents in one scrape.
const SCRAPED: usize = 50;

/// Longest `offer_id`; clients make 20 bytes.
const OFFER_ID: usize = 64;

/// 20 bytes, as clients write them: a character each, U+0000 to U+00FF.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(super) struct Hash(pub(super) String);

/// A message of a client.
#[derive(Debug)]
pub(super) enum ClientFrame<'a> {
    Announce(Box<Announce<'a>>),
    Scrape(Vec<Hash>),
}

#[derive(Debug)]
pub(super) struct Announce<'a> {
    pub(super) info_hash: Hash,
    pub(super) peer_id: Hash,
    pub(super) event: Event,
    pub(super) answer: Option<Answer<'a>>,
    nothing_left: bool,
    numwant: usize,
    offers: Vec<Offer<'a>>,
}

/// What a client says has happened. What it does not say, is an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Stopped,
    Completed,
    /// `started`, `update`, `paused`, or nothing.
    Present,
}

/// The answer to an offer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) to: Hash,
    offer_id: String,
    answer: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(super) struct Offer<'a> {
    #[serde(borrow)]
    offer: &'a RawValue,
    offer_id: String,
}

/// The keys we read. One that comes twice is refused, so that nobody checks one value and uses the other.
#[derive(Deserialize)]
struct Fields<'a> {
    action: String,
    #[serde(borrow)]
    info_hash: Option<&'a RawValue>,
    peer_id: Option<String>,
    to_peer_id: Option<String>,
    #[serde(borrow)]
    left: Option<&'a RawValue>,
    event: Option<String>,
    #[serde(borrow)]
    numwant: Option<&'a RawValue>,
    #[serde(borrow)]
    offers: Option<&'a RawValue>,
    #[serde(borrow)]
    answer: Option<&'a RawValue>,
    offer_id: Option<String>,
}

impl Hash {
    fn parse(text: String) -> Option<Self> {
        let latin1 = text.chars().all(|c| u32::from(c) <= 0xff) && text.chars().count() == 20;
        latin1.then_some(Self(text))
    }
}

impl<'a> ClientFrame<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Problem> {
        if json::deeper_than(DEPTH, text) {
            return Err(Problem::Json);
        }
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|_| Problem::Json)?;
        match fields.action.as_str() {
            "announce" => Announce::parse(fields).map(Box::new).map(Self::Announce),
            "scrape" => scrape(fields.info_hash).map(Self::Scrape),
            _ => Err(Problem::Action),
        }
    }
}

impl<'a> Announce<'a> {
    fn parse(fields: Fields<'a>) -> Result<Self, Problem> {
        let Fields { info_hash, peer_id, to_peer_id, left, event, numwant, offers, answer, offer_id, .. } = fields;
        let info_hash = info_hash.and_then(|raw| serde_json::from_str(raw.get()).ok()).and_then(Hash::parse);
        let event = match event.as_deref() {
            Some("stopped") => Event::Stopped,
            Some("completed") => Event::Completed,
            None | Some("" | "started" | "update" | "paused" | "empty") => Event::Present,
            Some(_) => return Err(Problem::Event),
        };
        let answer = match answer {
            Some(answer) => Some(Answer {
                to: to_peer_id.and_then(Hash::parse).ok_or(Problem::ToPeerId)?,
                offer_id: offer_id.filter(|id| is_offer_id(id)).ok_or(Problem::Answer)?,
                answer: Some(answer).filter(|answer| is_object(answer)).ok_or(Problem::Answer)?,
            }),
            None => None,
        };
        let offers = match offers {
            Some(raw) => serde_json::from_str::<Vec<Offer<'a>>>(raw.get()).map_err(|_| Problem::Offer)?,
            None => Vec::new(),
        };
        if !offers.iter().all(|one| is_object(one.offer) && is_offer_id(&one.offer_id)) {
            return Err(Problem::Offer);
        }
        Ok(Self {
            info_hash: info_hash.ok_or(Problem::InfoHash)?,
            peer_id: peer_id.and_then(Hash::parse).ok_or(Problem::PeerId)?,
            event,
            answer,
            // A client that does not know says nothing, null or a text.
            nothing_left: left.and_then(number) == Some(0.0),
            numwant: numwant.and_then(number).map_or(OFFERS, whole),
            offers,
        })
    }

    pub(super) fn is_complete(&self) -> bool {
        self.nothing_left || self.event == Event::Completed
    }

    /// Those that are relayed: as many as the client wants, and no more than is good for the others.
    pub(super) fn offers(&self) -> &[Offer<'a>] {
        &self.offers[..self.offers.len().min(self.numwant).min(OFFERS)]
    }

    /// What the client itself hears.
    pub(super) fn reply(&self, counts: Counts) -> String {
        #[derive(Serialize)]
        struct Reply<'a> {
            action: &'a str,
            info_hash: &'a Hash,
            interval: u64,
            complete: usize,
            incomplete: usize,
        }
        let Counts { complete, incomplete } = counts;
        write(&Reply { action: "announce", info_hash: &self.info_hash, interval: INTERVAL, complete, incomplete })
    }

    pub(super) fn relay_offer(&self, offer: &Offer<'_>) -> String {
        #[derive(Serialize)]
        struct Relayed<'a> {
            action: &'a str,
            offer: &'a RawValue,
            offer_id: &'a str,
            peer_id: &'a Hash,
            info_hash: &'a Hash,
        }
        let Offer { offer, offer_id } = offer;
        write(&Relayed { action: "announce", offer, offer_id, peer_id: &self.peer_id, info_hash: &self.info_hash })
    }

    pub(super) fn relay_answer(&self, answer: &Answer<'_>) -> String {
        #[derive(Serialize)]
        struct Relayed<'a> {
            action: &'a str,
            answer: &'a RawValue,
            offer_id: &'a str,
            peer_id: &'a Hash,
            info_hash: &'a Hash,
        }
        let Answer { answer, offer_id, .. } = answer;
        write(&Relayed { action: "announce", answer, offer_id, peer_id: &self.peer_id, info_hash: &self.info_hash })
    }
}

/// The answer to a scrape.
pub(super) fn scraped(files: &[(&Hash, Counts)]) -> String {
    let file = |(hash, Counts { complete, incomplete }): &(&Hash, Counts)| {
        // Who has it all now is the least of those who ever got it.
        let file = serde_json::json!({ "complete": complete, "incomplete": incomplete, "downloaded": complete });
        (hash.0.clone(), file)
    };
    let files: serde_json::Map<_, _> = files.iter().map(file).collect();
    write(&serde_json::json!({ "action": "scrape", "files": files, "flags": { "min_request_interval": INTERVAL } }))
}

fn scrape(hashes: Option<&RawValue>) -> Result<Vec<Hash>, Problem> {
    let raw = hashes.map(RawValue::get).ok_or(Problem::Scraped)?;
    let texts = match serde_json::from_str::<String>(raw) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_str::<Vec<String>>(raw).map_err(|_| Problem::InfoHash)?,
    };
    if texts.is_empty() || texts.len() > SCRAPED {
        return Err(Problem::Scraped);
    }
    texts.into_iter().map(|text| Hash::parse(text).ok_or(Problem::InfoHash)).collect()
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

fn is_offer_id(id: &str) -> bool {
    (1..=OFFER_ID).contains(&id.len())
}

fn number(raw: &RawValue) -> Option<f64> {
    serde_json::from_str(raw.get()).ok()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

/// Strings, numbers, lists and maps with string keys are JSON.
pub(super) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "\u{0}\u{1}\u{7f}\u{80}ÿabcdefghijklmno";

    fn text(more: &str) -> String {
        let hash = serde_json::to_string(HASH).unwrap();
        format!(r#"{{"action":"announce","info_hash":{hash},"peer_id":"-WW0001-abcdefghijkl"{more}}}"#)
    }

    fn problem(text: &str) -> Option<Problem> {
        ClientFrame::parse(text).err()
    }

    fn announce(text: &str) -> Announce<'_> {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Announce(announce)) => *announce,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn hashes_are_bytes_and_come_back_as_they_were() {
        let text = text("");
        let reply = announce(&text).reply(Counts { complete: 1, incomplete: 2 });
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        assert_eq!(reply["info_hash"], HASH);
        assert_eq!((&reply["interval"], &reply["complete"], &reply["incomplete"]), (&30.into(), &1.into(), &2.into()));
    }

    #[test]
    fn who_has_nothing_left_seeds_and_who_does_not_say_does_not() {
        let complete = |more: &str| announce(&text(more)).is_complete();
        for seeds in [r#","left":0"#, r#","left":0.0"#, r#","event":"completed","left":5"#] {
            assert!(complete(seeds), "{seeds}");
        }
        for leeches in
            ["", r#","left":1"#, r#","left":null"#, r#","left":"0""#, r#","left":1e999"#, r#","event":"started""#]
        {
            assert!(!complete(leeches), "{leeches}");
        }
    }

    #[test]
    fn offers_are_relayed_up_to_what_is_wanted_and_to_the_bound() {
        let offers = |n: usize, more: &str| {
            let one = |n| format!(r#"{{"offer":{{"sdp":"é"}},"offer_id":"{n}"}}"#);
            let list = (0..n).map(one).collect::<Vec<_>>().join(",");
            announce(&text(&format!(r#","offers":[{list}]{more}"#))).offers().len()
        };
        assert_eq!([offers(3, ""), offers(3, r#","numwant":2"#), offers(3, r#","numwant":1e300"#)], [3, 2, 3]);
        assert_eq!([offers(3, r#","numwant":0"#), offers(3, r#","numwant":-1"#), offers(500, "")], [0, 0, 20]);
    }

    #[test]
    fn an_offer_and_an_answer_name_their_sender_and_nothing_else_passes() {
        let text =
            text(r#","answer":{"sdp":"x", "n":1e400},"offer_id":"o","to_peer_id":"-WW0001-zzzzzzzzzzzz","token":"s""#);
        let announce = announce(&text);
        let relayed = announce.relay_answer(announce.answer.as_ref().unwrap());
        let expected = format!(
            r#"{{"action":"announce","answer":{{"sdp":"x", "n":1e400}},"offer_id":"o","peer_id":"-WW0001-abcdefghijkl","info_hash":{}}}"#,
            serde_json::to_string(HASH).unwrap()
        );
        assert_eq!(relayed, expected);
    }

    #[test]
    fn each_mistake_has_its_reason() {
        let deep = text(&format!(r#","x":{}{}"#, "[".repeat(32), "]".repeat(32)));
        for (bad, expected) in [
            ("", Problem::Json),
            ("[]", Problem::Json),
            (&deep, Problem::Json),
            (r#"{"action":"announce","action":"scrape"}"#, Problem::Json),
            (r#"{"action":"connect"}"#, Problem::Action),
            (r#"{"action":"announce"}"#, Problem::InfoHash),
            (&text("").replace("mno", "mn"), Problem::InfoHash),
            (&text("").replace("mno", "mn\u{100}"), Problem::InfoHash),
            (&text("").replace("-WW", "WW"), Problem::PeerId),
            (&text(r#","event":"gone""#), Problem::Event),
            (&text(r#","answer":{}"#), Problem::ToPeerId),
            (&text(r#","answer":{},"to_peer_id":"-WW0001-zzzzzzzzzzzz""#), Problem::Answer),
            (&text(r#","answer":"v=0","offer_id":"o","to_peer_id":"-WW0001-zzzzzzzzzzzz""#), Problem::Answer),
            (&text(r#","offers":{}"#), Problem::Offer),
            (&text(r#","offers":[{"offer":"v=0","offer_id":"o"}]"#), Problem::Offer),
            (&text(r#","offers":[{"offer":{},"offer_id":""}]"#), Problem::Offer),
            (&text(r#","offers":[{"offer":{}}]"#), Problem::Offer),
            (r#"{"action":"scrape"}"#, Problem::Scraped),
            (r#"{"action":"scrape","info_hash":[]}"#, Problem::Scraped),
            (r#"{"action":"scrape","info_hash":["x"]}"#, Problem::InfoHash),
        ] {
            assert_eq!(problem(bad), Some(expected), "{bad:.60}");
        }
    }
}
