//! Any bytes are parsed or refused; what parses is whole, and can be written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_stun::{AttributeType, Builder, Fingerprint, Integrity, Message};

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse_any_cookie(bytes) else { return };
    read_everything(&message);
    write_again(&message);
});

fn read_everything(message: &Message<'_>) {
    let _ = (message.username(), message.userhash(), message.realm(), message.nonce(), message.error_code());
    let _ = (message.password_algorithm(), message.password_algorithms(), message.reservation_token());
    let _ = (message.lifetime(), message.requested_transport(), message.even_port(), message.dont_fragment());
    let _ = (message.requested_address_family(), message.additional_address_family(), message.connection_id());
    let _ = (message.channel_number(), message.change_request(), message.response_port(), message.mobility_ticket());
    let _ = message.xor_peer_addresses().count();
    let _ = message.plain_address(AttributeType::MAPPED_ADDRESS);
    let _ = (message.fingerprint(), message.integrity());
    let _ = message.verify_integrity(Integrity::Sha1, b"key");
    let _ = message.verify_integrity(Integrity::Sha256, b"key");
    if let Some(range) = message.data_range() {
        assert_eq!(message.as_bytes().get(range), message.data());
    }
}

/// The attributes that count, written by our builder, are the same attributes again.
fn write_again(message: &Message<'_>) {
    let mut buffer = vec![0; message.as_bytes().len() + 8];
    let id = message.transaction_id();
    let mut builder = Builder::with_cookie(&mut buffer, message.message_type(), message.cookie(), id);
    for attribute in message.attributes().filter(|a| a.kind != AttributeType::FINGERPRINT) {
        builder.attribute(attribute.kind, attribute.value);
    }
    let len = builder.fingerprint().finish().expect("no longer than what was read");
    let again = Message::parse_any_cookie(&buffer[..len]).expect("what we write, we read");
    assert_eq!(again.fingerprint(), Fingerprint::Valid);
    let values = |m: &Message<'_>| -> Vec<(AttributeType, Vec<u8>)> {
        m.attributes().filter(|a| a.kind != AttributeType::FINGERPRINT).map(|a| (a.kind, a.value.to_vec())).collect()
    };
    assert_eq!(values(message), values(&again));
}
