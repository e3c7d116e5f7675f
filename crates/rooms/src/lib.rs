//! The rules of a room, pure: values and time in, decisions out.
//!
//! 1. A [`Room`] is a value: clonable, comparable in time only by the [`Timestamp`]s it is given, without handles.
//! 2. A *member* holds a seat; a *socket* is where its messages go. The two begin and end apart.
//! 3. Occupancy counts members, never sockets, and never exceeds [`Policy::capacity`].
//! 4. The first member is the initiator; when it goes, the longest-standing member becomes it: there is exactly one.
//! 5. What a lone member sends waits for the next joiner; what is sent to a member without a socket waits for the socket.
//! 6. A lost socket keeps its seat for [`Policy::resume`]; an id that never connects loses its seat sooner or later.
//! 7. However a member goes, those it leaves behind hear exactly one `bye`.
//! 8. After `leave` the goodbye may still follow on the socket: it is relayed once, within [`Policy::linger`].
//! 9. Every queue is bounded in messages and bytes.
//! 10. A change returns an [`Outcome`]: the answer, and the [`Effects`] that the shell carries out.
//!
//! Every other dialect speaks through three nouns: an [`Identity`] (a name in a [`Tenant`], whose it is, what waits for
//! it), its mailbox, and the [`Topic`]s it is in. What is said in a topic goes to its members' identities; an identity
//! alone knows the socket, and numbers what it is given.
//!
//! Our own protocol has a [`Meeting`]: members, mailboxes and door in one value, so that a resume finds every event that
//! the client has not acknowledged ([`meeting`]).
//!
//! All are kept by a [`RoomStore`] (one atomic update of one value; the update may run twice) and heard through a
//! [`Bus`] (a message for a socket on another node). [`contract`] holds what every store and bus must pass.
//!
//! # Decisions
//!
//! Where AppRTC and Collider contradict each other or harm their users, and what a room does instead: see the crate's
//! `README.md`, section "Decisions".
#![forbid(unsafe_code)]

mod address;
mod bus;
pub mod contract;
mod digest;
mod id;
mod identity;
mod limits;
mod mailbox;
pub mod meeting;
mod member;
mod message;
mod outcome;
mod policy;
mod queue;
mod refusal;
mod room;
mod room_event;
mod store;
mod time;
mod topic;
mod trail;

pub use address::{Address, Tenant, TopicId};
pub use bus::{Bus, BusError, MemoryBus, Parcel, Receiver};
pub use digest::Digest;
pub use id::{ClientId, ConnectionId, IdError, Label, NodeId, RoomId, Socket};
pub use identity::{Attach, Attached, Dispatch, Identity, Incarnation, Placed, Put, Taken};
pub use limits::Limits;
pub use mailbox::{Keep, Letter, Returned};
pub use meeting::Meeting;
pub use member::{Member, Occupancy, Role, Seat};
pub use message::{Body, Message};
pub use outcome::{Close, Closing, Delivery, Departure, Effects, Ended, Joined, Outcome, Registered, Sent};
pub use policy::Policy;
pub use queue::{Bounds, Queue};
pub use refusal::Refusal;
pub use room::{Joining, Room};
pub use room_event::{Roll, RoomEvent};
pub use store::{Capacity, Census, Due, Kept, Look, MemoryStore, Pending, RoomStore, StoreError, Tally, Update};
pub use time::Timestamp;
pub use topic::{Attendee, Audience, Copies, Entrance, Entry, Knock, Making, Recipient, Seated, Terms, Topic};
