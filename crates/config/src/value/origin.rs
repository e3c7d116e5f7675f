//! Origins: `"https://meet.example.org"`, what links are made of and what browsers send (RFC 6454 §6.2).

use std::net::Ipv6Addr;

use super::{Parsed, quoted};
use crate::problem::Complaint;

/// Scheme, host and maybe a port; nothing after it.
pub(crate) fn origin(text: &str) -> Parsed<String> {
    let expected = "an origin like \"https://meet.example.org\"";
    let wrong = |write: String| Err(Complaint::wrong(expected, quoted(text), write));
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(authority) = rest else {
        return wrong("begin with https:// or http://".to_owned());
    };
    if let Some(end) = authority.find(['/', '?', '#']) {
        let scheme = text.len() - authority.len();
        return wrong(format!("write it without a path: \"{}\"", crate::problem::shortened(&text[..scheme + end])));
    }
    if !is_authority(authority) {
        return wrong("write a host name or an address, and after a colon maybe a port".to_owned());
    }
    Ok(text.to_owned())
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_is_right =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+'));
    port_is_right && is_host(host)
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_a_host_and_maybe_a_port() {
        for good in ["http://127.0.0.1:8080", "https://meet.example.org", "https://[2001:db8::1]:8443", "http://[::1]"]
        {
            assert_eq!(origin(good).ok().as_deref(), Some(good));
        }
        let bad = [
            "meet.example.org",
            "ftp://a",
            "https://",
            "https://a/",
            "https://a/b",
            "https://a:0",
            "https://u@a",
            "https://a:99999",
            "https://a b",
            "https://[::1",
            "https://-a",
            "https://a..b",
            "https://a?x",
            "https://a:",
        ];
        for text in bad {
            assert!(origin(text).is_err(), "{text} passed");
        }
    }
}
