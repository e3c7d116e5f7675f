//! ERROR-CODE: the numbers and their phrases (RFC 8489 §14.8, RFC 8656 §19, RFC 6062 §6.3, RFC 8016 §4.2).

use crate::{AttributeError, AttributeType, Message};

/// A three-digit code, 300 to 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub u16);

macro_rules! error_codes {
    ($($name:ident = $value:literal, $reason:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($reason, ".")] pub const $name: Self = Self($value);)*

            /// The RFC's phrase for a code we know, empty otherwise.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self.0 { $($value => $reason,)* _ => "" }
            }
        }
    };
}

error_codes! {
    TRY_ALTERNATE = 300, "Try Alternate";
    BAD_REQUEST = 400, "Bad Request";
    UNAUTHENTICATED = 401, "Unauthenticated";
    FORBIDDEN = 403, "Forbidden";
    MOBILITY_FORBIDDEN = 405, "Mobility Forbidden";
    UNKNOWN_ATTRIBUTE = 420, "Unknown Attribute";
    ALLOCATION_MISMATCH = 437, "Allocation Mismatch";
    STALE_NONCE = 438, "Stale Nonce";
    ADDRESS_FAMILY_NOT_SUPPORTED = 440, "Address Family not Supported";
    WRONG_CREDENTIALS = 441, "Wrong Credentials";
    UNSUPPORTED_TRANSPORT_PROTOCOL = 442, "Unsupported Transport Protocol";
    PEER_ADDRESS_FAMILY_MISMATCH = 443, "Peer Address Family Mismatch";
    CONNECTION_ALREADY_EXISTS = 446, "Connection Already Exists";
    CONNECTION_TIMEOUT_OR_FAILURE = 447, "Connection Timeout or Failure";
    ALLOCATION_QUOTA_REACHED = 486, "Allocation Quota Reached";
    SERVER_ERROR = 500, "Server Error";
    INSUFFICIENT_CAPACITY = 508, "Insufficient Capacity";
}

impl ErrorCode {
    /// The four bytes before the phrase: `0 0 class number`.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        [0, 0, (self.0 / 100) as u8, (self.0 % 100) as u8]
    }
}

impl<'a> Message<'a> {
    /// ERROR-CODE and its phrase.
    ///
    /// # Errors
    /// Fewer than four bytes, a class outside 3 to 6 or a number above 99.
    pub fn error_code(&self) -> Result<Option<(ErrorCode, &'a [u8])>, AttributeError> {
        let kind = AttributeType::ERROR_CODE;
        let Some(value) = self.attribute(kind) else { return Ok(None) };
        let Some((&[_, _, class, number], reason)) = value.split_first_chunk() else {
            return Err(AttributeError::Length { kind, expected: 4, actual: value.len() });
        };
        let class = class & 0x07;
        if !(3..=6).contains(&class) || number > 99 {
            return Err(AttributeError::Value { kind });
        }
        Ok(Some((ErrorCode(u16::from(class) * 100 + u16::from(number)), reason)))
    }
}
