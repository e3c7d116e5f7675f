//! Percent-encoding: query strings and path segments.

/// A query string, decoded; order and repetitions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`. What is not valid percent-encoding stands for itself, as browsers have it.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_lossy(key), decode_lossy(value))
        });
        Self(pairs.collect())
    }

    /// The first value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// `?a=b&c=d`, encoded anew; nothing at all when there is nothing.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.0 {
            text.push(if text.is_empty() { '?' } else { '&' });
            encode(key, &mut text);
            text.push('=');
            encode(value, &mut text);
        }
        text
    }
}

/// Appends `text` so that it may stand in a query.
pub(crate) fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~,:".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push('%');
            to.extend([byte >> 4, byte & 15].map(|nibble| char::from(b"0123456789ABCDEF"[usize::from(nibble)])));
        }
    }
}

/// A path segment, decoded; `None` if it is not valid percent-encoding of UTF-8 without control characters.
pub(crate) fn decode_segment(text: &str) -> Option<String> {
    let (bytes, valid) = decode(text, false);
    let decoded = String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
    decoded.filter(|_| valid)
}

fn decode_lossy(text: &str) -> String {
    String::from_utf8_lossy(&decode(text, true).0).into_owned()
}

/// The bytes, and whether every `%` began an escape.
fn decode(text: &str, plus_is_space: bool) -> (Vec<u8>, bool) {
    let (mut decoded, mut valid, mut rest) = (Vec::with_capacity(text.len()), true, text.as_bytes());
    while let [byte, tail @ ..] = rest {
        let escape = tail.first_chunk().and_then(|[a, b]| Some(hex(*a)? << 4 | hex(*b)?));
        match (byte, escape) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &tail[2..];
                continue;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (b'%', None) => {
                valid = false;
                decoded.push(b'%');
            }
            _ => decoded.push(*byte),
        }
        rest = tail;
    }
    (decoded, valid)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_written_anew_with_every_key() {
        let query = Query::parse("a=b%20c&d&e=%zz&a=2&f=x+y&g='<\">");
        assert_eq!(query.get("a"), Some("b c"));
        assert_eq!(query.get("e"), Some("%zz"));
        assert_eq!(query.write(), "?a=b%20c&d=&e=%25zz&a=2&f=x%20y&g=%27%3C%22%3E");
    }

    #[test]
    fn a_segment_with_a_broken_escape_is_no_segment() {
        for bad in ["%", "%zz", "%c0%af", "%00", "a%2"] {
            assert_eq!(decode_segment(bad), None, "{bad}");
        }
        assert_eq!(decode_segment("a%20b").as_deref(), Some("a b"));
    }
}
