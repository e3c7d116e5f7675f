//! ChannelData in datagrams, and the cutting of a stream into frames: never a panic, always in step.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_stun::stream::{Frame, next_frame};
use posthouse_stun::{ChannelData, Kind, Message, kind};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(data) = ChannelData::parse(bytes) {
        assert_eq!(kind(bytes[0]), Some(Kind::ChannelData));
        assert!(bytes.get(data.payload()).is_some());
        let header = ChannelData::header(data.number, data.len).expect("it came from a 16-bit length");
        assert_eq!(header, bytes[..4]);
    }
    walk(bytes);
});

/// A frame that is complete stays the same frame however many bytes follow, and each step makes progress.
fn walk(mut rest: &[u8]) {
    loop {
        match next_frame(rest) {
            Frame::Complete { kind, len, advance } => {
                assert!(len > 0 && len <= advance && advance <= rest.len() && advance - len < 4);
                assert_eq!(next_frame(&rest[..advance]), Frame::Complete { kind, len, advance });
                match kind {
                    Kind::ChannelData => drop(ChannelData::parse(&rest[..len]).map(|d| assert_eq!(d.len + 4, len))),
                    Kind::Stun => drop(Message::parse(&rest[..len])),
                }
                rest = &rest[advance..];
            }
            Frame::Incomplete { needed } => {
                assert!(needed > rest.len(), "asks for what it has");
                return;
            }
            Frame::Broken => return,
        }
    }
}
