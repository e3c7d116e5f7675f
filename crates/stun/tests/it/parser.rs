//! Hostile bytes: what is refused, and what is invisible.

use posthouse_stun::attribute::Family;
use posthouse_stun::{
    AttributeError, AttributeType, Builder, ChannelData, Class, ErrorCode, Fingerprint, Integrity, Kind, Message,
    MessageType, Method, ParseError, PasswordAlgorithm, TransactionId, kind,
};
use proptest::prelude::*;

const ID: TransactionId = TransactionId(*b"transaction!");
const REQUEST: MessageType = MessageType::new(Method::ALLOCATE, Class::Request);

fn build(write: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut buffer = vec![0xee; 2048];
    let mut builder = Builder::new(&mut buffer, REQUEST, ID);
    write(&mut builder);
    let len = builder.finish().unwrap();
    buffer.truncate(len);
    buffer
}

#[test]
fn the_first_byte_alone_tells_stun_from_channel_data_from_the_rest() {
    for byte in 0..=255u8 {
        let expected = match byte {
            0..=3 => Some(Kind::Stun),
            64..=79 => Some(Kind::ChannelData),
            _ => None,
        };
        assert_eq!(kind(byte), expected);
    }
}

#[test]
fn a_length_that_lies_is_refused_with_both_figures() {
    let good = build(|b| {
        b.number(AttributeType::LIFETIME, 600);
    });
    assert_eq!(good.len(), 28);
    assert_eq!(Message::parse(&good[..27]).unwrap_err(), ParseError::Truncated { expected: 28, actual: 27 });
    assert_eq!(Message::parse(&good[..7]).unwrap_err(), ParseError::Truncated { expected: 20, actual: 7 });
    let mut long = good.clone();
    long.push(0);
    assert_eq!(Message::parse(&long).unwrap_err(), ParseError::Trailing { expected: 28, actual: 29 });
    let mut odd = good.clone();
    odd[3] = 7;
    assert_eq!(Message::parse(&odd).unwrap_err(), ParseError::UnalignedLength { length: 7 });
    let mut overrun = good.clone();
    overrun[23] = 5;
    let error = Message::parse(&overrun).unwrap_err();
    assert_eq!(error, ParseError::AttributeOverrun { kind: AttributeType::LIFETIME, length: 5, left: 4 });
    assert_eq!(error.to_string(), "attribute LIFETIME claims 5 bytes, 4 are left");
}

#[test]
fn an_empty_datagram_and_a_bare_header_are_judged_without_panic() {
    assert_eq!(Message::parse(&[]).unwrap_err(), ParseError::Truncated { expected: 20, actual: 0 });
    let bare = build(|_| ());
    assert_eq!(Message::parse(&bare).unwrap().attributes().count(), 0);
}

#[test]
fn without_the_cookie_only_the_rfc_3489_door_opens() {
    let mut old = build(|_| ());
    old[4] = 0x12;
    assert_eq!(Message::parse(&old).unwrap_err(), ParseError::NoCookie { found: 0x1212_a442 });
    assert_eq!(Message::parse_any_cookie(&old).unwrap().cookie(), 0x1212_a442);
}

#[test]
fn what_stands_behind_integrity_does_not_exist() {
    let bytes = build(|b| {
        b.number(AttributeType::LIFETIME, 600)
            .integrity(Integrity::Sha1, b"key")
            .number(AttributeType::REQUESTED_TRANSPORT, 17 << 24)
            .number(AttributeType::LIFETIME, 1)
            .fingerprint();
    });
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.lifetime(), Ok(Some(600)));
    assert_eq!(message.requested_transport(), Ok(None));
    assert!(message.verify_integrity(Integrity::Sha1, b"key"));
    assert_eq!(message.fingerprint(), Fingerprint::Valid);
    let kinds: Vec<_> = message.attributes().map(|a| a.kind).collect();
    assert_eq!(kinds, [AttributeType::LIFETIME, AttributeType::MESSAGE_INTEGRITY, AttributeType::FINGERPRINT]);
}

#[test]
fn behind_the_sha256_integrity_only_the_fingerprint_counts() {
    let bytes = build(|b| {
        b.integrity(Integrity::Sha256, b"key").integrity(Integrity::Sha1, b"key").fingerprint();
    });
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.integrity(), Some(Integrity::Sha256));
    assert!(message.verify_integrity(Integrity::Sha256, b"key"));
    assert!(!message.verify_integrity(Integrity::Sha1, b"key"), "it stands where it must be ignored");
}

#[test]
fn both_integrities_in_their_order_both_hold() {
    let bytes = build(|b| {
        b.integrity(Integrity::Sha1, b"key").integrity(Integrity::Sha256, b"key");
    });
    let message = Message::parse(&bytes).unwrap();
    assert!(message.verify_integrity(Integrity::Sha1, b"key"));
    assert!(message.verify_integrity(Integrity::Sha256, b"key"));
    assert_eq!(message.integrity(), Some(Integrity::Sha256));
}

#[test]
fn a_sha256_mac_counts_only_in_full() {
    let full = build(|b| {
        b.integrity(Integrity::Sha256, b"key");
    });
    for len in [0usize, 4, 12, 15, 16, 20, 28, 32, 36] {
        // The MAC covers a length field that ends behind the truncated attribute, so it must be computed for it.
        let mac = truncated_mac(&full[..20], len);
        let bytes = build(|b| {
            b.attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &mac);
        });
        let verified = Message::parse(&bytes).unwrap().verify_integrity(Integrity::Sha256, b"key");
        assert_eq!(verified, len == 32, "{len} bytes");
    }
}

fn truncated_mac(header: &[u8], len: usize) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut header = header.to_vec();
    header[3] = (4 + len.next_multiple_of(4)) as u8;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"key").unwrap();
    mac.update(&header);
    let mut bytes = mac.finalize().into_bytes().to_vec();
    bytes.resize(len, 0);
    bytes
}

#[test]
fn a_fingerprint_counts_only_as_the_last_attribute() {
    let mut bytes = build(|b| {
        b.fingerprint();
    });
    assert_eq!(Message::parse(&bytes).unwrap().fingerprint(), Fingerprint::Valid);
    bytes[27] ^= 1;
    assert_eq!(Message::parse(&bytes).unwrap().fingerprint(), Fingerprint::Invalid);
    let followed = build(|b| {
        b.fingerprint().attribute(AttributeType::SOFTWARE, b"late");
    });
    assert_eq!(Message::parse(&followed).unwrap().fingerprint(), Fingerprint::Invalid);
    assert_eq!(Message::parse(&build(|_| ())).unwrap().fingerprint(), Fingerprint::Absent);
}

#[test]
fn the_first_of_two_equal_attributes_counts() {
    let bytes = build(|b| {
        b.number(AttributeType::LIFETIME, 1).number(AttributeType::LIFETIME, 2);
    });
    assert_eq!(Message::parse(&bytes).unwrap().lifetime(), Ok(Some(1)));
}

#[test]
fn a_family_byte_must_agree_with_the_length() {
    let cases: [(&[u8], AttributeError); 4] = [
        (&[], AttributeError::Length { kind: AttributeType::XOR_PEER_ADDRESS, expected: 8, actual: 0 }),
        (
            &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
            AttributeError::Length { kind: AttributeType::XOR_PEER_ADDRESS, expected: 8, actual: 20 },
        ),
        (
            &[0, 2, 0, 0, 1, 2, 3, 4],
            AttributeError::Length { kind: AttributeType::XOR_PEER_ADDRESS, expected: 20, actual: 8 },
        ),
        (&[0, 3, 0, 0, 1, 2, 3, 4], AttributeError::Family { kind: AttributeType::XOR_PEER_ADDRESS, family: 3 }),
    ];
    for (value, expected) in cases {
        let bytes = build(|b| {
            b.attribute(AttributeType::XOR_PEER_ADDRESS, value);
        });
        assert_eq!(Message::parse(&bytes).unwrap().xor_peer_address().unwrap_err(), expected);
    }
}

#[test]
fn fixed_length_attributes_refuse_every_other_length() {
    for len in (0..=12).filter(|&l| l != 4) {
        let bytes = build(|b| {
            b.attribute(AttributeType::LIFETIME, &vec![0; len])
                .attribute(AttributeType::REQUESTED_TRANSPORT, &vec![0; len])
                .attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &vec![0; len])
                .attribute(AttributeType::CHANNEL_NUMBER, &vec![0; len]);
        });
        let message = Message::parse(&bytes).unwrap();
        assert!(message.lifetime().is_err() && message.requested_transport().is_err());
        assert!(message.requested_address_family().is_err() && message.channel_number().is_err());
    }
}

#[test]
fn values_are_read_as_the_rfc_lays_them_out() {
    let bytes = build(|b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 1, 2, 3])
            .attribute(AttributeType::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])
            .attribute(AttributeType::ADDITIONAL_ADDRESS_FAMILY, &[9, 0, 0, 0])
            .attribute(AttributeType::EVEN_PORT, &[0x80])
            .attribute(AttributeType::RESERVATION_TOKEN, b"8 bytes!")
            .attribute(AttributeType::DONT_FRAGMENT, &[])
            .attribute(AttributeType::CHANNEL_NUMBER, &[0x40, 0x01, 0, 0])
            .attribute(AttributeType::PASSWORD_ALGORITHM, &PasswordAlgorithm::Sha256.to_bytes())
            .attribute(AttributeType::DATA, b"abc")
            .error_code(ErrorCode::STALE_NONCE, "Stale Nonce");
    });
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.requested_transport(), Ok(Some(17)));
    assert_eq!(message.requested_address_family(), Ok(Some(Ok(Family::V6))));
    assert_eq!(message.additional_address_family(), Ok(Some(Err(9))));
    assert!(message.even_port().unwrap().unwrap().reserve);
    assert_eq!(message.reservation_token(), Ok(Some(*b"8 bytes!")));
    assert_eq!(message.dont_fragment(), Ok(true));
    assert_eq!(message.channel_number(), Ok(Some(0x4001)));
    assert_eq!(message.password_algorithm(), Ok(Some(Ok(PasswordAlgorithm::Sha256))));
    assert_eq!(&bytes[message.data_range().unwrap()], b"abc");
    assert_eq!(message.error_code(), Ok(Some((ErrorCode::STALE_NONCE, &b"Stale Nonce"[..]))));
}

#[test]
fn the_420_list_names_what_is_required_and_unknown() {
    let bytes = build(|b| {
        b.attribute(AttributeType(0x7777), &[])
            .attribute(AttributeType(0x8777), &[])
            .number(AttributeType::LIFETIME, 1);
    });
    let message = Message::parse(&bytes).unwrap();
    let unknown: Vec<_> = message.unknown_attributes(|k| k == AttributeType::LIFETIME).collect();
    assert_eq!(unknown, [AttributeType(0x7777)]);
}

#[test]
fn channel_data_claims_no_more_than_it_brings() {
    assert!(matches!(ChannelData::parse(&[0x40]), Err(ParseError::Truncated { .. })));
    assert_eq!(ChannelData::parse(&[0x40, 0, 0, 1]).unwrap_err(), ParseError::Truncated { expected: 5, actual: 4 });
    assert_eq!(ChannelData::parse(&[0x50, 0, 0, 0]).unwrap_err(), ParseError::ReservedChannel { number: 0x5000 });
    let padded = ChannelData::parse(&[0x4f, 0xff, 0, 1, b'x', 0, 0, 0]).unwrap();
    assert_eq!((padded.number.get(), padded.payload()), (0x4fff, 4..5));
    assert_eq!(ChannelData::header(padded.number, 70_000), None);
}

proptest! {
    /// No bytes whatsoever make the parser or a getter panic, and what parses walks to its very end.
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in hostile()) {
        let _ = ChannelData::parse(&bytes);
        let Ok(message) = Message::parse_any_cookie(&bytes) else { return Ok(()) };
        prop_assert!(message.attributes().all(|a| a.offset + 4 + a.value.len() <= bytes.len()));
        let _ = (message.username(), message.userhash(), message.realm(), message.nonce());
        let _ = (message.password_algorithm(), message.password_algorithms(), message.error_code());
        let _ = (message.lifetime(), message.requested_transport(), message.even_port(), message.dont_fragment());
        let _ = (message.requested_address_family(), message.additional_address_family());
        let _ = (message.reservation_token(), message.mobility_ticket(), message.connection_id());
        let _ = (message.channel_number(), message.data_range(), message.change_request(), message.response_port());
        let _ = message.xor_peer_addresses().count();
        let _ = message.plain_address(AttributeType::MAPPED_ADDRESS);
        let _ = message.fingerprint();
        let _ = (message.verify_integrity(Integrity::Sha1, b"k"), message.verify_integrity(Integrity::Sha256, b"k"));
    }
}

/// Random bytes, half of them dressed as STUN so that they get past the header.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let attribute =
        (prop_oneof![0u16..0x40, 0x8000u16..0x8040, any::<u16>()], prop::collection::vec(any::<u8>(), 0..40));
    let dressed =
        (0u16..0x200, prop::collection::vec(attribute, 0..8), any::<bool>()).prop_map(|(kind, attributes, cut)| {
            let mut bytes = vec![0; 20];
            bytes[..2].copy_from_slice(&kind.to_be_bytes());
            bytes[4..8].copy_from_slice(&posthouse_stun::MAGIC_COOKIE.to_be_bytes());
            for (kind, value) in attributes {
                bytes.extend(kind.to_be_bytes());
                bytes.extend((value.len() as u16 + u16::from(cut && value.len() > 30)).to_be_bytes());
                bytes.extend(&value);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            let length = (bytes.len() - 20) as u16;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes
        });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..128), dressed]
}
