//! FINGERPRINT: a CRC-32 that tells STUN from other traffic (RFC 8489 §14.7).

use crate::{AttributeType, Message};

/// "STUN" in ASCII, XORed into the CRC so that it differs from another protocol's CRC.
const XOR: u32 = 0x5354_554e;

/// What a message's FINGERPRINT says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingerprint {
    /// There is none, which is legal.
    Absent,
    /// It is the last attribute and its CRC holds.
    Valid,
    /// It is wrong or not the last attribute: the bytes are not STUN, drop them.
    Invalid,
}

impl Message<'_> {
    /// Looks for FINGERPRINT and checks it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Some(attribute) = self.find(AttributeType::FINGERPRINT) else { return Fingerprint::Absent };
        let is_last = attribute.end() == self.as_bytes().len();
        // As the last attribute of a message whose length field was checked, the CRC covers that length as it is.
        let expected = crc(&self.as_bytes()[..attribute.offset]);
        if is_last && attribute.value == expected.to_be_bytes() { Fingerprint::Valid } else { Fingerprint::Invalid }
    }
}

/// The value over everything before the attribute, the header's length field already counting it.
pub(crate) fn crc(before: &[u8]) -> u32 {
    crc32fast::hash(before) ^ XOR
}
