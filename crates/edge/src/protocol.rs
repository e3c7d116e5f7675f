//! What the first bytes of a stream say about the rest.

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
    /// Of a stream whose first byte is `first` (RFC 7983 §7). ChannelData (64 to 79) needs an allocation, so that no stream
    /// begins with it: `GET` does.
    pub(crate) fn of_first_byte(first: u8) -> Self {
        match first {
            0..=3 => Self::Turn,
            0x16 => Self::Tls,
            _ => Self::Http,
        }
    }

    /// Of a TLS stream on which `name` was agreed.
    pub(crate) fn of_alpn(name: &[u8]) -> Self {
        if name == HTTP { Self::Http } else { Self::Turn }
    }

    /// Of a TLS stream without ALPN whose first decrypted byte is `first`: TLS is not put into TLS.
    pub(crate) fn of_first_decrypted_byte(first: u8) -> Self {
        if first <= 3 { Self::Turn } else { Self::Http }
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
    fn every_first_byte_has_one_meaning() {
        for first in 0..=255 {
            let expected = match first {
                0..=3 => Protocol::Turn,
                22 => Protocol::Tls,
                _ => Protocol::Http,
            };
            assert_eq!(Protocol::of_first_byte(first), expected, "{first}");
            let within = if first <= 3 { Protocol::Turn } else { Protocol::Http };
            assert_eq!(Protocol::of_first_decrypted_byte(first), within, "{first}");
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
