//! Send indications (RFC 8656 §11.2). Nothing about them is ever answered.

use posthouse_stun::Message;

use super::is_known;
use crate::relaying::Send;
use crate::{FiveTuple, Forward, Now, Server};

impl Server {
    /// Any doubt drops the indication: an attribute that must be understood (RFC 8489 §6.3.2), a missing or
    /// malformed XOR-PEER-ADDRESS or DATA.
    pub(super) fn send(&mut self, now: Now, from: &FiveTuple, message: &Message<'_>) -> Option<Forward> {
        let understood = message.unknown_attributes(is_known).next().is_none();
        match Send::read(message).filter(|_| understood) {
            Some(send) => self.send_to_peer(now, from, message.as_bytes(), send),
            None => {
                self.stats.drops.indication += 1;
                None
            }
        }
    }
}
