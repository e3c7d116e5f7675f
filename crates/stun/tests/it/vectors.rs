//! RFC 5769 §2.1-2.4 and RFC 8489 appendix B.1.

use hmac::{Hmac, KeyInit, Mac};
use posthouse_stun::{
    AttributeType, Builder, Class, Fingerprint, Integrity, Key, Message, MessageType, Method, ParseError,
    TransactionId, userhash,
};
use sha2::Sha256;

const SHORT_TERM_PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
/// "Matrix" in katakana.
const USERNAME: &str = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
const REALM: &[u8] = b"example.org";
/// What SASLprep makes of "The<U+00AD>M<U+00AA>tr<U+2168>".
const PASSWORD: &[u8] = b"TheMatrIX";
const ID: TransactionId = TransactionId([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

#[test]
fn rfc5769_2_1_sample_request() {
    let bytes = hex("00010058 2112a442 b7e7a701bc34d686fa87dfae
        80220010 5354554e207465737420636c69656e74
        00240004 6e0001ff
        80290008 932ff9b151263b36
        00060009 6576746a3a68367659202020
        00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
        80280004 e57a3bcf");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.message_type(), MessageType::new(Method::BINDING, Class::Request));
    assert_eq!(message.transaction_id(), ID);
    assert_eq!(message.attribute(AttributeType::SOFTWARE), Some(&b"STUN test client"[..]));
    assert_eq!(message.username(), Ok(Some(&b"evtj:h6vY"[..])));
    assert_eq!(message.fingerprint(), Fingerprint::Valid);
    assert!(message.verify_integrity(Integrity::Sha1, SHORT_TERM_PASSWORD));
    assert!(!message.verify_integrity(Integrity::Sha1, b"VOkJxbRl1RmTxUk/WvJxBu"));
}

#[test]
fn rfc5769_2_2_sample_ipv4_response() {
    let bytes = hex("0101003c 2112a442 b7e7a701bc34d686fa87dfae
        8022000b 7465737420766563746f7220
        00200008 0001a147e112a643
        00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
        80280004 c07d4c96");
    let message = Message::parse(&bytes).unwrap();
    let mapped = message.xor_address(AttributeType::XOR_MAPPED_ADDRESS);
    assert_eq!(mapped, Ok(Some("192.0.2.1:32853".parse().unwrap())));
    assert_eq!(message.fingerprint(), Fingerprint::Valid);
    assert!(message.verify_integrity(Integrity::Sha1, SHORT_TERM_PASSWORD));
}

#[test]
fn rfc5769_2_3_sample_ipv6_response() {
    let bytes = hex("01010048 2112a442 b7e7a701bc34d686fa87dfae
        8022000b 7465737420766563746f7220
        00200014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9
        00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
        80280004 c8fb0b4c");
    let message = Message::parse(&bytes).unwrap();
    let mapped = message.xor_address(AttributeType::XOR_MAPPED_ADDRESS);
    assert_eq!(mapped, Ok(Some("[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap())));
    assert_eq!(message.fingerprint(), Fingerprint::Valid);
    assert!(message.verify_integrity(Integrity::Sha1, SHORT_TERM_PASSWORD));
}

#[test]
fn rfc5769_2_4_sample_request_with_long_term_authentication() {
    let bytes = hex("00010060 2112a442 78ad3433c6ad72c029da412e
        00060012 e3839ee38388e383aae38383e382afe382b90000
        0015001c 662f2f3439396b393534643 64f4c33346f4c39465354767936347341
        0014000b 6578616d706c652e6f726700
        00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.username(), Ok(Some(USERNAME.as_bytes())));
    assert_eq!(message.realm(), Ok(Some(REALM)));
    assert_eq!(message.nonce(), Ok(Some(&b"f//499k954d6OL34oL9FSTvy64sA"[..])));
    let key = Key::md5(USERNAME.as_bytes(), REALM, PASSWORD);
    assert!(message.verify_integrity(Integrity::Sha1, key.as_bytes()));
}

/// The message as printed carries 0x9c in its length field, which counts the 20-byte header too: a parser must
/// refuse it, and its HMAC holds over that literal value only. So it proves key, user hash and HMAC.
#[test]
fn rfc8489_b_1_sample_request_with_long_term_authentication_sha256_and_userhash() {
    let bytes = hex("0001009c 2112a442 78ad3433c6ad72c029da412e
        001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
        00150029 6f624d61744a6f7332414141 43662f2f3439396b3935346436 4f4c33346f4c394653547679363473 41000000
        0014000b 6578616d706c652e6f726700
        001c0020 e4686c8f0edeb59013e07090010a93efccbccc544c0a45d9f830aa6d6f735a01");
    assert_eq!(bytes.len(), 156);
    assert_eq!(Message::parse(&bytes).unwrap_err(), ParseError::Truncated { expected: 176, actual: 156 });
    assert_eq!(bytes[24..56], userhash(USERNAME.as_bytes(), REALM));

    let key = Key::sha256(USERNAME.as_bytes(), REALM, PASSWORD);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(&bytes[..120]);
    assert_eq!(bytes[124..], mac.finalize().into_bytes()[..]);
}

#[test]
fn the_builder_writes_rfc5769_2_2_byte_for_byte_but_for_the_padding() {
    let mut buffer = [0xee; 128];
    let written = Builder::new(&mut buffer, MessageType::new(Method::BINDING, Class::Success), ID)
        .attribute(AttributeType::SOFTWARE, b"test vector")
        .xor_address(AttributeType::XOR_MAPPED_ADDRESS, "192.0.2.1:32853".parse().unwrap())
        .integrity(Integrity::Sha1, SHORT_TERM_PASSWORD)
        .fingerprint()
        .finish()
        .unwrap();
    let message = Message::parse(&buffer[..written]).unwrap();
    assert_eq!(written, 80);
    assert_eq!(buffer[35], 0, "padding is zero, where the vector has a space");
    assert_eq!(buffer[36..48], hex("00200008 0001a147e112a643"));
    assert!(message.verify_integrity(Integrity::Sha1, SHORT_TERM_PASSWORD));
    assert_eq!(message.fingerprint(), Fingerprint::Valid);
}
