//! Version 2: binary.
//!
//! ```text
//!  0            12        13        14        16
//! | signature   | ver|cmd | fam|pro | length  | addresses ... | TLVs ... |
//!                                             |<------- length --------->|
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{LONGEST, Parsed, canonical, signed};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    if let Some(verdict) = signed(bytes, SIGNATURE) {
        return verdict;
    }
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else { return Parsed::Incomplete };
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if FIXED + length > LONGEST {
        return Parsed::Malformed;
    }
    // Wrong already: the rest need not be waited for.
    let Some(shape) = Shape::of(fixed[12], fixed[13], length) else { return Parsed::Malformed };
    let Some(body) = rest.get(..length) else { return Parsed::Incomplete };
    match shape.told(body) {
        Some(told) => Parsed::Header { length: FIXED + length, told },
        None => Parsed::Malformed,
    }
}

/// How the bytes after the fixed part are laid out.
#[derive(Clone, Copy)]
enum Shape {
    /// LOCAL: the proxy speaks for itself, and everything is to be skipped (§2.2).
    Local,
    /// UNSPEC or UNIX: so many bytes without addresses that mean something to us.
    Other(usize),
    /// Two IPv4 addresses, two ports.
    Four,
    /// Two IPv6 addresses, two ports.
    Six,
}

impl Shape {
    fn of(version_and_command: u8, family_and_protocol: u8, length: usize) -> Option<Self> {
        let shape = match (version_and_command, family_and_protocol) {
            (0x20, _) => Self::Local,
            // The specification lets UNSPEC have anything behind it, TLVs or not.
            (0x21, 0x00) => Self::Other(length),
            (0x21, 0x11) => Self::Four,
            (0x21, 0x21) => Self::Six,
            (0x21, 0x31) => Self::Other(216),
            // Datagrams (0x12, 0x22, 0x32) do not come on a stream.
            _ => return None,
        };
        (length >= shape.addresses()).then_some(shape)
    }

    /// Bytes of the addresses.
    fn addresses(self) -> usize {
        match self {
            Self::Local => 0,
            Self::Other(length) => length,
            Self::Four => 12,
            Self::Six => 36,
        }
    }

    fn told(self, body: &[u8]) -> Option<Option<(SocketAddr, SocketAddr)>> {
        if matches!(self, Self::Local) {
            return Some(None);
        }
        let (addresses, tlvs) = body.split_at_checked(self.addresses())?;
        if !are_whole(tlvs) {
            return None;
        }
        match self {
            Self::Local | Self::Other(_) => Some(None),
            Self::Four => pair::<4>(addresses, |octets| Ipv4Addr::from(octets).into()).map(Some),
            Self::Six => pair::<16>(addresses, |octets| Ipv6Addr::from(octets).into()).map(Some),
        }
    }
}

/// Source, destination, their ports.
fn pair<const N: usize>(bytes: &[u8], ip: impl Fn([u8; N]) -> IpAddr) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = bytes.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let destination_port = rest.first_chunk::<2>()?;
    let source = SocketAddr::new(ip(*source), u16::from_be_bytes(*source_port));
    canonical(source, SocketAddr::new(ip(*destination), u16::from_be_bytes(*destination_port)))
}

/// Whether type, length, value follow each other to the last byte. None of them is read.
fn are_whole(mut tlvs: &[u8]) -> bool {
    while let [_, high, low, rest @ ..] = tlvs {
        match rest.get(usize::from(u16::from_be_bytes([*high, *low]))..) {
            Some(next) => tlvs = next,
            None => return false,
        }
    }
    tlvs.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, body].concat()
    }

    fn four() -> Vec<u8> {
        [&[192, 0, 2, 1], &[203, 0, 113, 10], &56324_u16.to_be_bytes()[..], &443_u16.to_be_bytes()].concat()
    }

    fn six() -> Vec<u8> {
        let ip = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
        [&ip("2001:db8::1")[..], &ip("2001:db8::10"), &7_u16.to_be_bytes(), &8_u16.to_be_bytes()].concat()
    }

    #[test]
    fn both_families_tell_source_and_destination() {
        let told = Some(("192.0.2.1:56324".parse().unwrap(), "203.0.113.10:443".parse().unwrap()));
        let bytes = header(0x21, 0x11, &four());
        assert_eq!(parse(&[&bytes[..], b"\x16\x03"].concat()), Parsed::Header { length: bytes.len(), told });
        let told = Some(("[2001:db8::1]:7".parse().unwrap(), "[2001:db8::10]:8".parse().unwrap()));
        assert_eq!(parse(&header(0x21, 0x21, &six())), Parsed::Header { length: 52, told });
    }

    #[test]
    fn local_unspecified_and_unix_leave_the_addresses_of_the_connection() {
        for (command, family, body) in [
            (0x20, 0x00, &[][..]),
            (0x20, 0x11, &[1; 5]),
            (0x21, 0x00, &[]),
            (0x21, 0x00, &[9; 30]),
            (0x21, 0x31, &[0; 216]),
        ] {
            let bytes = header(command, family, body);
            assert_eq!(parse(&bytes), Parsed::Header { length: bytes.len(), told: None }, "{command:x} {family:x}");
        }
    }

    #[test]
    fn tlvs_are_skipped_whatever_they_are() {
        let tlvs = [&[0x01, 0, 4, b't', b'u', b'r', b'n'][..], &[0xEE, 0, 0], &[0x04, 0, 2, 0, 0]].concat();
        let bytes = header(0x21, 0x11, &[four(), tlvs].concat());
        assert!(matches!(parse(&bytes), Parsed::Header { length, told: Some(_) } if length == bytes.len()));
    }

    #[test]
    fn tlvs_that_do_not_fit_are_malformed() {
        for tlvs in [&[1][..], &[1, 0], &[1, 0, 1], &[1, 0xFF, 0xFF, 0], &[1, 0, 0, 2]] {
            assert_eq!(parse(&header(0x21, 0x11, &[&four()[..], tlvs].concat())), Parsed::Malformed, "{tlvs:?}");
        }
    }

    #[test]
    fn every_beginning_of_a_header_waits_for_the_rest() {
        let bytes = header(0x21, 0x21, &six());
        for end in 1..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Parsed::Incomplete, "{end}");
        }
    }

    #[test]
    fn a_signature_that_breaks_off_is_no_header() {
        for at in 1..SIGNATURE.len() {
            let mut bytes = header(0x21, 0x11, &four());
            bytes[at] ^= 0x20;
            assert_eq!(parse(&bytes), Parsed::Absent, "{at}");
        }
    }

    #[test]
    fn versions_commands_families_and_protocols_of_nobody_are_malformed() {
        for command in (0..=255).filter(|command| ![0x20, 0x21].contains(command)) {
            assert_eq!(parse(&header(command, 0x11, &four())), Parsed::Malformed, "{command:x}");
        }
        for family in (0..=255).filter(|family| ![0x00, 0x11, 0x21, 0x31].contains(family)) {
            assert_eq!(parse(&header(0x21, family, &[0; 216])), Parsed::Malformed, "{family:x}");
        }
    }

    #[test]
    fn a_length_too_short_for_its_family_is_malformed_at_once() {
        for (family, needed) in [(0x11, 12), (0x21, 36), (0x31, 216)] {
            for length in 0..needed {
                let bytes = header(0x21, family, &vec![0; length]);
                assert_eq!(parse(&bytes[..FIXED]), Parsed::Malformed, "{family:x} {length}");
            }
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_malformed_at_once() {
        let at = |length: usize| {
            let mut bytes = header(0x20, 0, &[]);
            bytes[14..].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            parse(&bytes)
        };
        assert_eq!(at(LONGEST - FIXED), Parsed::Incomplete);
        assert_eq!(at(LONGEST - FIXED + 1), Parsed::Malformed);
        assert_eq!(at(65535), Parsed::Malformed);
    }

    #[test]
    fn families_are_not_mixed_by_mapped_addresses() {
        let mut body = six();
        body[..16].copy_from_slice(&"::ffff:192.0.2.1".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(parse(&header(0x21, 0x21, &body)), Parsed::Malformed);
    }
}
