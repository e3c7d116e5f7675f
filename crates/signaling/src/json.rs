//! JSON that may stand inside a script element: what HTML gives a meaning to is written `\u003c` and so on, as Go's
//! encoder does and Collider's clients therefore see.

use serde::Serialize;

/// A value as JSON. Outside of strings JSON has none of the escaped characters, so the whole text may be escaped.
pub(crate) fn write(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).expect("strings, numbers, lists and maps with string keys are JSON");
    escape(plain)
}

/// A string as [`write()`] writes it, for those that are written often: what needs no escape is looked for and copied in
/// blocks.
pub(crate) fn push_string(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = escaped(rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        json.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => json.push_str("\\\""),
            Some('\\') => json.push_str("\\\\"),
            Some('\n') => json.push_str("\\n"),
            Some('\r') => json.push_str("\\r"),
            Some('\t') => json.push_str("\\t"),
            Some('\u{8}') => json.push_str("\\b"),
            Some('\u{c}') => json.push_str("\\f"),
            Some(c @ ('\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}')) => {
                json.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => json.extend(other),
        }
        rest = chars.as_str();
    }
    json.push_str(rest);
    json.push('"');
}

/// Where the first byte is that may need an escape. E2 begins U+2028 and U+2029.
fn escaped(bytes: &[u8]) -> Option<usize> {
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2);
    // Without a branch for each byte, so that many are looked at in one step.
    let found = |block: &[u8]| block.iter().fold(false, |found, byte| found | special(byte));
    let block = bytes.chunks(64).position(found)? * 64;
    bytes[block..].iter().position(special).map(|at| block + at)
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
    let brackets = |block: &[u8]| usize::from(block.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
    if text.as_bytes().chunks(128).map(brackets).sum::<usize>() <= limit {
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
    fn a_string_is_written_as_any_value_is() {
        let every: String = ('\0'..'\u{3000}').collect();
        let long = format!("{}\"{}\u{2028}", "x".repeat(200), "é".repeat(100));
        for text in [&every, &long, "", "\r\n", "<b>&amp;</b>", &"x".repeat(64), &format!("{}<", "x".repeat(63))] {
            let mut pushed = String::new();
            push_string(&mut pushed, text);
            assert_eq!(pushed, write(&text));
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        assert!(!deeper_than(2, r#"{"a":["[[[[\"[["]}"#));
        assert!(deeper_than(1, r#"{"a":[]}"#));
    }
}
