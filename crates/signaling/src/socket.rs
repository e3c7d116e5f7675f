//! One WebSocket from its opening to its end: frames, limits, pings, deadlines. What the frames mean is the dialect's.

mod guarded;
mod heads;
mod pump;

pub(crate) use guarded::Guarded;
pub(crate) use pump::{Allowance, Pump};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Sized for many idle sockets: 4 KiB to read into (the default is 128 KiB), nothing compressed. The write buffer holds
/// one message in its longest escaped form, never a queue: the queue is `Outgoing`.
pub(crate) fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(8 * 1024)
        .max_write_buffer_size(8 * max_message + 64 * 1024)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}
