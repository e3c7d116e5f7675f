//! Collider's frames: strict in, exact out.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};

use crate::json;

/// Deepest nesting that is read.
const DEPTH: usize = 32;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientFrame<'a> {
    Register { room: Cow<'a, str>, client: Cow<'a, str> },
    Send { msg: Cow<'a, str> },
    Unknown,
}

impl<'a> ClientFrame<'a> {
    /// Reads a frame. Keys match in any case, as in Go; unknown keys are ignored; a key that comes twice is an error, so
    /// that nobody checks one value and uses the other. Every frame is read for itself (Collider repeated the fields of
    /// the frame before).
    pub(crate) fn parse(text: &'a str) -> Result<Self, String> {
        if json::deeper_than(DEPTH, text) {
            return Err(format!("nested deeper than {DEPTH}"));
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(|problem| problem.to_string())?;
        Ok(match fields.cmd.as_ref().map(|cmd| &*cmd.0) {
            Some("register") => {
                let text = |field: Option<Text<'a>>| field.unwrap_or_default().0;
                Self::Register { room: text(fields.roomid), client: text(fields.clientid) }
            }
            Some("send") => Self::Send { msg: fields.msg.unwrap_or_default().0 },
            _ => Self::Unknown,
        })
    }
}

/// `{"msg":...,"error":""}` and a newline.
pub(crate) fn message(msg: &str) -> String {
    write(msg, "")
}

/// `{"msg":"","error":...}` and a newline.
pub(crate) fn error(error: &str) -> String {
    write("", error)
}

fn write(msg: &str, error: &str) -> String {
    // Room for the frame and some escapes: most messages are written without growing.
    let mut text = String::with_capacity(msg.len() + msg.len() / 8 + error.len() + 64);
    text.push_str("{\"msg\":");
    json::push_string(&mut text, msg);
    text.push_str(",\"error\":");
    json::push_string(&mut text, error);
    text.push_str("}\n");
    text
}

/// A string, borrowed where nothing in it is escaped.
#[derive(Default, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Default)]
struct Fields<'a> {
    cmd: Option<Text<'a>>,
    roomid: Option<Text<'a>>,
    clientid: Option<Text<'a>>,
    msg: Option<Text<'a>>,
}

impl<'a> Fields<'a> {
    fn slot(&mut self, key: &str) -> Option<(&'static str, &mut Option<Text<'a>>)> {
        let names = ["cmd", "roomid", "clientid", "msg"];
        let slots = [&mut self.cmd, &mut self.roomid, &mut self.clientid, &mut self.msg];
        names.into_iter().zip(slots).find(|(name, _)| name.eq_ignore_ascii_case(key))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let Some((name, slot)) = fields.slot(&key.0) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(de::Error::duplicate_field(name));
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_match_in_any_case_and_unknown_ones_are_ignored() {
        let frame = ClientFrame::parse(r#"{"CMD":"register","RoomId":"r","x":[{}],"clientID":"c"}"#);
        assert_eq!(frame, Ok(ClientFrame::Register { room: "r".into(), client: "c".into() }));
    }

    #[test]
    fn a_key_that_comes_twice_is_refused_in_any_case() {
        for twice in [r#"{"cmd":"send","cmd":"send"}"#, r#"{"roomid":"a","roomID":"b"}"#] {
            assert!(ClientFrame::parse(twice).unwrap_err().contains("duplicate field"), "{twice}");
        }
    }

    #[test]
    fn what_is_not_an_object_of_strings_is_refused() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
        for bad in [
            "",
            "[]",
            "null",
            "{",
            r#"{"cmd":1}"#,
            r#"{"roomid":null}"#,
            r#"{"msg":{}}"#,
            r#"{} {}"#,
            "\u{feff}{}",
            r#"{"msg":"\ud800"}"#,
            r#"{"clientid":01}"#,
            &deep,
            &"[".repeat(100_000),
        ] {
            assert!(ClientFrame::parse(bad).is_err(), "{bad:.40}");
        }
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(31), "]".repeat(31));
        assert_eq!(ClientFrame::parse(&deep), Ok(ClientFrame::Unknown));
    }

    #[test]
    fn a_frame_says_nothing_of_the_one_before() {
        assert_eq!(ClientFrame::parse(r#"{"cmd":"send","msg":"a"}"#), Ok(ClientFrame::Send { msg: "a".into() }));
        assert_eq!(ClientFrame::parse(r#"{"cmd":"send"}"#), Ok(ClientFrame::Send { msg: "".into() }));
        assert_eq!(ClientFrame::parse("{}"), Ok(ClientFrame::Unknown));
    }

    #[test]
    fn frames_are_written_as_go_writes_them() {
        assert_eq!(message("<é>&"), "{\"msg\":\"\\u003cé\\u003e\\u0026\",\"error\":\"\"}\n");
        assert_eq!(error("Client not registered"), "{\"msg\":\"\",\"error\":\"Client not registered\"}\n");
    }
}
