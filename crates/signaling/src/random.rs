//! Names from the operating system's randomness.

use std::fmt::Write;

use posthouse_rooms::{ClientId, Label, NodeId};

/// A client id: 32 decimal digits, 106 bits. Digits, for clients in the wild expect them (AppRTC made 8).
pub(crate) fn client_id() -> ClientId {
    let mut digits = String::with_capacity(32);
    while digits.len() < 32 {
        // 250 is the largest multiple of ten below 256: what lies above would favour small digits.
        let fair = bytes::<16>().into_iter().filter(|byte| *byte < 250);
        digits.extend(fair.take(32 - digits.len()).map(|byte| char::from(b'0' + byte % 10)));
    }
    ClientId::parse(&digits).expect("32 digits are an id")
}

/// A label: 20 hexadecimal digits.
pub(crate) fn label() -> Label {
    let hex = bytes::<10>().iter().fold(String::with_capacity(20), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    Label(hex.into())
}

/// A secret: 32 hexadecimal digits, 128 bits.
pub(crate) fn secret() -> String {
    bytes::<16>().iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A UUID of version 4 (RFC 9562 §5.4).
pub(crate) fn uuid() -> String {
    let mut bytes: [u8; 16] = bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Any number: where in a crowd to begin.
pub(crate) fn number() -> u64 {
    u64::from_le_bytes(bytes())
}

pub(crate) fn node_id() -> NodeId {
    NodeId(number())
}

/// Without randomness there are no secrets: a system that has none is not one to serve from.
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
