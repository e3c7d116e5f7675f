//! One thing that a browser can load.

/// Bytes and what a browser must be told about them. All parts live as long as the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// `Content-Type`, with the charset.
    pub content_type: &'static str,
    /// `ETag`: a strong validator with its quotes, equal exactly when the bytes are equal (RFC 9110 §8.8.1).
    pub etag: &'static str,
    /// `Cache-Control`.
    pub cache_control: &'static str,
    /// The bytes, never empty.
    pub body: &'static [u8],
}

/// The type that belongs to a file name's ending; the browser is told `nosniff`, so each ending must be here.
pub(crate) fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("ts") => "application/typescript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        ending => panic!("{name}: no content type for {ending:?}; add it here"),
    }
}
