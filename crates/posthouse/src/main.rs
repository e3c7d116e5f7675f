//! Rooms, signaling and relay for WebRTC in one binary with one TOML file.
fn main() {}
