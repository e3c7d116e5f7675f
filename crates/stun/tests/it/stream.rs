//! Frames on a stream: split anywhere, glued together, or not TURN at all.

use posthouse_stun::stream::{Frame, next_frame};
use posthouse_stun::{AttributeType, Builder, Class, Kind, MessageType, Method, TransactionId};

fn binding() -> Vec<u8> {
    let mut buffer = vec![0; 64];
    let len = Builder::new(&mut buffer, MessageType::new(Method::BINDING, Class::Request), TransactionId([1; 12]))
        .attribute(AttributeType::SOFTWARE, b"abcd")
        .finish()
        .unwrap();
    buffer.truncate(len);
    buffer
}

#[test]
fn a_frame_split_at_every_byte_asks_for_more_and_then_is_whole() {
    let channel_data = [0x40, 0x00, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
    let cases = [(binding(), Kind::Stun, 28), (channel_data.to_vec(), Kind::ChannelData, 9)];
    for (bytes, kind, len) in cases {
        for cut in 0..bytes.len() {
            let Frame::Incomplete { needed } = next_frame(&bytes[..cut]) else { panic!("cut at {cut}") };
            assert!(needed > cut && needed <= bytes.len(), "asks for {needed} with {cut} of {}", bytes.len());
        }
        assert_eq!(next_frame(&bytes), Frame::Complete { kind, len, advance: bytes.len() });
    }
}

#[test]
fn frames_glued_together_come_apart_one_by_one() {
    let mut bytes = binding();
    bytes.extend([0x41, 0x00, 0, 1, 9, 0, 0, 0]);
    bytes.extend(binding());
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let Frame::Complete { kind, advance, .. } = next_frame(rest) {
        kinds.push(kind);
        rest = &rest[advance..];
    }
    assert_eq!(kinds, [Kind::Stun, Kind::ChannelData, Kind::Stun]);
    assert!(rest.is_empty());
}

#[test]
fn the_largest_channel_data_keeps_the_stream_in_step() {
    let header = [0x40, 0x00, 0xff, 0xff];
    assert_eq!(next_frame(&header), Frame::Incomplete { needed: 65_540 });
    let mut whole = header.to_vec();
    whole.resize(65_540, 0);
    assert_eq!(next_frame(&whole), Frame::Complete { kind: Kind::ChannelData, len: 65_539, advance: 65_540 });
}

#[test]
fn reserved_methods_and_channel_numbers_are_cut_off_so_that_the_stream_stays_in_step() {
    let mut unknown = binding();
    unknown[0] = 0x3e;
    let len = unknown.len();
    assert_eq!(next_frame(&unknown), Frame::Complete { kind: Kind::Stun, len, advance: len });
    for first in [0x50, 0x6f, 0x7f] {
        let frame = [first, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
        assert_eq!(next_frame(&frame), Frame::Complete { kind: Kind::ChannelData, len: 9, advance: 12 });
    }
}

#[test]
fn bytes_of_another_protocol_break_the_stream_at_once() {
    // "GET" and "POST" read as channels, so telling HTTP apart is up to who shares the port.
    for hello in [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01][..], &[0xff][..], &[0x80, 0, 0, 0][..]] {
        assert_eq!(next_frame(hello), Frame::Broken);
    }
    let mut no_cookie = binding();
    no_cookie[5] ^= 1;
    assert_eq!(next_frame(&no_cookie), Frame::Broken);
    assert_eq!(next_frame(&no_cookie[..6]), Frame::Broken, "two bytes of a wrong cookie suffice");
    assert_eq!(next_frame(&[0, 1, 0, 3]), Frame::Broken, "a STUN length is a multiple of four");
}
