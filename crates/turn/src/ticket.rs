//! [`TicketKey`]: tickets that only their maker can make, read or change (RFC 8016 §6).
//!
//! ```text
//! number of the allocation, 32 bits | serial, 32 bits      8 bytes
//!       ▼ AES-128-SIV (RFC 5297): an AEAD that needs no nonce, its tag has 128 bits
//! tag, 16 bytes | ciphertext, 8 bytes                     24 bytes
//!       ▼ base64url
//! MOBILITY-TICKET, 32 letters
//! ```
//! Letters, and 32 of them, as the test client of coturn keeps a ticket as a text of that length. The serial is drawn
//! anew for each ticket, so no two are alike. A ticket is as good as the allocation that knows its serial, and ends with
//! it.

use std::fmt;

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use zeroize::Zeroizing;

/// What tickets are sealed with. Servers of one process share it; it must come from the operating system.
#[derive(Clone)]
pub struct TicketKey(Zeroizing<[u8; 32]>);

/// What a ticket says, to its maker alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Of the allocation, in the [`crate::mobility::Directory`].
    pub(crate) number: u32,
    /// Of the allocation's tickets, drawn by lot.
    pub(crate) serial: u32,
}

/// Bytes of a ticket on the wire.
const LETTERS: usize = 32;
const SEALED: usize = 24;

/// Associated data: nothing else that the key may ever seal is a ticket.
const PURPOSE: &[u8] = b"MOBILITY-TICKET";

impl TicketKey {
    /// Both halves of the key of AES-128-SIV.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// MOBILITY-TICKET.
    pub(crate) fn seal(&self, ticket: Ticket) -> [u8; LETTERS] {
        let mut plain = [0; 8];
        plain[..4].copy_from_slice(&ticket.number.to_be_bytes());
        plain[4..].copy_from_slice(&ticket.serial.to_be_bytes());
        let sealed = self.siv().encrypt([PURPOSE], &plain).expect("8 bytes are not too many");
        let mut letters = [0; LETTERS];
        BASE64URL.encode_slice(sealed, &mut letters).expect("32 letters hold 24 bytes");
        letters
    }

    /// `None` unless every bit is as it was sealed here.
    pub(crate) fn open(&self, letters: &[u8]) -> Option<Ticket> {
        let mut sealed = [0; SEALED];
        let length = BASE64URL.decode_slice(letters, &mut sealed).ok().filter(|_| letters.len() == LETTERS)?;
        let plain = self.siv().decrypt([PURPOSE], &sealed[..length]).ok()?;
        let (number, serial) = plain.split_first_chunk::<4>()?;
        Some(Ticket { number: u32::from_be_bytes(*number), serial: u32::from_be_bytes(serial.try_into().ok()?) })
    }

    fn siv(&self) -> Aes128Siv {
        Aes128Siv::new_from_slice(&*self.0).expect("the key of AES-128-SIV has 32 bytes")
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: Ticket = Ticket { number: 7, serial: 0x0102_0304 };

    #[test]
    fn a_ticket_is_opened_by_its_key_alone() {
        let key = TicketKey::new([1; 32]);
        let letters = key.seal(TICKET);
        assert_eq!(key.open(&letters), Some(TICKET));
        assert_eq!(TicketKey::new([2; 32]).open(&letters), None);
    }

    #[test]
    fn a_ticket_with_any_bit_changed_is_none() {
        let key = TicketKey::new([1; 32]);
        let letters = key.seal(TICKET);
        for bit in 0..LETTERS * 8 {
            let mut changed = letters;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&changed), None, "bit {bit}");
        }
    }

    #[test]
    fn a_ticket_of_another_length_is_none() {
        let key = TicketKey::new([1; 32]);
        let letters = key.seal(TICKET);
        for len in 0..LETTERS {
            assert_eq!(key.open(&letters[..len]), None, "{len} letters");
        }
        assert_eq!(key.open(&[&letters[..], b"A"].concat()), None);
        assert_eq!(key.open(&[b'A'; 4096]), None);
    }

    #[test]
    fn nothing_of_a_ticket_is_told_by_another() {
        let key = TicketKey::new([1; 32]);
        let (one, next) = (key.seal(TICKET), key.seal(Ticket { serial: TICKET.serial + 1, ..TICKET }));
        let same = one.iter().zip(next).filter(|(a, b)| **a == *b).count();
        assert!(same < 8, "{same} of 32 letters are the same");
    }
}
