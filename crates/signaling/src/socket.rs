//! One WebSocket from its opening to its end: frames, limits, pings, deadlines. What the frames mean is the dialect's.

mod pump;

use std::future::Future;

use posthouse_rooms::{Body, Message};
pub(crate) use pump::{Allowance, Pump};
use tokio_tungstenite::tungstenite::protocol::{WebSocketConfig, frame::coding::CloseCode};

/// A protocol spoken on a WebSocket: one file each.
pub(crate) trait Dialect: Send + 'static {
    /// A frame from the client.
    fn handle(&mut self, text: &str) -> impl Future<Output = Step> + Send;

    /// What is said to the client, as a frame.
    fn frame(&self, body: &Body) -> String;

    /// What the client is told before it is closed for sending too fast.
    fn flooded(&self) -> String;

    /// Has the client said who it is?
    fn is_registered(&self) -> bool;

    /// The socket is gone; `unwritten` never reached the client.
    fn gone(&mut self, unwritten: Vec<Message>) -> impl Future<Output = ()> + Send;
}

/// What follows a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Continue,
    Say(String),
    Close { say: Option<String>, code: CloseCode },
}

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
