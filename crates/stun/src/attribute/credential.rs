//! Who asks: USERNAME, USERHASH, REALM, NONCE, PASSWORD-ALGORITHM(S) (RFC 8489 §14).
//!
//! ```text
//! PASSWORD-ALGORITHM          0x0001 MD5 · 0x0002 SHA-256, neither with parameters today
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          algorithm            |  length of the parameters     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::AttributeType;
use crate::{AttributeError, Message, PasswordAlgorithm};

/// The longest USERNAME (RFC 8489 §14.3: fewer than 509 bytes).
const USERNAME_MAX: usize = 508;
/// The longest REALM and NONCE (RFC 8489 §14.9, §14.10: at most 763 bytes).
const QUOTED_MAX: usize = 763;

impl<'a> Message<'a> {
    /// USERNAME as bytes; it should be UTF-8 but is compared as it came.
    ///
    /// # Errors
    /// Longer than 508 bytes.
    pub fn username(&self) -> Result<Option<&'a [u8]>, AttributeError> {
        self.text(AttributeType::USERNAME, USERNAME_MAX)
    }

    /// USERHASH: SHA-256 of `username:realm` (RFC 8489 §14.4).
    ///
    /// # Errors
    /// The value is not 32 bytes.
    pub fn userhash(&self) -> Result<Option<&'a [u8; 32]>, AttributeError> {
        self.find(AttributeType::USERHASH).map(|a| a.fixed::<32>()).transpose()
    }

    /// REALM.
    ///
    /// # Errors
    /// Longer than 763 bytes.
    pub fn realm(&self) -> Result<Option<&'a [u8]>, AttributeError> {
        self.text(AttributeType::REALM, QUOTED_MAX)
    }

    /// NONCE.
    ///
    /// # Errors
    /// Longer than 763 bytes.
    pub fn nonce(&self) -> Result<Option<&'a [u8]>, AttributeError> {
        self.text(AttributeType::NONCE, QUOTED_MAX)
    }

    /// PASSWORD-ALGORITHM: the one the client chose; the inner error is a number we do not know.
    ///
    /// # Errors
    /// The parameters run past the value, or an algorithm without parameters has some.
    pub fn password_algorithm(&self) -> Result<Option<Result<PasswordAlgorithm, u16>>, AttributeError> {
        let kind = AttributeType::PASSWORD_ALGORITHM;
        let Some(value) = self.attribute(kind) else { return Ok(None) };
        let (algorithm, rest) = PasswordAlgorithm::split_first(value).ok_or(AttributeError::Value { kind })?;
        if rest.is_empty() { Ok(Some(algorithm)) } else { Err(AttributeError::Value { kind }) }
    }

    /// PASSWORD-ALGORITHMS as it came, for the comparison with what the server had offered (RFC 8489 §9.2.4).
    #[must_use]
    pub fn password_algorithms(&self) -> Option<&'a [u8]> {
        self.attribute(AttributeType::PASSWORD_ALGORITHMS)
    }

    fn text(&self, kind: AttributeType, max: usize) -> Result<Option<&'a [u8]>, AttributeError> {
        match self.attribute(kind) {
            Some(value) if value.len() > max => {
                Err(AttributeError::Length { kind, expected: max, actual: value.len() })
            }
            other => Ok(other),
        }
    }
}
