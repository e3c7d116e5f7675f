//! What went wrong, and whose fault it was.

use hyper::StatusCode;
use posthouse_rooms::Refusal;
use serde::Serialize;

use crate::{access::TokenError, delivery::Trouble};

/// An error as clients read it, on the socket and over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) fault: &'static str,
    pub(super) message: &'static str,
    /// Milliseconds after which it is worth trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_in: Option<u64>,
    /// Whose mailbox it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Code {
    BadRequest,
    TooLarge,
    TooFast,
    TooSlow,
    NotJoined,
    Unauthorized,
    Forbidden,
    Denied,
    WrongPassphrase,
    RoomFull,
    RoomLocked,
    NoSuchRoom,
    NoSuchMember,
    RoomTaken,
    MailboxFull,
    ResumeExpired,
    Overloaded,
    Internal,
}

impl Code {
    /// `client`: what was asked for is wrong. `room`: it was right, and the room says no. `server`: neither.
    fn fault(self) -> &'static str {
        match self {
            Self::BadRequest
            | Self::TooLarge
            | Self::TooFast
            | Self::TooSlow
            | Self::NotJoined
            | Self::Unauthorized
            | Self::Forbidden
            | Self::Denied
            | Self::WrongPassphrase => "client",
            Self::RoomFull
            | Self::RoomLocked
            | Self::NoSuchRoom
            | Self::NoSuchMember
            | Self::RoomTaken
            | Self::MailboxFull
            | Self::ResumeExpired => "room",
            Self::Overloaded | Self::Internal => "server",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotJoined | Self::Forbidden | Self::Denied | Self::WrongPassphrase => StatusCode::FORBIDDEN,
            Self::NoSuchRoom | Self::NoSuchMember => StatusCode::NOT_FOUND,
            Self::RoomFull | Self::RoomLocked | Self::RoomTaken | Self::MailboxFull | Self::ResumeExpired => {
                StatusCode::CONFLICT
            }
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_in(self) -> Option<u64> {
        match self {
            Self::TooFast | Self::Overloaded | Self::Internal => Some(1_000),
            _ => None,
        }
    }
}

impl Fault {
    pub(super) fn new(code: Code, message: &'static str) -> Self {
        Self { code, fault: code.fault(), message, retry_in: code.retry_in(), member: None }
    }

    pub(super) fn bad(message: &'static str) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// The mailbox that was full was this member's.
    pub(super) fn of(self, member: Option<&str>) -> Self {
        let is_full = self.code == Code::MailboxFull;
        Self { member: member.filter(|_| is_full).map(str::to_owned), ..self }
    }

    /// The error with its type and the request's id, as a frame.
    pub(super) fn frame(&self, id: Option<u64>) -> String {
        #[derive(Serialize)]
        struct Frame<'a> {
            r#type: &'static str,
            id: Option<u64>,
            #[serde(flatten)]
            fault: &'a Fault,
        }
        crate::json::write(&Frame { r#type: "error", id, fault: self })
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        let Trouble::Refused(refusal) = trouble else {
            return Self::new(Code::Overloaded, "the server keeps as many rooms as it can; try again later");
        };
        match refusal {
            Refusal::Full => Self::new(Code::RoomFull, "all seats of the room are taken"),
            Refusal::Locked => Self::new(Code::RoomLocked, "the room is locked; its owner can unlock it"),
            Refusal::WrongPassphrase => {
                Self::new(Code::WrongPassphrase, "the room has a passphrase and this is not it")
            }
            Refusal::NotOwner => Self::new(Code::Forbidden, "only the owner of the room may do this"),
            Refusal::UnknownRoom => Self::new(Code::NoSuchRoom, "there is no room of this name"),
            Refusal::UnknownClient => Self::new(Code::NoSuchMember, "nobody of this name is in the room"),
            Refusal::Exists => Self::new(Code::RoomTaken, "there is a room of this name already"),
            Refusal::MessageTooLarge => Self::new(Code::TooLarge, "longer than it may be"),
            Refusal::QueueFull => Self::new(Code::MailboxFull, "the member reads too slowly and is lost"),
            Refusal::ResumeExpired => Self::new(Code::ResumeExpired, "the seat is not kept any more; join again"),
            Refusal::Forgotten => Self::bad("the id is that of a request whose answer is no longer known"),
            _ => Self::new(Code::Internal, "the server refused this for a reason of its own"),
        }
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unknown => Self::new(Code::Unauthorized, "the token is none that this server knows"),
            TokenError::Expired => Self::new(Code::Unauthorized, "the token is not good at this time"),
            TokenError::Foreign => Self::new(Code::Forbidden, "the token is for another room or another server"),
        }
    }
}
