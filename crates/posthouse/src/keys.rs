//! [`Keys`]: what this process seals with, drawn at its start and the same for its whole life.

use posthouse_turn::{NonceKeys, TicketKey};

use crate::exit::Failure;
use crate::ground::random;

/// A reload leaves them alone, so that every nonce and every ticket stays good.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) nonces: NonceKeys,
    pub(crate) tickets: TicketKey,
}

impl Keys {
    /// From the operating system.
    pub(crate) fn draw() -> Result<Self, Failure> {
        let nonces = NonceKeys::new(random()?, None, posthouse_relay::now());
        Ok(Self { nonces, tickets: TicketKey::new(random()?) })
    }
}
