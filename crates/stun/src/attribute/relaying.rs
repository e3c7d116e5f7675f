//! What moves through an allocation: CHANNEL-NUMBER, DATA, ICMP, CONNECTION-ID (RFC 8656 §18, RFC 6062 §6.2).

use core::ops::Range;

use super::AttributeType;
use crate::{AttributeError, Builder, Message};

impl<'a> Message<'a> {
    /// CHANNEL-NUMBER as it came; the range is the caller's to judge, as a wrong one is 400 (RFC 8656 §12.2).
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn channel_number(&self) -> Result<Option<u16>, AttributeError> {
        let value = self.find(AttributeType::CHANNEL_NUMBER).map(|a| a.fixed::<4>()).transpose()?;
        Ok(value.map(|v| u16::from_be_bytes([v[0], v[1]])))
    }

    /// DATA: the payload of a Send or Data indication.
    #[must_use]
    pub fn data(&self) -> Option<&'a [u8]> {
        self.attribute(AttributeType::DATA)
    }

    /// Where [`Self::data`] lies in the message, so that a relay can send it without touching it.
    #[must_use]
    pub fn data_range(&self) -> Option<Range<usize>> {
        let data = self.find(AttributeType::DATA)?;
        let start = data.offset + 4;
        Some(start..start + data.value.len())
    }

    /// ICMP: type, code and error data (RFC 8656 §18.13); the 16 reserved bits are ignored.
    ///
    /// # Errors
    /// The value is not eight bytes.
    pub fn icmp(&self) -> Result<Option<(u8, u16, u32)>, AttributeError> {
        let value = self.find(AttributeType::ICMP).map(|a| a.fixed::<8>()).transpose()?;
        Ok(value
            .map(|&[_, _, high, low, d @ ..]| (high >> 1, u16::from_be_bytes([high & 1, low]), u32::from_be_bytes(d))))
    }

    /// CONNECTION-ID (RFC 6062 §6.2.1).
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn connection_id(&self) -> Result<Option<u32>, AttributeError> {
        self.number(AttributeType::CONNECTION_ID)
    }
}

impl Builder<'_> {
    /// ICMP (RFC 8656 §18.13).
    ///
    /// ```text
    /// 0                               16            23                32
    /// +-------------------------------+-------------+-----------------+
    /// |           reserved            |  ICMP type  |    ICMP code    |
    /// +-------------------------------+-------------+-----------------+
    /// |                          error data                           |
    /// +---------------------------------------------------------------+
    /// ```
    /// The type has seven bits; every type of an ICMP or ICMPv6 error fits.
    pub fn icmp(&mut self, kind: u8, code: u8, data: u32) -> &mut Self {
        let [a, b, c, d] = data.to_be_bytes();
        self.attribute(AttributeType::ICMP, &[0, 0, kind << 1, code, a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use crate::{Builder, Class, Message, MessageType, Method, TransactionId};

    #[test]
    fn an_icmp_attribute_has_sixteen_reserved_bits_seven_of_type_nine_of_code_and_the_error_data() {
        let mut buffer = [0; 40];
        let kind = MessageType::new(Method::DATA, Class::Indication);
        let len = Builder::new(&mut buffer, kind, TransactionId([1; 12])).icmp(3, 4, 1400).finish().unwrap();
        assert_eq!(buffer[20..len], [0x80, 0x04, 0, 8, 0, 0, 0b0000_0110, 4, 0, 0, 0x05, 0x78]);
        let message = Message::parse(&buffer[..len]).unwrap();
        assert_eq!(message.icmp().unwrap(), Some((3, 4, 1400)));
        let mut reserved = buffer;
        reserved[24..27].copy_from_slice(&[0xff, 0xff, 0x07]);
        assert_eq!(Message::parse(&reserved[..len]).unwrap().icmp().unwrap(), Some((3, 0x104, 1400)));
    }

    #[test]
    fn an_icmp_attribute_of_another_length_is_an_error() {
        let mut buffer = [0; 40];
        let kind = MessageType::new(Method::DATA, Class::Indication);
        let len = Builder::new(&mut buffer, kind, TransactionId([1; 12]))
            .attribute(crate::AttributeType::ICMP, &[0; 4])
            .finish()
            .unwrap();
        assert!(Message::parse(&buffer[..len]).unwrap().icmp().is_err());
    }
}
