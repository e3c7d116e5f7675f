//! `relay.engine`: how the kernel is asked to receive and to send.

use crate::value::Parsed;
use crate::value::word::{one_of, word_of};

/// How the relay asks the kernel to receive and to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// io_uring where the kernel allows it, otherwise as `mmsg`.
    #[default]
    Auto,
    /// One call for many datagrams of one socket.
    Mmsg,
    /// The same, and one call over many sockets.
    IoUring,
}

const WORDS: [(&str, Engine); 3] = [("auto", Engine::Auto), ("mmsg", Engine::Mmsg), ("io_uring", Engine::IoUring)];

impl Engine {
    /// The word of the file.
    pub fn as_str(self) -> &'static str {
        word_of(&WORDS, self)
    }
}

pub(super) fn read(text: &str) -> Parsed<Engine> {
    one_of(&WORDS, text)
}
