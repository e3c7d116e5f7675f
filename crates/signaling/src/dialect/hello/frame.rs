//! Messages of both spellings, and what becomes of them.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// Which of the two a client speaks: they differ in the names of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `signalServer`: `_from`, `_to`, `_messageType`, `_contentType`, `_content`.
    A,
    /// `signalPeer`, `testDSHT`: `from`, `to`, `messageType`, `content`.
    B,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unicast,
    Broadcast,
}

/// A message of a client. What it says is not ours to read.
#[derive(Debug)]
pub(super) struct ClientFrame<'a> {
    pub(super) spelling: Spelling,
    pub(super) from: String,
    /// None of the two: the client only says who it is.
    pub(super) kind: Option<Kind>,
    pub(super) to: Option<String>,
    content_type: Option<&'a RawValue>,
    content: Option<&'a RawValue>,
}

/// All keys of both. One that comes twice is refused, so that nobody checks one value and uses the other.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "_from")]
    a_from: Option<String>,
    #[serde(rename = "_to")]
    a_to: Option<String>,
    #[serde(rename = "_messageType")]
    a_kind: Option<String>,
    #[serde(rename = "_contentType", borrow, default, deserialize_with = "given")]
    content_type: Option<&'a RawValue>,
    #[serde(rename = "_content", borrow, default, deserialize_with = "given")]
    a_content: Option<&'a RawValue>,
    from: Option<String>,
    to: Option<String>,
    #[serde(rename = "messageType")]
    kind: Option<String>,
    #[serde(borrow, default, deserialize_with = "given")]
    content: Option<&'a RawValue>,
}

/// A value that is there, `null` too.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(value: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

impl Spelling {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// What the others hear of one whose socket is gone, in the conventions of `join`. Clients of 2014 pass over it.
    pub(super) fn leave(self, id: &str) -> String {
        let id = quoted(id);
        match self {
            Self::A => format!(r#"{{"_contentType":"leave","_content":"bye","_from":{id}}}"#),
            Self::B => format!(r#"{{"content":{{"contentType":"leave","body":"bye"}},"from":{id}}}"#),
        }
    }
}

impl<'a> ClientFrame<'a> {
    /// Reads a message of either spelling; `None` if it is neither, or names no sender.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if json::deeper_than(DEPTH, text) {
            return None;
        }
        let Fields { a_from, a_to, a_kind, content_type, a_content, from, to, kind, content } =
            serde_json::from_str(text).ok()?;
        let (spelling, from, to, kind, content) = match (a_from, from) {
            (Some(from), _) => (Spelling::A, from, a_to, a_kind, a_content),
            (None, from) => (Spelling::B, from?, to, kind, content),
        };
        let kind = match kind.as_deref() {
            Some("unicast") => Some(Kind::Unicast),
            Some("broadcast") => Some(Kind::Broadcast),
            _ => None,
        };
        Some(Self { spelling, from, kind, to, content_type, content })
    }

    /// What the addressees read: the keys in the original's order, and those alone; one that is not there is left out.
    pub(super) fn write(&self) -> String {
        let raw = |value: Option<&RawValue>| value.map(|value| value.get().to_owned());
        let to = self.to.as_deref().filter(|_| self.kind == Some(Kind::Unicast)).map(quoted);
        let (content_type, content, from) = (raw(self.content_type), raw(self.content), Some(quoted(&self.from)));
        let fields: &[(&str, Option<String>)] = match self.spelling {
            Spelling::A => &[("_contentType", content_type), ("_content", content), ("_to", to), ("_from", from)],
            Spelling::B => &[("content", content), ("to", to), ("from", from)],
        };
        let given = fields.iter().filter_map(|(key, value)| Some(format!("\"{key}\":{}", value.as_ref()?)));
        format!("{{{}}}", given.collect::<Vec<_>>().join(","))
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(text: &str) -> Option<String> {
        ClientFrame::parse(text).map(|frame| frame.write())
    }

    #[test]
    fn the_addressees_read_what_the_original_wrote() {
        let same = |text: &str, expected: &str| assert_eq!(relayed(text).as_deref(), Some(expected), "{text}");
        same(
            r#"{"_to":"b","_from":"a","_messageType":"unicast","_contentType":"offer","_content":"v=0\r\n","x":1}"#,
            r#"{"_contentType":"offer","_content":"v=0\r\n","_to":"b","_from":"a"}"#,
        );
        same(
            r#"{"_from":"a","_messageType":"broadcast","_contentType":"join","_content":"hello","_to":"b"}"#,
            r#"{"_contentType":"join","_content":"hello","_from":"a"}"#,
        );
        same(r#"{"_from":"é\"","_messageType":"broadcast","_content":null}"#, r#"{"_content":null,"_from":"é\""}"#);
        same(
            r#"{"from":"a","messageType":"unicast","content":{"contentType":"candidate","body":[1e400]},"to":"b"}"#,
            r#"{"content":{"contentType":"candidate","body":[1e400]},"to":"b","from":"a"}"#,
        );
        same(r#"{"content":{},"from":"a","messageType":"broadcast"}"#, r#"{"content":{},"from":"a"}"#);
    }

    #[test]
    fn another_type_of_message_only_says_who_it_is() {
        for text in [r#"{"_from":"a"}"#, r#"{"from":"a","messageType":"register"}"#] {
            assert_eq!(ClientFrame::parse(text).unwrap().kind, None);
        }
    }

    #[test]
    fn what_names_no_sender_or_is_ambiguous_is_not_read() {
        let deep = format!("{{\"from\":\"a\",\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
        for ignored in [
            "",
            "hello",
            "[]",
            "null",
            "{}",
            r#"{"_from":1}"#,
            r#"{"from":null,"messageType":"broadcast"}"#,
            r#"{"from":"a","from":"b"}"#,
            r#"{"_from":"a","_content":1,"_content":2}"#,
            r#"{"from":"a","to":["b"]}"#,
            r#"{"from":"a"} {}"#,
            &deep,
        ] {
            assert_eq!(relayed(ignored), None, "{ignored:.40}");
        }
    }
}
