//! Phoenix's frames, in both versions of its serializer.
//!
//! ```text
//! 2.0.0   [join_ref, ref, topic, event, payload]
//! 1.0.0   {"topic":..., "event":..., "payload":..., "ref":...}
//! ```
//! A ref is text or `null`. A reply has the ref of what it answers; what nobody asked for has none.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// Longest ref, in bytes; clients count.
const LONGEST_REF: usize = 64;

/// Which serializer a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A frame, from a client or for one.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    /// The ref of the join that this belongs to. Version 1 does not tell it.
    pub(super) join_ref: Option<String>,
    pub(super) r#ref: Option<String>,
    pub(super) topic: String,
    pub(super) event: String,
    pub(super) payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Object<'a> {
    topic: String,
    event: String,
    #[serde(borrow)]
    payload: &'a RawValue,
    r#ref: Option<String>,
}

type Array<'a> = (Option<String>, Option<String>, String, String, &'a RawValue);

impl Version {
    /// From `vsn`; clients older than the parameter speak version 1. `None`: one that we do not speak.
    pub(super) fn of(vsn: Option<&str>) -> Option<Self> {
        match vsn.map(|vsn| vsn.split_once('.').map_or(vsn, |(major, _)| major)) {
            None | Some("1") => Some(Self::One),
            Some("2") => Some(Self::Two),
            Some(_) => None,
        }
    }

    /// Reads a frame. `None` for what is none: Phoenix ends the socket then.
    pub(super) fn parse(self, text: &str) -> Option<Frame<'_>> {
        let opens = match self {
            Self::One => '{',
            Self::Two => '[',
        };
        if !text.trim_start().starts_with(opens) || json::deeper_than(DEPTH, text) {
            return None;
        }
        let frame = match self {
            Self::One => {
                let Object { topic, event, payload, r#ref } = serde_json::from_str(text).ok()?;
                Frame { join_ref: None, r#ref, topic, event, payload }
            }
            Self::Two => {
                let (join_ref, r#ref, topic, event, payload): Array<'_> = serde_json::from_str(text).ok()?;
                Frame { join_ref, r#ref, topic, event, payload }
            }
        };
        let short = |one: &Option<String>| one.as_ref().is_none_or(|one| one.len() <= LONGEST_REF);
        (short(&frame.join_ref) && short(&frame.r#ref)).then_some(frame)
    }

    /// Writes a frame; `payload` is JSON.
    pub(super) fn write(
        self,
        join_ref: Option<&str>,
        r#ref: Option<&str>,
        topic: &str,
        event: &str,
        payload: &str,
    ) -> String {
        let (join_ref, r#ref) = (json::write(&join_ref), json::write(&r#ref));
        let (topic, event) = (json::write(&topic), json::write(&event));
        match self {
            Self::One => format!(r#"{{"topic":{topic},"event":{event},"payload":{payload},"ref":{ref}}}"#),
            Self::Two => format!("[{join_ref},{ref},{topic},{event},{payload}]"),
        }
    }

    /// The answer to a frame.
    pub(super) fn reply(self, to: &Frame<'_>, answer: Result<(), &str>) -> String {
        let payload = match answer {
            Ok(()) => r#"{"status":"ok","response":{}}"#.to_owned(),
            Err(reason) => format!(r#"{{"status":"error","response":{{"reason":{}}}}}"#, json::write(&reason)),
        };
        self.write(to.join_ref.as_deref(), to.r#ref.as_deref(), &to.topic, "phx_reply", &payload)
    }

    /// A channel is closed; its ref is that of its join.
    pub(super) fn close(self, join_ref: Option<&str>, topic: &str) -> String {
        self.write(join_ref, join_ref, topic, "phx_close", "{}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_told_by_the_query() {
        assert_eq!(Version::of(None), Some(Version::One));
        assert_eq!(Version::of(Some("1.0.0")), Some(Version::One));
        assert_eq!(Version::of(Some("2.0.0")), Some(Version::Two));
        for other in ["3.0.0", "", "two", "20.0"] {
            assert_eq!(Version::of(Some(other)), None, "{other}");
        }
    }

    #[test]
    fn replies_and_closes_are_exact_in_both_versions() {
        let heartbeat = Version::Two.parse(r#"[null,"7","phoenix","heartbeat",{}]"#).unwrap();
        let expected = r#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#;
        assert_eq!(Version::Two.reply(&heartbeat, Ok(())), expected);
        let text = r#"{"topic":"broker:x","event":"phx_join","payload":{},"ref":"1"}"#;
        let join = Version::One.parse(text).unwrap();
        let expected = concat!(
            r#"{"topic":"broker:x","event":"phx_reply","payload":{"status":"error","#,
            r#""response":{"reason":"Invalid subchannel"}},"ref":"1"}"#
        );
        assert_eq!(Version::One.reply(&join, Err("Invalid subchannel")), expected);
        assert_eq!(Version::Two.close(Some("3"), "peer:x"), r#"["3","3","peer:x","phx_close",{}]"#);
        let expected = r#"{"topic":"peer:x","event":"phx_close","payload":{},"ref":"3"}"#;
        assert_eq!(Version::One.close(Some("3"), "peer:x"), expected);
    }

    #[test]
    fn a_payload_passes_as_it_came() {
        let text = r#" ["1","2","peer:x","offer",{"offer": {"sdp":"v=0\r\n","n":1e400}}]"#;
        let Frame { join_ref, r#ref, topic, event, payload } = Version::Two.parse(text).unwrap();
        let again = Version::Two.write(join_ref.as_deref(), r#ref.as_deref(), &topic, &event, payload.get());
        assert_eq!(again, text.trim());
    }

    #[test]
    fn what_is_no_frame_is_not_read() {
        let deep = format!(r#"[null,null,"a","b",{}{}]"#, "[".repeat(32), "]".repeat(32));
        let long = format!(r#"[null,"{}","a","b",{{}}]"#, "1".repeat(65));
        for odd in [
            "",
            "null",
            "{}",
            "[]",
            r#"[null,"1","a","b"]"#,
            r#"[null,"1","a","b",{},{}]"#,
            r#"[null,1,"a","b",{}]"#,
            r#"[null,"1",null,"b",{}]"#,
            r#"[null,"1","a",["b"],{}]"#,
            r#"[null,"1","a","b",{}]x"#,
            &deep,
            &long,
        ] {
            assert!(Version::Two.parse(odd).is_none(), "{odd:.60}");
        }
        for odd in [
            r#"["1","1","a","b",{}]"#,
            r#"{"topic":"a","event":"b","ref":"1"}"#,
            r#"{"topic":"a","event":"b","payload":{},"ref":1}"#,
            r#"{"topic":"a","topic":"c","event":"b","payload":{},"ref":"1"}"#,
            r#"{"topic":"a","event":"b","payload":{},"payload":{},"ref":"1"}"#,
        ] {
            assert!(Version::One.parse(odd).is_none(), "{odd:.60}");
        }
    }
}
