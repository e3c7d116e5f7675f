//! Version 1: one line of text, `PROXY TCP4 192.0.2.1 203.0.113.10 56324 443\r\n`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{Parsed, canonical, signed};

const SIGNATURE: &[u8] = b"PROXY ";

/// Longest line with its end (§2.1).
const LONGEST: usize = 107;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    if let Some(verdict) = signed(bytes, SIGNATURE) {
        return verdict;
    }
    let within = &bytes[..bytes.len().min(LONGEST)];
    let Some(end) = within.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < LONGEST { Parsed::Incomplete } else { Parsed::Malformed };
    };
    let line = str::from_utf8(&bytes[SIGNATURE.len()..end]).ok();
    match line.and_then(told) {
        Some(told) => Parsed::Header { length: end + 2, told },
        None => Parsed::Malformed,
    }
}

fn told(line: &str) -> Option<Option<(SocketAddr, SocketAddr)>> {
    // What follows UNKNOWN is to be ignored (§2.1).
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Some(None);
    }
    let mut words = line.split(' ');
    let family = words.next()?;
    let addresses = [words.next()?, words.next()?];
    let [source_port, destination_port] = [port(words.next()?)?, port(words.next()?)?];
    if words.next().is_some() {
        return None;
    }
    let [source, destination] = match family {
        "TCP4" => both::<Ipv4Addr>(addresses)?,
        "TCP6" => both::<Ipv6Addr>(addresses)?,
        _ => return None,
    };
    canonical(SocketAddr::new(source, source_port), SocketAddr::new(destination, destination_port)).map(Some)
}

fn both<A: FromStr + Into<IpAddr>>(addresses: [&str; 2]) -> Option<[IpAddr; 2]> {
    let [source, destination] = addresses.map(|text| text.parse::<A>().ok().map(Into::into));
    Some([source?, destination?])
}

/// Decimal digits without leading zeros.
fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Parsed {
        parse(line.as_bytes())
    }

    #[test]
    fn both_families_tell_source_and_destination() {
        let four = "PROXY TCP4 192.0.2.1 203.0.113.10 56324 443\r\n";
        let told = Some(("192.0.2.1:56324".parse().unwrap(), "203.0.113.10:443".parse().unwrap()));
        assert_eq!(header(&format!("{four}GET /")), Parsed::Header { length: four.len(), told });
        let six = "PROXY TCP6 2001:db8::1 2001:db8::10 65535 0\r\n";
        let told = Some(("[2001:db8::1]:65535".parse().unwrap(), "[2001:db8::10]:0".parse().unwrap()));
        assert_eq!(header(six), Parsed::Header { length: six.len(), told });
    }

    #[test]
    fn mapped_addresses_become_the_ipv4_addresses_they_are() {
        let line = "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:203.0.113.10 1 2\r\n";
        let told = Some(("192.0.2.1:1".parse().unwrap(), "203.0.113.10:2".parse().unwrap()));
        assert_eq!(header(line), Parsed::Header { length: line.len(), told });
        assert_eq!(header("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n"), Parsed::Malformed);
    }

    #[test]
    fn unknown_leaves_the_addresses_of_the_connection() {
        for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"] {
            assert_eq!(header(line), Parsed::Header { length: line.len(), told: None });
        }
    }

    #[test]
    fn every_beginning_of_a_line_waits_for_the_rest() {
        let line = "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n";
        for end in 1..line.len() {
            assert_eq!(header(&line[..end]), Parsed::Incomplete, "{end}");
        }
    }

    #[test]
    fn http_methods_that_begin_alike_are_not_headers() {
        for line in ["POST / HTTP/1.1", "PUT /", "PROPFIND", "PROXZ", "PROXY\r\n"] {
            assert_eq!(header(line), Parsed::Absent, "{line}");
        }
    }

    #[test]
    fn every_broken_line_is_malformed() {
        for rest in [
            "",
            "TCP4",
            "TCP4 192.0.2.1 203.0.113.10 1",
            "TCP4 192.0.2.1 203.0.113.10 1 2 3",
            "TCP4 192.0.2.1 203.0.113.10 1 2 ",
            "TCP4  192.0.2.1 203.0.113.10 1 2",
            " TCP4 192.0.2.1 203.0.113.10 1 2",
            "tcp4 192.0.2.1 203.0.113.10 1 2",
            "UDP4 192.0.2.1 203.0.113.10 1 2",
            "UNKNOWNS",
            "TCP4 192.0.2.1 203.0.113.10 65536 2",
            "TCP4 192.0.2.1 203.0.113.10 -1 2",
            "TCP4 192.0.2.1 203.0.113.10 +1 2",
            "TCP4 192.0.2.1 203.0.113.10 01 2",
            "TCP4 192.0.2.1 203.0.113.10 a 2",
            "TCP4 192.0.2.256 203.0.113.10 1 2",
            "TCP4 192.0.2.01 203.0.113.10 1 2",
            "TCP4 2001:db8::1 2001:db8::2 1 2",
            "TCP6 192.0.2.1 203.0.113.10 1 2",
            "TCP6 fe80::1%eth0 2001:db8::2 1 2",
            "TCP6 [2001:db8::1] 2001:db8::2 1 2",
            "TCP4 example.org 203.0.113.10 1 2",
        ] {
            assert_eq!(header(&format!("PROXY {rest}\r\n")), Parsed::Malformed, "{rest}");
        }
        assert_eq!(parse(b"PROXY TCP4 \xff 203.0.113.10 1 2\r\n"), Parsed::Malformed);
    }

    #[test]
    fn a_line_that_does_not_end_is_malformed_at_its_longest() {
        let line = format!("PROXY UNKNOWN {}", "x".repeat(LONGEST));
        assert_eq!(header(&line[..LONGEST - 1]), Parsed::Incomplete);
        assert_eq!(header(&line[..LONGEST]), Parsed::Malformed);
        assert_eq!(header(&format!("{line}\r\n")), Parsed::Malformed);
    }
}
