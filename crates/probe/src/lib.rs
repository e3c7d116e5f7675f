//! A WebRTC client's view of a STUN/TURN server: gather, allocate, relay real bytes, say why not.
//!
//! It knows nothing of Posthouse's own codec and rules. It stands on the `stun`, `turn` and `webrtc-util` crates, an
//! implementation by other people, so that a misreading of an RFC on our side shows as a failure here and not in
//! somebody's call.
//!
//! | door | answers |
//! |---|---|
//! | [`binding`] | does the server answer at all, and which address does it see? |
//! | [`allocate`] | does it accept these credentials and give a relayed transport address? |
//! | [`echo`](fn@echo) | do bytes really pass through it, both ways, whole? |
//!
//! Every [`Failure`] is one sentence for an operator: what happened, and what to do about it.
//!
//! ```no_run
//! # async fn example() -> Result<(), posthouse_probe::Failure> {
//! use posthouse_probe::{Plan, Target, echo};
//!
//! let target = Target::new("203.0.113.10:3478".parse().unwrap(), "1700000000:alice", "password");
//! let report = echo(&target, &Plan::default()).await?;
//! assert!(report.is_whole(), "{report}");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod allocation;
mod binding;
pub mod echo;
mod failure;
mod raw;
mod target;

pub use allocation::{Allocation, Ask, Received, Way, allocate};
pub use binding::{Mapped, binding};
pub use echo::{Leg, Passage, Plan, Report, echo};
pub use failure::Failure;
pub use target::{Family, Target};
