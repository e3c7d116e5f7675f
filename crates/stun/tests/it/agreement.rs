//! Our codec and the crates `stun` and `turn`, an independent implementation, agree: each parses what the other
//! writes, and both read the same values. Random messages, and messages recorded from real clients.

use std::net::SocketAddr;
use std::path::Path;

use posthouse_stun::{
    AttributeType, Builder, ChannelData, ChannelNumber, Class, ErrorCode, Fingerprint, Integrity, Key, Message,
    MessageType, Method, TransactionId,
};
use proptest::prelude::*;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_SOFTWARE, ATTR_USERNAME, AttrType};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{Getter, Setter};
use stun::textattrs::TextAttribute;
use stun::xoraddr::XorMappedAddress;
use turn::proto::chandata::ChannelData as TheirChannelData;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqtrans::RequestedTransport;

/// What both sides write and read.
#[derive(Debug, Clone)]
struct Content {
    message_type: MessageType,
    id: [u8; 12],
    username: String,
    realm: String,
    nonce: String,
    password: String,
    peer: SocketAddr,
    lifetime: u32,
    data: Vec<u8>,
    channel: u16,
}

fn contents() -> impl Strategy<Value = Content> {
    let method = prop_oneof![Just(1u16), Just(3), Just(4), Just(6), Just(7), Just(8), Just(9)];
    let class = prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)];
    let texts = ("[a-z0-9:]{1,40}", "[a-z.]{1,30}", "[A-Za-z0-9/+]{1,60}", "[ -~]{1,40}");
    let numbers = (any::<[u8; 12]>(), any::<SocketAddr>(), any::<u32>(), 0x4000u16..=0x4fff);
    (method, class, texts, numbers, prop::collection::vec(any::<u8>(), 0..300)).prop_map(
        |(method, class, (username, realm, nonce, password), (id, peer, lifetime, channel), data)| Content {
            message_type: MessageType::new(Method(method), class),
            // Addresses on the wire have neither flow label nor zone.
            peer: SocketAddr::new(peer.ip(), peer.port()),
            id,
            username,
            realm,
            nonce,
            password,
            lifetime,
            data,
            channel,
        },
    )
}

fn write_ours(content: &Content) -> Vec<u8> {
    let mut buffer = vec![0; 2048];
    let key = Key::md5(content.username.as_bytes(), content.realm.as_bytes(), content.password.as_bytes());
    let len = Builder::new(&mut buffer, content.message_type, TransactionId(content.id))
        .xor_address(AttributeType::XOR_PEER_ADDRESS, content.peer)
        .xor_address(AttributeType::XOR_MAPPED_ADDRESS, content.peer)
        .number(AttributeType::LIFETIME, content.lifetime)
        .attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
        .attribute(AttributeType::DATA, &content.data)
        .attribute(AttributeType::USERNAME, content.username.as_bytes())
        .attribute(AttributeType::REALM, content.realm.as_bytes())
        .attribute(AttributeType::NONCE, content.nonce.as_bytes())
        .error_code(ErrorCode::STALE_NONCE, "Stale Nonce")
        .integrity(Integrity::Sha1, key.as_bytes())
        .fingerprint()
        .finish()
        .unwrap();
    buffer.truncate(len);
    buffer
}

fn write_theirs(content: &Content) -> Vec<u8> {
    let mut message = stun::message::Message::new();
    let mut message_type = stun::message::MessageType::default();
    message_type.read_value(content.message_type.to_bits());
    let text = |kind: AttrType, value: &str| -> Box<dyn Setter> { Box::new(TextAttribute::new(kind, value.into())) };
    let integrity = MessageIntegrity::new_long_term_integrity(
        content.username.clone(),
        content.realm.clone(),
        content.password.clone(),
    );
    let setters: Vec<Box<dyn Setter>> = vec![
        Box::new(message_type),
        Box::new(stun::agent::TransactionId(content.id)),
        Box::new(PeerAddress { ip: content.peer.ip(), port: content.peer.port() }),
        Box::new(XorMappedAddress { ip: content.peer.ip(), port: content.peer.port() }),
        Box::new(Lifetime(std::time::Duration::from_secs(content.lifetime.into()))),
        Box::new(RequestedTransport { protocol: turn::proto::PROTO_UDP }),
        Box::new(Data(content.data.clone())),
        text(ATTR_SOFTWARE, "theirs"),
        text(ATTR_USERNAME, &content.username),
        text(ATTR_REALM, &content.realm),
        text(ATTR_NONCE, &content.nonce),
        Box::new(integrity),
        Box::new(FINGERPRINT),
    ];
    message.build(&setters).unwrap();
    message.raw
}

fn decode_theirs(bytes: &[u8]) -> Option<stun::message::Message> {
    let mut message = stun::message::Message::new();
    message.raw = bytes.to_vec();
    message.decode().ok()?;
    Some(message)
}

proptest! {
    #[test]
    fn they_read_what_we_write(content in contents()) {
        let mut message = decode_theirs(&write_ours(&content)).expect("their parser accepts our message");
        prop_assert_eq!(message.typ.value(), content.message_type.to_bits());
        prop_assert_eq!(message.transaction_id.0, content.id);
        prop_assert_eq!(TextAttribute::get_from_as(&message, ATTR_USERNAME).unwrap().text, content.username.clone());
        prop_assert_eq!(TextAttribute::get_from_as(&message, ATTR_REALM).unwrap().text, content.realm.clone());
        prop_assert_eq!(TextAttribute::get_from_as(&message, ATTR_NONCE).unwrap().text, content.nonce.clone());
        let mut peer = PeerAddress::default();
        peer.get_from(&message).unwrap();
        prop_assert_eq!(SocketAddr::new(peer.ip, peer.port), content.peer);
        let mut mapped = XorMappedAddress::default();
        mapped.get_from(&message).unwrap();
        prop_assert_eq!(SocketAddr::new(mapped.ip, mapped.port), content.peer);
        let mut lifetime = Lifetime::default();
        lifetime.get_from(&message).unwrap();
        prop_assert_eq!(lifetime.0.as_secs(), u64::from(content.lifetime));
        let mut data = Data::default();
        data.get_from(&message).unwrap();
        prop_assert_eq!(&data.0, &content.data);
        let mut code = stun::error_code::ErrorCodeAttribute::default();
        code.get_from(&message).unwrap();
        prop_assert_eq!(code.code.0, 438);
        FINGERPRINT.check(&message).unwrap();
        MessageIntegrity::new_long_term_integrity(content.username, content.realm, content.password)
            .check(&mut message)
            .unwrap();
    }

    #[test]
    fn we_read_what_they_write(content in contents()) {
        let bytes = write_theirs(&content);
        let message = Message::parse(&bytes).expect("our parser accepts their message");
        prop_assert_eq!(message.message_type(), content.message_type);
        prop_assert_eq!(message.transaction_id(), TransactionId(content.id));
        prop_assert_eq!(message.username(), Ok(Some(content.username.as_bytes())));
        prop_assert_eq!(message.realm(), Ok(Some(content.realm.as_bytes())));
        prop_assert_eq!(message.nonce(), Ok(Some(content.nonce.as_bytes())));
        prop_assert_eq!(message.xor_peer_address(), Ok(Some(content.peer)));
        prop_assert_eq!(message.xor_address(AttributeType::XOR_MAPPED_ADDRESS), Ok(Some(content.peer)));
        prop_assert_eq!(message.lifetime(), Ok(Some(content.lifetime)));
        prop_assert_eq!(message.requested_transport(), Ok(Some(17)));
        prop_assert_eq!(message.data(), Some(&content.data[..]));
        prop_assert_eq!(message.fingerprint(), Fingerprint::Valid);
        let key = Key::md5(content.username.as_bytes(), content.realm.as_bytes(), content.password.as_bytes());
        prop_assert!(message.verify_integrity(Integrity::Sha1, key.as_bytes()));
    }

    #[test]
    fn channel_data_means_the_same_to_both(content in contents()) {
        let number = ChannelNumber::new(content.channel).unwrap();
        let mut ours = ChannelData::header(number, content.data.len()).unwrap().to_vec();
        ours.extend(&content.data);
        let mut theirs = TheirChannelData { raw: ours.clone(), ..Default::default() };
        theirs.decode().unwrap();
        prop_assert_eq!((theirs.number.0, &theirs.data), (content.channel, &content.data));
        theirs.encode();
        let parsed = ChannelData::parse(&theirs.raw).unwrap();
        prop_assert_eq!(parsed.number, number);
        prop_assert_eq!(&theirs.raw[parsed.payload()], &content.data[..]);
    }

    /// Bytes flipped in a good message: what we accept, they accept (we are the stricter parser), with equal values.
    #[test]
    fn on_damaged_messages_we_are_never_the_laxer_parser(
        content in contents(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = write_ours(&content);
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(message) = Message::parse(&bytes) {
            let theirs = decode_theirs(&bytes);
            prop_assert!(theirs.is_some(), "we parse what they refuse");
            same_attributes(&message, &theirs.unwrap());
        }
    }
}

/// Every attribute that counts for us is there for them, at its place and with the same bytes.
fn same_attributes(ours: &Message<'_>, theirs: &stun::message::Message) {
    assert_eq!(ours.message_type().to_bits(), theirs.typ.value());
    let mut all = theirs.attributes.0.iter();
    for attribute in ours.attributes() {
        let found = all.find(|a| a.typ.value() == attribute.kind.0 && a.value == attribute.value);
        assert!(found.is_some(), "{} is missing or differs", attribute.kind);
    }
}

#[test]
fn recorded_messages_of_real_clients_mean_the_same_to_both() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/stun");
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "bin") {
            let bytes = std::fs::read(&path).unwrap();
            let ours = Message::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            same_attributes(&ours, &decode_theirs(&bytes).unwrap());
            assert_ne!(ours.fingerprint(), Fingerprint::Invalid, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "expected at least 10 recorded messages in {}, got {seen}", folder.display());
}
