//! What a packet carries, so that the far end can tell every way in which it may be wrong.
//!
//! ```text
//! +--------+--------+----------------+----------------+------- - - ------+--------+
//! | cell   | flow   | sequence       | sent, ns       | filler           | CRC-32 |
//! | 4      | 4      | 8              | 8              | to the length    | 4      |
//! +--------+--------+----------------+----------------+------- - - ------+--------+
//! ```

/// Bytes without filler: a shorter payload cannot be checked.
pub const LEN_MIN: usize = 28;

/// The longest.
pub const LEN_MAX: usize = 1400;

/// What a sound payload says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Which measurement: an old packet is a stray in the next one.
    pub cell: u32,
    /// Which flow.
    pub flow: u32,
    /// Counts up per flow.
    pub sequence: u64,
    /// When it was sent, in nanoseconds of the generator's clock.
    pub sent: u64,
}

impl Payload {
    /// Appends `len` bytes.
    ///
    /// # Panics
    /// `len` is outside [`LEN_MIN`]..=[`LEN_MAX`].
    pub fn write(&self, len: usize, bytes: &mut Vec<u8>) {
        assert!((LEN_MIN..=LEN_MAX).contains(&len), "a payload has {LEN_MIN} to {LEN_MAX} bytes, not {len}");
        let start = bytes.len();
        bytes.extend_from_slice(&self.cell.to_be_bytes());
        bytes.extend_from_slice(&self.flow.to_be_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.sent.to_be_bytes());
        // Neighbours differ in their filler, so that a mix-up of two buffers shows in the check tail.
        let shift = (self.flow as usize + self.sequence as usize) % SHIFTS;
        bytes.extend_from_slice(&FILLER[shift..shift + len - LEN_MIN]);
        let check = crc32fast::hash(&bytes[start..]);
        bytes.extend_from_slice(&check.to_be_bytes());
    }

    /// Reads a payload; `None` when its check tail or its length is wrong.
    #[must_use]
    pub fn read(bytes: &[u8], len: usize) -> Option<Self> {
        if bytes.len() != len {
            return None;
        }
        let (body, check) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_be_bytes(*check) {
            return None;
        }
        let (cell, rest) = body.split_first_chunk::<4>()?;
        let (flow, rest) = rest.split_first_chunk::<4>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let (sent, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            cell: u32::from_be_bytes(*cell),
            flow: u32::from_be_bytes(*flow),
            sequence: u64::from_be_bytes(*sequence),
            sent: u64::from_be_bytes(*sent),
        })
    }
}

const SHIFTS: usize = 251;
const FILLER: [u8; LEN_MAX + SHIFTS] = filler();

const fn filler() -> [u8; LEN_MAX + SHIFTS] {
    let mut bytes = [0; LEN_MAX + SHIFTS];
    let (mut i, mut state) = (0, 0x2545_f491u32);
    while i < bytes.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes[i] = (state >> 24) as u8;
        i += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: Payload = Payload { cell: 1, flow: 2, sequence: 3, sent: 4 };

    #[test]
    fn a_payload_survives_its_bytes() {
        for len in [LEN_MIN, 100, 1200, LEN_MAX] {
            let mut bytes = Vec::new();
            PAYLOAD.write(len, &mut bytes);
            assert_eq!((bytes.len(), Payload::read(&bytes, len)), (len, Some(PAYLOAD)));
        }
    }

    #[test]
    fn any_changed_bit_and_any_other_length_is_seen() {
        let mut bytes = Vec::new();
        PAYLOAD.write(100, &mut bytes);
        assert_eq!(Payload::read(&bytes[..99], 100), None);
        assert_eq!(Payload::read(&bytes[..99], 99), None);
        for bit in 0..800 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Payload::read(&bytes, 100), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
