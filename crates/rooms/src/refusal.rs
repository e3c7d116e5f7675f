//! Every way a room says no.

/// A rule said no. The words are the operator's; each dialect has its own (AppRTC: `FULL`, `UNKNOWN_CLIENT` ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// All seats are taken.
    #[error("the room is full")]
    Full,
    /// This id already holds a seat here.
    #[error("this client id already joined")]
    DuplicateClient,
    /// This id already has a live socket, and ids are chosen by clients.
    #[error("this client id already has a socket")]
    DuplicateRegistration,
    /// Nobody is in a room of this name.
    #[error("no such room")]
    UnknownRoom,
    /// The room does not know this id.
    #[error("no such client in this room")]
    UnknownClient,
    /// Longer than [`Policy::max_message`](crate::Policy::max_message).
    #[error("the message is too long")]
    MessageTooLarge,
    /// Somebody who should get the message has too much waiting already.
    #[error("too many messages wait for the client")]
    QueueFull,
    /// Somebody else has this name.
    #[error("the id is taken")]
    IdTaken,
    /// One more topic would be more than [`Limits::topics`](crate::Limits::topics).
    #[error("the client is in as many topics as it may")]
    TooManyTopics,
    /// The topic admits nobody who does not knock.
    #[error("the room is locked")]
    Locked,
    /// The topic has a passphrase, and this is not it.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Only the topic's owner may.
    #[error("only the owner of the room may do this")]
    NotOwner,
    /// The topic is there already, and somebody else's.
    #[error("the room exists already")]
    Exists,
    /// Nobody holds a seat with this token (any more), or what it has missed is no longer known.
    #[error("the seat is not kept any more")]
    ResumeExpired,
    /// The request was done long ago, and its answer is no longer known.
    #[error("the request is too old to be answered again")]
    Forgotten,
}
