//! [`Builder`] writes a message into the caller's buffer.

use core::net::SocketAddr;

use crate::attribute::{AttributeType, MappedAddress};
use crate::integrity::{Covered, mac_sha1, mac_sha256};
use crate::{ErrorCode, HEADER_LEN, Integrity, MAGIC_COOKIE, MessageType, TransactionId, WriteError, fingerprint};

/// Writes header and attributes in the order of the calls; padding is zero (it would leak old bytes otherwise).
///
/// Running out of room is remembered, not panicked about: [`Builder::finish`] reports it.
#[derive(Debug)]
pub struct Builder<'b> {
    buffer: &'b mut [u8],
    len: usize,
    id: TransactionId,
}

impl<'b> Builder<'b> {
    /// Starts a message with the magic cookie.
    pub fn new(buffer: &'b mut [u8], message_type: MessageType, id: TransactionId) -> Self {
        Self::with_cookie(buffer, message_type, MAGIC_COOKIE, id)
    }

    /// Starts a message for an RFC 3489 client, whose four bytes in the cookie's place are echoed.
    pub fn with_cookie(buffer: &'b mut [u8], message_type: MessageType, cookie: u32, id: TransactionId) -> Self {
        let mut this = Self { buffer, len: 0, id };
        this.put(&message_type.to_bits().to_be_bytes());
        this.put(&[0, 0]);
        this.put(&cookie.to_be_bytes());
        this.put(&id.0);
        this
    }

    /// Any attribute, padded with zeros to four bytes.
    pub fn attribute(&mut self, kind: AttributeType, value: &[u8]) -> &mut Self {
        self.head(kind, value.len());
        self.put(value);
        self.pad();
        self.close()
    }

    /// An address in its XOR form.
    pub fn xor_address(&mut self, kind: AttributeType, address: SocketAddr) -> &mut Self {
        let value = MappedAddress::xored(address, self.id);
        self.attribute(kind, value.as_bytes())
    }

    /// An address in its plain form.
    pub fn plain_address(&mut self, kind: AttributeType, address: SocketAddr) -> &mut Self {
        self.attribute(kind, MappedAddress::plain(address).as_bytes())
    }

    /// A 32-bit number, such as LIFETIME.
    pub fn number(&mut self, kind: AttributeType, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// ERROR-CODE with a phrase (which may be empty).
    pub fn error_code(&mut self, code: ErrorCode, reason: &str) -> &mut Self {
        self.head(AttributeType::ERROR_CODE, 4 + reason.len());
        self.put(&code.to_bytes());
        self.put(reason.as_bytes());
        self.pad();
        self.close()
    }

    /// UNKNOWN-ATTRIBUTES: the list of a 420 answer.
    pub fn unknown_attributes(&mut self, kinds: &[AttributeType]) -> &mut Self {
        self.head(AttributeType::UNKNOWN_ATTRIBUTES, 2 * kinds.len());
        for kind in kinds {
            self.put(&kind.0.to_be_bytes());
        }
        self.pad();
        self.close()
    }

    /// The type and length of DATA without its value: the caller's payload follows where it already lies.
    ///
    /// Call [`Builder::finish_before_data`] next.
    pub fn data_header(&mut self, payload_len: usize) -> &mut Self {
        self.head(AttributeType::DATA, payload_len);
        self
    }

    /// MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 (in full) over everything before it.
    pub fn integrity(&mut self, integrity: Integrity, key: &[u8]) -> &mut Self {
        if self.overflown() {
            return self;
        }
        let covered = Covered { bytes: &self.buffer[..self.len], end: self.len + 4 + integrity.mac_len() };
        match integrity {
            Integrity::Sha1 => {
                let mac = mac_sha1(key, covered);
                self.attribute(AttributeType::MESSAGE_INTEGRITY, &mac)
            }
            Integrity::Sha256 => {
                let mac = mac_sha256(key, covered);
                self.attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &mac)
            }
        }
    }

    /// FINGERPRINT over everything before it; must be the last attribute.
    pub fn fingerprint(&mut self) -> &mut Self {
        // The CRC covers the length field as it will be sent, so that is written first.
        self.head(AttributeType::FINGERPRINT, 4);
        self.put(&[0; 4]);
        self.close();
        if !self.overflown() {
            let (before, value) = self.buffer[..self.len].split_at_mut(self.len - 8);
            value[4..].copy_from_slice(&fingerprint::crc(before).to_be_bytes());
        }
        self
    }

    /// The message's length in bytes.
    ///
    /// # Errors
    /// The buffer, or the 16-bit length field, was too small.
    pub fn finish(&mut self) -> Result<usize, WriteError> {
        if self.overflown() || self.len > HEADER_LEN + usize::from(u16::MAX) {
            return Err(WriteError { needed: self.len, capacity: self.buffer.len() });
        }
        Ok(self.len)
    }

    /// Ends a message whose last attribute is DATA, written up to its payload: the length field counts the payload
    /// and its padding, the returned length does not.
    ///
    /// # Errors
    /// The buffer, or the 16-bit length field, was too small.
    pub fn finish_before_data(&mut self, payload_len: usize) -> Result<usize, WriteError> {
        let total = self.len + payload_len.next_multiple_of(4) - HEADER_LEN;
        let (needed, capacity) = (self.len, self.buffer.len());
        let length = u16::try_from(total).map_err(|_| WriteError { needed: total, capacity })?;
        if self.overflown() {
            return Err(WriteError { needed, capacity });
        }
        self.buffer[2..4].copy_from_slice(&length.to_be_bytes());
        Ok(self.len)
    }

    fn overflown(&self) -> bool {
        self.len > self.buffer.len()
    }

    fn head(&mut self, kind: AttributeType, value_len: usize) {
        self.put(&kind.0.to_be_bytes());
        // A value beyond 65,535 bytes also exceeds the message's own length field, which `finish` reports.
        self.put(&(value_len as u16).to_be_bytes());
    }

    fn pad(&mut self) {
        let padding = self.len.next_multiple_of(4) - self.len;
        self.put(&[0; 3][..padding]);
    }

    fn close(&mut self) -> &mut Self {
        if !self.overflown() {
            let length = (self.len - HEADER_LEN) as u16;
            self.buffer[2..4].copy_from_slice(&length.to_be_bytes());
        }
        self
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        self.len = end;
    }
}
