//! `PeerJS`'s frames.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// What a client may say. `HEARTBEAT` has no meaning beyond itself and is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Kind {
    Offer,
    Answer,
    Candidate,
    Leave,
    Expire,
}

/// A frame from a client. `src` is not read: who speaks is known.
#[derive(Debug, Deserialize)]
pub(super) struct ClientFrame<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) dst: Option<String>,
    /// Opaque; `null` is a payload too.
    #[serde(borrow, default, deserialize_with = "given")]
    pub(super) payload: Option<&'a RawValue>,
}

impl<'a> ClientFrame<'a> {
    /// `None` for what is not understood. Of two keys with one name neither counts, so that nobody checks one value and
    /// uses the other.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        // A list of values would be read as an object's otherwise.
        let is_object = text.trim_start().starts_with('{');
        let readable = is_object && !json::deeper_than(DEPTH, text);
        let frame: Self = serde_json::from_str(text).ok().filter(|_| readable)?;
        let dst = frame.dst.filter(|dst| !dst.is_empty());
        Some(Self { dst, ..frame })
    }
}

/// Text and nothing else: an enum of its own would be read from an object too.
impl TryFrom<String> for Kind {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let all = [Self::Offer, Self::Answer, Self::Candidate, Self::Leave, Self::Expire];
        all.into_iter().find(|kind| kind.name() == text).ok_or("a type that is not passed on")
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::Answer => "ANSWER",
            Self::Candidate => "CANDIDATE",
            Self::Leave => "LEAVE",
            Self::Expire => "EXPIRE",
        }
    }
}

fn given<'de, D: Deserializer<'de>>(payload: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(payload).map(Some)
}

/// The four keys that are forwarded, and no other.
pub(super) fn message(kind: Kind, src: &str, dst: &str, payload: Option<&RawValue>) -> String {
    let (kind, src, dst) = (kind.name(), json::write(&src), json::write(&dst));
    match payload {
        Some(payload) => format!(r#"{{"type":"{kind}","src":{src},"dst":{dst},"payload":{}}}"#, payload.get()),
        None => format!(r#"{{"type":"{kind}","src":{src},"dst":{dst}}}"#),
    }
}

/// `absent` did not come for what `sender` said.
pub(super) fn expire(absent: &str, sender: &str) -> String {
    message(Kind::Expire, absent, sender, None)
}

pub(super) fn open() -> String {
    r#"{"type":"OPEN"}"#.to_owned()
}

pub(super) fn id_taken() -> String {
    r#"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#.to_owned()
}

pub(super) fn error(msg: &str) -> String {
    format!(r#"{{"type":"ERROR","payload":{{"msg":{}}}}}"#, json::write(&msg))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed_on(text: &str) -> Option<String> {
        let ClientFrame { kind, dst, payload } = ClientFrame::parse(text)?;
        Some(message(kind, "me", &dst?, payload))
    }

    #[test]
    fn four_keys_are_forwarded_and_the_payload_as_it_came() {
        let offer = r#" {"payload":{"sdp": {"type":"offer","sdp":"v=0\r\n"},"n":1e400}, "x":1,"src":"liar","dst":"you","type":"OFFER"}"#;
        let expected =
            r#"{"type":"OFFER","src":"me","dst":"you","payload":{"sdp": {"type":"offer","sdp":"v=0\r\n"},"n":1e400}}"#;
        assert_eq!(passed_on(offer).as_deref(), Some(expected));
        let leave = r#"{"type":"LEAVE","dst":"é\"<"}"#;
        assert_eq!(passed_on(leave).as_deref(), Some(r#"{"type":"LEAVE","src":"me","dst":"é\"\u003c"}"#));
        let null = r#"{"type":"CANDIDATE","dst":"you","payload":null}"#;
        let expected = r#"{"type":"CANDIDATE","src":"me","dst":"you","payload":null}"#;
        assert_eq!(passed_on(null).as_deref(), Some(expected));
    }

    #[test]
    fn what_the_server_says_is_exact() {
        assert_eq!(expire("gone", "me"), r#"{"type":"EXPIRE","src":"gone","dst":"me"}"#);
        assert_eq!(error("Invalid key provided"), r#"{"type":"ERROR","payload":{"msg":"Invalid key provided"}}"#);
        for said in [open(), id_taken()] {
            assert!(serde_json::from_str::<serde_json::Value>(&said).is_ok(), "{said}");
        }
    }

    #[test]
    fn a_leave_without_an_addressee_is_the_senders_own() {
        for own in [r#"{"type":"LEAVE"}"#, r#"{"type":"LEAVE","dst":null}"#, r#"{"type":"LEAVE","dst":""}"#] {
            let frame = ClientFrame::parse(own).unwrap();
            assert_eq!((frame.kind, frame.dst), (Kind::Leave, None), "{own}");
        }
    }

    #[test]
    fn what_is_odd_is_not_understood() {
        let deep = format!(r#"{{"type":"OFFER","dst":"you","payload":{}1{}}}"#, "[".repeat(32), "]".repeat(32));
        for odd in [
            "",
            "null",
            "[]",
            r#"["OFFER","you",1]"#,
            r#"{"type":"OFFER","dst":"you"}x"#,
            r#"{"type":"OFFER","dst":7}"#,
            r#"{"type":["OFFER"],"dst":"you"}"#,
            r#"{"type":{"OFFER":null},"dst":"you"}"#,
            r#"{"type":"offer","dst":"you"}"#,
            r#"{"type":"HEARTBEAT"}"#,
            r#"{"type":"OPEN","dst":"you"}"#,
            r#"{"type":"OFFER","type":"LEAVE","dst":"you"}"#,
            r#"{"type":"OFFER","dst":"you","dst":"me"}"#,
            r#"{"type":"OFFER","dst":"you","payload":1,"payload":2}"#,
            "{\"type\":\"OFFER\",\"dst\":\"\\ud800\"}",
            &deep,
        ] {
            assert!(ClientFrame::parse(odd).is_none(), "{odd:.60}");
        }
    }
}
