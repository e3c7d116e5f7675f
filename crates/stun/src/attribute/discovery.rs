//! NAT behaviour discovery: CHANGE-REQUEST and RESPONSE-PORT (RFC 5780 §7).

use super::AttributeType;
use crate::{AttributeError, Message};

impl Message<'_> {
    /// CHANGE-REQUEST: (change IP, change port) (RFC 5780 §7.2).
    ///
    /// # Errors
    /// The value is not four bytes.
    pub fn change_request(&self) -> Result<Option<(bool, bool)>, AttributeError> {
        Ok(self.number(AttributeType::CHANGE_REQUEST)?.map(|bits| (bits & 0x4 != 0, bits & 0x2 != 0)))
    }

    /// RESPONSE-PORT (RFC 5780 §7.5).
    ///
    /// # Errors
    /// The value is not four bytes (two of them reserved).
    pub fn response_port(&self) -> Result<Option<u16>, AttributeError> {
        let value = self.find(AttributeType::RESPONSE_PORT).map(|a| a.fixed::<4>()).transpose()?;
        Ok(value.map(|v| u16::from_be_bytes([v[0], v[1]])))
    }
}
