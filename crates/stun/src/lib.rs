//! Bytes to STUN messages and ChannelData and back; borrows, never copies.
//!
//! Speaks RFC 8489 (STUN), RFC 8656 (TURN), the attributes of RFC 6062, RFC 5780 and RFC 8016, and the
//! ChannelData framing of RFC 8656 §12.4, over datagrams and over streams.
//!
//! Two ideas carry the crate:
//!
//! * a [`Message`] is a *checked view* of the caller's bytes. [`Message::parse`] walks the attributes once and
//!   proves that every length stays inside; the getters then read without being able to fail on a length;
//! * a [`Builder`] writes into the *caller's* buffer, so that an answer costs no heap.
//!
//! What RFC 8489 says must be ignored is not visible through the view: attributes behind MESSAGE-INTEGRITY
//! (but MESSAGE-INTEGRITY-SHA256 and FINGERPRINT) do not exist for a caller of [`Message::attribute`].
//!
//! ```
//! use posthouse_stun::{Builder, Class, Message, MessageType, Method, TransactionId};
//!
//! let mut buffer = [0; 64];
//! let id = TransactionId([7; 12]);
//! let written = Builder::new(&mut buffer, MessageType::new(Method::BINDING, Class::Request), id)
//!     .fingerprint()
//!     .finish()
//!     .unwrap();
//! let message = Message::parse(&buffer[..written]).unwrap();
//! assert_eq!(message.method(), Method::BINDING);
//! assert_eq!(message.transaction_id(), id);
//! ```
#![forbid(unsafe_code)]

pub mod attribute;
mod builder;
mod channel_data;
mod demux;
mod error;
mod error_code;
mod fingerprint;
mod integrity;
mod key;
mod message;
mod method;
pub mod stream;

pub use attribute::{AttributeType, RawAttribute};
pub use builder::Builder;
pub use channel_data::{ChannelData, ChannelNumber};
pub use demux::{Kind, kind};
pub use error::{AttributeError, ParseError, WriteError};
pub use error_code::ErrorCode;
pub use fingerprint::Fingerprint;
pub use integrity::Integrity;
pub use key::{Key, PasswordAlgorithm, userhash};
pub use message::{HEADER_LEN, MAGIC_COOKIE, Message, TransactionId};
pub use method::{Class, MessageType, Method};
