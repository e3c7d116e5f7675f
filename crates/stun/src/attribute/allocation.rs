//! What an Allocate or Refresh asks for (RFC 8656 §18, RFC 8016 §4.1).

use super::{AttributeType, Family};
use crate::{AttributeError, Message};

/// EVEN-PORT: an even relayed port, and perhaps the next higher one kept (RFC 8656 §18.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvenPort {
    /// The R bit: reserve the next higher port too.
    pub reserve: bool,
}

impl Message<'_> {
    /// LIFETIME in seconds (RFC 8656 §18.2).
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn lifetime(&self) -> Result<Option<u32>, AttributeError> {
        self.number(AttributeType::LIFETIME)
    }

    /// REQUESTED-TRANSPORT: a protocol number of IP, 17 for UDP (RFC 8656 §18.8). The three bytes behind it are
    /// reserved and ignored.
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn requested_transport(&self) -> Result<Option<u8>, AttributeError> {
        let value = self.find(AttributeType::REQUESTED_TRANSPORT).map(|a| a.fixed::<4>()).transpose()?;
        Ok(value.map(|v| v[0]))
    }

    /// REQUESTED-ADDRESS-FAMILY (RFC 8656 §18.6); the inner error is a family byte we do not know.
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn requested_address_family(&self) -> Result<Option<Result<Family, u8>>, AttributeError> {
        self.family(AttributeType::REQUESTED_ADDRESS_FAMILY)
    }

    /// ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.11), by its number or, where that is absent, the number it had in drafts:
    /// coturn's clients sent that one for years. The inner error is a family byte we do not know.
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn additional_address_family(&self) -> Result<Option<Result<Family, u8>>, AttributeError> {
        match self.family(AttributeType::ADDITIONAL_ADDRESS_FAMILY)? {
            None => self.family(AttributeType::DRAFT_ADDITIONAL_ADDRESS_FAMILY),
            family => Ok(family),
        }
    }

    /// EVEN-PORT (RFC 8656 §18.7).
    ///
    /// # Errors
    /// The value is not one byte.
    pub fn even_port(&self) -> Result<Option<EvenPort>, AttributeError> {
        let value = self.find(AttributeType::EVEN_PORT).map(|a| a.fixed::<1>()).transpose()?;
        Ok(value.map(|v| EvenPort { reserve: v[0] & 0x80 != 0 }))
    }

    /// RESERVATION-TOKEN, eight bytes (RFC 8656 §18.10).
    ///
    /// # Errors
    /// The value is not eight bytes.
    pub fn reservation_token(&self) -> Result<Option<[u8; 8]>, AttributeError> {
        Ok(self.find(AttributeType::RESERVATION_TOKEN).map(|a| a.fixed::<8>()).transpose()?.copied())
    }

    /// DONT-FRAGMENT is present (RFC 8656 §18.9).
    ///
    /// # Errors
    /// It has a value, which it must not.
    pub fn dont_fragment(&self) -> Result<bool, AttributeError> {
        Ok(self.find(AttributeType::DONT_FRAGMENT).map(|a| a.fixed::<0>()).transpose()?.is_some())
    }

    /// MOBILITY-TICKET; empty when a client asks for one (RFC 8016 §3.1).
    #[must_use]
    pub fn mobility_ticket(&self) -> Option<&[u8]> {
        self.attribute(AttributeType::MOBILITY_TICKET)
    }

    /// A 32-bit number.
    pub(crate) fn number(&self, kind: AttributeType) -> Result<Option<u32>, AttributeError> {
        let value = self.find(kind).map(|a| a.fixed::<4>()).transpose()?;
        Ok(value.map(|v| u32::from_be_bytes(*v)))
    }

    fn family(&self, kind: AttributeType) -> Result<Option<Result<Family, u8>>, AttributeError> {
        let value = self.find(kind).map(|a| a.fixed::<4>()).transpose()?;
        Ok(value.map(|v| Family::from_byte(v[0]).ok_or(v[0])))
    }
}
