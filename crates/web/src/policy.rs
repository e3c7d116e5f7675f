//! What the pages may do, said in the headers that go with them.

/// `Permissions-Policy`: the devices a call needs, for this origin alone, and nothing that it does not need.
/// Only names that Chromium knows everywhere: it complains on the console about any other.
pub const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
     screen-wake-lock=(self), autoplay=(self), clipboard-write=(self), \
     geolocation=(), usb=(), serial=(), hid=(), payment=(), midi=()";

/// `Permissions-Policy` of the operator's dashboard, which needs no device.
pub const OPERATOR_PERMISSIONS_POLICY: &str = "camera=(), microphone=(), display-capture=(), fullscreen=(), \
     screen-wake-lock=(), clipboard-write=(), geolocation=(), usb=(), serial=(), hid=(), payment=(), midi=()";

/// `Referrer-Policy`: a room's address is its key; no other site learns it.
pub const REFERRER_POLICY: &str = "no-referrer";

/// `Content-Security-Policy` for the pages and their assets.
///
/// `connect` lists further origins that the pages may speak to, as `scheme://host[:port]`: the origins of `wss_url` and
/// `wss_post_url` where a visitor may come under another name than the public one, and for browsers that do not
/// count a WebSocket to the page's own host as `'self'`. An entry that is not a plain origin is left out rather than
/// written into the header.
pub fn content_security_policy(connect: &[&str]) -> String {
    let mut allowed = String::from("'self'");
    for origin in connect.iter().filter(|origin| is_origin(origin)) {
        allowed.push(' ');
        allowed.push_str(origin);
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {allowed}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
}

/// `http`, `https`, `ws` or `wss`, then host and port: letters, digits, `.`, `-`, `:` and the brackets of IPv6.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    matches!(scheme, "http" | "https" | "ws" | "wss")
        && !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inline_and_no_other_origin_is_allowed() {
        let policy = content_security_policy(&[]);
        assert!(policy.starts_with("default-src 'none'; "));
        for word in ["unsafe", "http:", "https:", "ws:", "wss:", "*", "data:", "blob:"] {
            assert!(!policy.contains(word), "{word} in {policy}");
        }
        for directive in ["base-uri", "form-action", "frame-ancestors"] {
            assert!(policy.contains(&format!("{directive} 'none'")), "{policy}");
        }
    }

    #[test]
    fn named_origins_may_be_connected_to() {
        let policy = content_security_policy(&["wss://calls.example.org", "ws://[2001:db8::1]:8080"]);
        assert!(policy.contains("connect-src 'self' wss://calls.example.org ws://[2001:db8::1]:8080; "), "{policy}");
    }

    #[test]
    fn what_is_not_an_origin_never_reaches_the_header() {
        for bad in
            ["*", "wss://", "wss://a; script-src *", "https://a/b", "https://a\r\nX: y", "javascript://a", "a.example"]
        {
            assert_eq!(content_security_policy(&[bad]), content_security_policy(&[]), "{bad}");
        }
    }
}
