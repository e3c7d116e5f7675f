//! One WebSocket from its opening to its end: frames, limits, pings, deadlines. What the frames mean is the dialect's.

mod guarded;
mod heads;
mod pump;
mod websocket;

pub(crate) use guarded::Guarded;
pub(crate) use pump::{Allowance, Pump};
pub(crate) use websocket::{Attempt, WebSocket, Written};
