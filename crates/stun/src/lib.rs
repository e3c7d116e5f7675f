//! Bytes to STUN messages and ChannelData and back; borrows, never copies.
