//! What moves through an allocation: CHANNEL-NUMBER, DATA, CONNECTION-ID (RFC 8656 §18, RFC 6062 §6.2).

use core::ops::Range;

use super::AttributeType;
use crate::{AttributeError, Message};

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

    /// CONNECTION-ID (RFC 6062 §6.2.1).
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn connection_id(&self) -> Result<Option<u32>, AttributeError> {
        self.number(AttributeType::CONNECTION_ID)
    }
}
