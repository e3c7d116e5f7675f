//! The builder's promises: zero padding, lengths that hold, no write past the buffer.

use posthouse_stun::{
    AttributeType, Builder, Class, ErrorCode, Integrity, Message, MessageType, Method, TransactionId, WriteError,
};
use proptest::prelude::*;

const ID: TransactionId = TransactionId([9; 12]);
const SUCCESS: MessageType = MessageType::new(Method::ALLOCATE, Class::Success);

fn answer(buffer: &mut [u8]) -> Result<usize, WriteError> {
    Builder::new(buffer, SUCCESS, ID)
        .xor_address(AttributeType::XOR_RELAYED_ADDRESS, "[2001:db8::1]:49152".parse().unwrap())
        .xor_address(AttributeType::XOR_MAPPED_ADDRESS, "192.0.2.7:5000".parse().unwrap())
        .number(AttributeType::LIFETIME, 600)
        .attribute(AttributeType::SOFTWARE, b"x")
        .error_code(ErrorCode::UNKNOWN_ATTRIBUTE, "")
        .unknown_attributes(&[AttributeType(0x7fff)])
        .integrity(Integrity::Sha256, b"key")
        .fingerprint()
        .finish()
}

#[test]
fn every_buffer_that_is_too_small_is_an_error_and_never_a_panic() {
    let mut room = [0; 256];
    let len = answer(&mut room).unwrap();
    for short in 0..len {
        assert!(answer(&mut room[..short]).is_err(), "{short} of {len} bytes");
    }
    assert_eq!(answer(&mut room[..len]), Ok(len));
    assert_eq!(Message::parse(&room[..len]).unwrap().attributes().count(), 8);
}

#[test]
fn padding_never_shows_what_the_buffer_held_before() {
    for len in 0..9 {
        let mut buffer = [0xaa; 64];
        let written = Builder::new(&mut buffer, SUCCESS, ID)
            .attribute(AttributeType::SOFTWARE, &vec![0x55; len])
            .finish()
            .unwrap();
        assert_eq!(written % 4, 0);
        assert!(buffer[24..24 + len].iter().all(|&b| b == 0x55));
        assert!(buffer[24 + len..written].iter().all(|&b| b == 0));
    }
}

#[test]
fn a_data_indication_written_up_to_its_payload_is_whole_once_payload_and_padding_follow() {
    for payload_len in [0, 1, 3, 4, 1200] {
        let mut buffer = vec![0; 2048];
        let mut builder = Builder::new(&mut buffer, MessageType::new(Method::DATA, Class::Indication), ID);
        builder.xor_address(AttributeType::XOR_PEER_ADDRESS, "192.0.2.1:1".parse().unwrap()).data_header(payload_len);
        let before = builder.finish_before_data(payload_len).unwrap();
        assert_eq!(before, 36);
        let payload = vec![0x42; payload_len];
        buffer[before..before + payload_len].copy_from_slice(&payload);
        let message = Message::parse(&buffer[..before + payload_len.next_multiple_of(4)]).unwrap();
        assert_eq!(message.data(), Some(&payload[..]));
    }
}

#[test]
fn a_message_longer_than_its_length_field_is_refused() {
    let mut buffer = vec![0; 200_000];
    let mut builder = Builder::new(&mut buffer, SUCCESS, ID);
    builder.attribute(AttributeType::SOFTWARE, &vec![1; 65_000]).attribute(AttributeType::SOFTWARE, &vec![1; 65_000]);
    assert!(builder.finish().is_err());
    let mut builder = Builder::new(&mut buffer, SUCCESS, ID);
    assert!(builder.data_header(65_536).finish_before_data(65_536).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        method in 0u16..0x1000,
        values in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..60)), 0..6),
        id in any::<[u8; 12]>(),
    ) {
        let closing = [AttributeType::MESSAGE_INTEGRITY, AttributeType::MESSAGE_INTEGRITY_SHA256, AttributeType::FINGERPRINT];
        prop_assume!(values.iter().all(|(k, _)| !closing.contains(&AttributeType(*k))));
        let mut buffer = [0; 1024];
        let message_type = MessageType::new(Method(method), Class::Indication);
        let mut builder = Builder::new(&mut buffer, message_type, TransactionId(id));
        for (kind, value) in &values {
            builder.attribute(AttributeType(*kind), value);
        }
        let len = builder.integrity(Integrity::Sha1, b"secret").fingerprint().finish().unwrap();
        let message = Message::parse(&buffer[..len]).unwrap();
        prop_assert_eq!(message.message_type(), message_type);
        prop_assert_eq!(message.transaction_id(), TransactionId(id));
        prop_assert!(message.verify_integrity(Integrity::Sha1, b"secret"));
        let read: Vec<_> = message.attributes().take(values.len()).map(|a| (a.kind.0, a.value.to_vec())).collect();
        prop_assert_eq!(read, values);
    }
}
