//! JSON that may stand inside a script element: what HTML gives a meaning to is written `\u003c` and so on, as Go's
//! encoder does and Collider's clients therefore see.

use serde::Serialize;

/// A value as JSON. Outside of strings JSON has none of the escaped characters, so the whole text may be escaped.
pub(crate) fn write(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).expect("strings, numbers, lists and maps with string keys are JSON");
    escape(plain)
}

/// A value as JSON and no more than that, for a WebSocket: what was said by others passes unchanged.
pub(crate) fn plain(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers, lists and maps with string keys are JSON")
}

fn escape(json: String) -> String {
    // Without a branch for each byte, so that many are looked at in one step. E2 begins U+2028 and U+2029.
    let special = |byte: u8| byte == b'<' || byte == b'>' || byte == b'&' || byte == 0xe2;
    if !json.bytes().fold(false, |found, byte| found | special(byte)) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Does it nest deeper than `limit`? Brackets inside strings do not count.
pub(crate) fn deeper_than(limit: usize, text: &str) -> bool {
    // Most texts have fewer brackets in all than they may have around each other, and counting is quick.
    if text.bytes().map(|byte| usize::from(byte | 0x20 == b'{')).sum::<usize>() <= limit {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_understands_is_escaped_and_reads_back_the_same() {
        let text = "</script>&\u{2028}é\"";
        let json = write(&text);
        assert_eq!(json, "\"\\u003c/script\\u003e\\u0026\\u2028é\\\"\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert!(!deeper_than(2, r#"{"a":["[[[[\"[["]}"#));
        assert!(deeper_than(1, r#"{"a":[]}"#));
    }
}
