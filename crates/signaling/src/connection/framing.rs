//! How requests say where they end (RFC 9112 §6.3), seen as they were sent: hyper drops an equal second
//! `Content-Length`, and one beside `Transfer-Encoding`, before anybody can refuse them. A proxy in front of us that
//! reads such a request differently would let one request hide in the body of another.

/// Looks at heads as they pass, however they are cut. Bodies are skipped by their length; behind a head with
/// `Transfer-Encoding` it stops, for the answer to it ends the connection.
#[derive(Debug)]
pub(crate) struct Framing {
    /// The beginning of the line that passes; the two fields that matter fit.
    line: [u8; LINE],
    length: usize,
    head: Head,
    at: At,
}

/// A line's bytes that are kept: `Content-Length:`, some blanks, 20 digits.
const LINE: usize = 48;

#[derive(Debug, Default)]
struct Head {
    begun: bool,
    content_length: Option<u64>,
    coded: bool,
}

#[derive(Debug)]
enum At {
    Head,
    Body(u64),
    End,
}

/// A request that two servers might read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

impl Framing {
    pub(crate) fn new() -> Self {
        Self { line: [0; LINE], length: 0, head: Head::default(), at: At::Head }
    }

    /// Looks at bytes that pass.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Ambiguous> {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Head => self.read_line(bytes)?,
                At::Body(rest) => {
                    let passed = rest.min(bytes.len() as u64);
                    self.at = if passed == rest { At::Head } else { At::Body(rest - passed) };
                    &bytes[usize::try_from(passed).unwrap_or(bytes.len())..]
                }
                At::End => return Ok(()),
            };
        }
        Ok(())
    }

    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Ambiguous> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        let kept = piece.len().min(LINE - self.length);
        self.line[self.length..self.length + kept].copy_from_slice(&piece[..kept]);
        self.length += kept;
        let Some(end) = end else { return Ok(&[]) };
        self.end_line()?;
        self.length = 0;
        Ok(&bytes[end + 1..])
    }

    fn end_line(&mut self) -> Result<(), Ambiguous> {
        let line = self.line[..self.length].trim_ascii_end();
        if line.is_empty() {
            return self.end_head();
        }
        self.head.begun = true;
        if let Some(value) = field(line, b"content-length:") {
            let length = std::str::from_utf8(value.trim_ascii()).ok().and_then(|value| value.parse().ok());
            if self.head.content_length.is_some() || length.is_none() {
                return Err(Ambiguous);
            }
            self.head.content_length = length;
        }
        self.head.coded |= field(line, b"transfer-encoding:").is_some();
        Ok(())
    }

    fn end_head(&mut self) -> Result<(), Ambiguous> {
        let head = std::mem::take(&mut self.head);
        self.at = match head {
            // Empty lines before a request are skipped (RFC 9112 §2.2).
            Head { begun: false, .. } => At::Head,
            Head { coded: true, content_length: Some(_), .. } => return Err(Ambiguous),
            Head { coded: true, .. } => At::End,
            Head { content_length: None | Some(0), .. } => At::Head,
            Head { content_length: Some(length), .. } => At::Body(length),
        };
        Ok(())
    }
}

/// The value, if the line is this field.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole, and byte by byte.
    fn judged(text: &str) -> Result<(), Ambiguous> {
        let whole = Framing::new().pass(text.as_bytes());
        let mut framing = Framing::new();
        assert_eq!(text.as_bytes().iter().try_for_each(|byte| framing.pass(&[*byte])), whole, "{text}");
        whole
    }

    #[test]
    fn a_request_says_once_where_it_ends() {
        let post = |headers: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n");
        for clear in ["X: y", "Content-Length: 0", "content-length:\t 17 ", "Transfer-Encoding: chunked"] {
            assert_eq!(judged(&post(clear)), Ok(()), "{clear}");
        }
        let both = ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\ncontent-LENGTH: 5"];
        let twice = ["Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5, 5", "Content-Length: 5 5"];
        for ambiguous in both.into_iter().chain(twice) {
            assert_eq!(judged(&post(ambiguous)), Err(Ambiguous), "{ambiguous}");
        }
    }

    #[test]
    fn what_stands_in_a_body_is_no_head_and_the_next_head_is() {
        let twice = "Content-Length: 1\r\nContent-Length: 1\r\n\r\n";
        let with_body = |body: &str| format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(judged(&with_body(twice)), Ok(()));
        let next = with_body(twice) + "\r\nPOST / HTTP/1.1\r\n" + twice;
        assert_eq!(judged(&next), Err(Ambiguous));
        let long = format!("GET /{} HTTP/1.1\r\nX: {}\r\n{twice}", "x".repeat(5000), "y".repeat(5000));
        assert_eq!(judged(&long), Err(Ambiguous), "a long line hides nothing behind it");
    }
}
