//! What the first bytes of a stream say about the rest.

use crate::listener::Carries;

/// RFC 7443 §3.
const TURN: &[u8] = b"stun.turn";
/// RFC 7443 §3.
const NAT_DISCOVERY: &[u8] = b"stun.nat-discovery";
/// RFC 7301 §6. HTTP/2 is not offered: WebSockets need HTTP/1.1.
const HTTP: &[u8] = b"http/1.1";

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A ClientHello or something that pretends to be one.
    Tls,
    /// STUN, and TURN in it.
    Turn,
    /// HTTP, if anything: its parser says so.
    Http,
}

impl Protocol {
    /// Of a stream whose first byte is `first`, on a listener for this (RFC 7983 §7, RFC 8656 §12).
    pub(crate) fn of_first_byte(first: u8, carries: Carries) -> Self {
        if first == 0x16 { Self::Tls } else { Self::of_first_decrypted_byte(first, carries) }
    }

    /// Of a TLS stream on which `name` was agreed.
    pub(crate) fn of_alpn(name: &[u8]) -> Self {
        if name == HTTP { Self::Http } else { Self::Turn }
    }

    /// Of a TLS stream without ALPN whose first decrypted byte is `first`: TLS is not put into TLS.
    ///
    /// STUN begins with the two bits 00, its known methods with 0 to 3, and who sends another is to be ignored and not thrown
    /// out. ChannelData begins with 01. So do letters: on a shared listener that is HTTP, for `GET` does come and
    /// ChannelData before any allocation is of no use. HTTP may begin with an empty line (RFC 9112 §2.2).
    pub(crate) fn of_first_decrypted_byte(first: u8, carries: Carries) -> Self {
        match (first, carries) {
            (b'\r' | b'\n', _) => Self::Http,
            (..=0x7f, Carries::Turn) => Self::Turn,
            (..=0x3f, Carries::All) => Self::Turn,
            _ => Self::Http,
        }
    }
}

/// What is offered by ALPN on a listener for TURN alone, in the order of preference.
pub(crate) fn names_of_turn() -> Vec<Vec<u8>> {
    vec![TURN.to_vec(), NAT_DISCOVERY.to_vec()]
}

/// What is offered by ALPN on a shared listener, in the order of preference.
pub(crate) fn names_of_all() -> Vec<Vec<u8>> {
    vec![TURN.to_vec(), NAT_DISCOVERY.to_vec(), HTTP.to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_has_one_meaning_on_a_listener_for_turn() {
        for first in 0..=255 {
            let is_turn = first < 128 && first != b'\r' && first != b'\n';
            let within = if is_turn { Protocol::Turn } else { Protocol::Http };
            let expected = if first == 22 { Protocol::Tls } else { within };
            assert_eq!(Protocol::of_first_byte(first, Carries::Turn), expected, "{first}");
            assert_eq!(Protocol::of_first_decrypted_byte(first, Carries::Turn), within, "{first}");
        }
    }

    #[test]
    fn every_first_byte_has_one_meaning_on_a_shared_listener() {
        for first in 0..=255 {
            let is_stun = first < 64 && first != b'\r' && first != b'\n';
            let within = if is_stun { Protocol::Turn } else { Protocol::Http };
            let expected = if first == 22 { Protocol::Tls } else { within };
            assert_eq!(Protocol::of_first_byte(first, Carries::All), expected, "{first}");
            assert_eq!(Protocol::of_first_decrypted_byte(first, Carries::All), within, "{first}");
        }
    }

    #[test]
    fn every_name_that_is_offered_has_its_taker() {
        for name in names_of_all() {
            let expected = if name.starts_with(b"stun.") { Protocol::Turn } else { Protocol::Http };
            assert_eq!(Protocol::of_alpn(&name), expected);
        }
        assert!(names_of_turn().iter().all(|name| Protocol::of_alpn(name) == Protocol::Turn));
    }
}
