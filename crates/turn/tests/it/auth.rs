//! The long-term credential mechanism (RFC 8489 §9.2.4), in the order of our checks.

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Integrity, Key, Method, PasswordAlgorithm, userhash};
use posthouse_turn::{Credentials, NonceKeys, Transport};

use crate::world::{Answer, Client, Proof, REALM, SECRET, START, World, peer};

const METHODS: [Method; 4] = [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND];

fn answer_to(world: &mut World, client: &mut Client, method: Method, proof: Option<&Proof>) -> Answer {
    let bytes = client.build(method, proof, |b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    world.packet(client.at, &bytes);
    world.answer().expect("an answer")
}

/// A proof that is right but for what `change` does to it.
fn code_with(change: impl Fn(&mut Proof)) -> Answer {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    let mut proof = client.proof();
    change(&mut proof);
    let answer = answer_to(&mut world, &mut client, Method::ALLOCATE, Some(&proof));
    assert_eq!(world.allocations(), usize::from(answer.code() == 0));
    answer
}

fn is_challenge(answer: &Answer) -> bool {
    [AttributeType::REALM, AttributeType::NONCE, AttributeType::PASSWORD_ALGORITHMS]
        .iter()
        .all(|&kind| answer.has(kind))
        && !answer.has(AttributeType::MESSAGE_INTEGRITY)
        && !answer.has(AttributeType::MESSAGE_INTEGRITY_SHA256)
}

fn is_bare(answer: &Answer) -> bool {
    ![AttributeType::REALM, AttributeType::NONCE, AttributeType::MESSAGE_INTEGRITY].iter().any(|&kind| answer.has(kind))
}

#[test]
fn without_integrity_every_method_is_401_with_a_challenge() {
    for method in METHODS {
        let (mut world, mut client) = (World::new(), Client::new(1));
        let answer = answer_to(&mut world, &mut client, method, None);
        assert_eq!(answer.code(), 401);
        assert!(is_challenge(&answer));
        assert_eq!(answer.message().realm().unwrap(), Some(REALM.as_bytes()));
        assert_eq!(answer.message().password_algorithms(), Some(&[0, 2, 0, 0, 0, 1, 0, 0][..]));
    }
}

#[test]
fn a_401_has_96_bytes_with_a_realm_of_eleven_letters() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(REALM.len(), 11);
    assert_eq!(answer_to(&mut world, &mut client, Method::ALLOCATE, None).bytes.len(), 96);
    client.fingerprint = true;
    assert_eq!(answer_to(&mut world, &mut client, Method::ALLOCATE, None).bytes.len(), 104);
}

#[test]
fn the_nonce_carries_the_cookie_and_the_feature_bits() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    let nonce = client.nonce.unwrap();
    assert_eq!(nonce.len(), 35);
    assert!(nonce.starts_with(b"obMatJos2wAAA"), "password algorithms and username anonymity");

    let mut world = World::with(|s| s.credentials = Credentials::new(REALM));
    let mut client = Client::new(1);
    client.greet(&mut world);
    assert!(client.nonce.unwrap().starts_with(b"obMatJos2gAAA"), "no listed users, no anonymity");
}

#[test]
fn every_nonce_is_another_s() {
    let mut world = World::new();
    let nonces = [1, 2, 3].map(|n| {
        let mut client = Client::new(n);
        client.greet(&mut world);
        client.nonce.unwrap()
    });
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2] && nonces[0] != nonces[2]);
}

#[test]
fn a_proof_that_lacks_username_realm_or_nonce_is_a_bare_400() {
    for lack in [|p: &mut Proof| p.username = None, |p: &mut Proof| p.realm = None, |p: &mut Proof| p.nonce = None] {
        let answer = code_with(lack);
        assert_eq!(answer.code(), 400);
        assert!(is_bare(&answer));
    }
}

#[test]
fn a_username_realm_or_nonce_beyond_its_length_is_400() {
    assert_eq!(code_with(|p| p.username = Some(vec![b'a'; 509])).code(), 400);
    assert_eq!(code_with(|p| p.realm = Some(vec![b'a'; 764])).code(), 400);
    assert_eq!(code_with(|p| p.nonce = Some(vec![b'a'; 764])).code(), 400);
}

#[test]
fn a_nonce_we_did_not_make_is_438_with_a_new_one() {
    for nonce in [&b""[..], b"x", b"obMatJos2wAAAAAAAAAAAAAAAAAAAAAAAAA", &[0xff; 35], &[b'A'; 763]] {
        let answer = code_with(|p| p.nonce = Some(nonce.to_vec()));
        assert_eq!(answer.code(), 438);
        assert!(is_challenge(&answer));
    }
    for at in 0..35 {
        let answer = code_with(|p| p.nonce.as_mut().unwrap()[at] ^= 1);
        assert_eq!(answer.code(), 438, "letter {at}");
    }
}

#[test]
fn a_nonce_is_good_for_one_address_port_and_transport() {
    let mut world = World::new();
    let mut owner = Client::new(1);
    owner.greet(&mut world);
    let mut elsewhere = [Client::new(2), Client::new(1), Client::new(1)];
    elsewhere[1].at.client.set_port(5001);
    elsewhere[2].at.transport = Transport::Tcp;
    for thief in &mut elsewhere {
        thief.nonce = owner.nonce.clone();
        assert_eq!(thief.allocate_with(&mut world, |_| ()).code(), 438);
    }
    assert_eq!(owner.allocate_with(&mut world, |_| ()).code(), 0);
}

#[test]
fn a_nonce_is_stale_after_its_lifetime_and_the_new_one_works() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    world.pass(599);
    client.allocate(&mut world);
    world.pass(1);
    let answer = client.refresh(&mut world, None);
    assert_eq!(answer.code(), 438);
    client.nonce = answer.message().nonce().unwrap().map(<[u8]>::to_vec);
    assert_eq!(client.refresh(&mut world, None).code(), 0);
}

#[test]
fn a_nonce_outlives_one_change_of_the_key_and_not_two() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    let epoch = world.now;
    world.reload(|s| s.nonce_keys = NonceKeys::new([4; 32], Some([3; 32]), epoch));
    client.allocate(&mut world);
    world.reload(|s| s.nonce_keys = NonceKeys::new([5; 32], Some([4; 32]), epoch));
    assert_eq!(client.refresh(&mut world, None).code(), 438);
}

#[test]
fn a_jump_of_the_wall_clock_makes_no_nonce_stale() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    world.now.unix += 86_400;
    client.allocate(&mut world);
    world.now.unix -= 2 * 86_400;
    assert_eq!(client.refresh(&mut world, None).code(), 0);
}

#[test]
fn a_wrong_user_password_or_realm_is_401_and_the_answers_look_alike() {
    let wrong = |user: &str, password: &str| {
        let key = Key::md5(user.as_bytes(), REALM.as_bytes(), password.as_bytes());
        code_with(|p| (p.username, p.key) = (Some(user.into()), key.clone()))
    };
    let known = wrong("alice", "wrong");
    let unknown = wrong("carol", "wrong");
    let time_limited = wrong("1800000000:carol", "wrong");
    let binary = code_with(|p| p.username = Some(vec![0xff, 0xfe]));
    let realm = code_with(|p| p.realm = Some(b"elsewhere".to_vec()));
    for answer in [&known, &unknown, &time_limited, &binary, &realm] {
        assert_eq!(answer.code(), 401);
        assert!(is_challenge(answer));
        assert_eq!(answer.bytes.len(), known.bytes.len());
    }
}

#[test]
fn a_user_name_is_not_reduced_or_extended() {
    for name in ["", "Alice", "alice ", "alice\0", "ali"] {
        assert_eq!(code_with(|p| p.username = Some(name.into())).code(), 401, "{name:?}");
    }
}

#[test]
fn a_time_limited_credential_is_good_until_its_expiry() {
    let mut world = World::new();
    assert_eq!(Client::new(1).minted("carol", 10).allocate_with(&mut world, |_| ()).code(), 0);
    world.pass(9);
    assert_eq!(Client::new(2).minted("carol", 10).allocate_with(&mut world, |_| ()).code(), 0);
    world.pass(1);
    assert_eq!(Client::new(3).minted("carol", 10).allocate_with(&mut world, |_| ()).code(), 401);
}

#[test]
fn coturn_s_other_spellings_of_a_time_limited_name_work() {
    // mint() signs whatever the name is, so the two other spellings are signed here as names of nobody.
    let mut world = World::new();
    for (n, name) in [(1, format!("carol:{}", START + 10)), (2, format!("{}", START + 10))] {
        let password = signed(&name);
        assert_eq!(Client::new(n).user(&name, &password).allocate_with(&mut world, |_| ()).code(), 0, "{name}");
    }
}

fn signed(name: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET).unwrap();
    mac.update(name.as_bytes());
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mac.finalize().into_bytes())
}

#[test]
fn every_secret_verifies_and_a_removed_one_no_longer() {
    let both = |order: [&[u8]; 2]| {
        let mut credentials = Credentials::new(REALM);
        credentials.add_secret(order[0]).add_secret(order[1]);
        credentials
    };
    let mut world = World::with(|s| s.credentials = both([b"the new secret", SECRET]));
    let mut old = Client::new(1).minted("carol", 3600);
    let minted = Credentials::mint(b"the new secret", "dave", START + 3600);
    let mut new = Client::new(2).user(&minted.username, &minted.password);
    old.allocate(&mut world);
    new.allocate(&mut world);

    world.reload(|s| {
        s.credentials = Credentials::new(REALM);
        s.credentials.add_secret(b"the new secret");
    });
    assert_eq!(world.server.stats().secrets, [1, 1, 0, 0], "dave by the first, carol by the second");
    assert_eq!(old.refresh(&mut world, None).code(), 401, "the cached key is forgotten too");
    assert_eq!(new.refresh(&mut world, None).code(), 0);
}

#[test]
fn an_expired_credential_refreshes_what_it_made_until_the_session_is_over() {
    let mut world = World::with(|s| s.max_session = std::time::Duration::from_secs(1500));
    let mut client = Client::new(1).minted("carol", 100);
    client.allocate(&mut world);
    for _ in 0..2 {
        world.pass(500);
        client.greet(&mut world);
        assert_eq!(client.refresh(&mut world, None).code(), 0);
        assert_eq!(client.permit(&mut world, &[peer()]), 0);
    }
    world.pass(500);
    client.greet(&mut world);
    assert_eq!(client.refresh(&mut world, None).code(), 401);
    assert_eq!(Client::new(2).minted("carol", 100).allocate_with(&mut world, |_| ()).code(), 401);
}

#[test]
fn with_strict_expiry_an_allocation_ends_when_its_credential_expires() {
    let mut world = World::with(|s| s.strict_expiry = true);
    let mut client = Client::new(1).minted("carol", 100);
    let answer = client.allocate_with(&mut world, |b| {
        b.number(AttributeType::LIFETIME, 3600);
    });
    assert_eq!((answer.code(), answer.lifetime()), (0, 100), "the client is told the truth");
    world.pass(40);
    let answer = client.refresh(&mut world, Some(3600));
    assert_eq!((answer.code(), answer.lifetime()), (0, 60));
    world.pass(59);
    assert_eq!((client.permit(&mut world, &[peer()]), world.allocations()), (0, 1));
    world.pass(1);
    assert_eq!(world.allocations(), 0);
    assert_eq!(client.refresh(&mut world, None).code(), 401);
}

#[test]
fn strict_expiry_takes_nothing_from_a_credential_that_outlasts_the_allocation() {
    let mut world = World::with(|s| s.strict_expiry = true);
    for mut client in [Client::new(1), Client::new(2).minted("carol", 100_000)] {
        assert_eq!(client.allocate_with(&mut world, |_| ()).lifetime(), 600);
        assert_eq!(client.refresh(&mut world, Some(3600)).lifetime(), 3600);
    }
}

#[test]
fn strict_expiry_that_a_reload_brings_ends_the_living_too() {
    let mut world = World::new();
    let [mut early, mut late, mut never] =
        [Client::new(1).minted("carol", 100), Client::new(2).minted("carol", 300), Client::new(3)];
    for client in [&mut early, &mut late, &mut never] {
        client.allocate(&mut world);
    }
    world.pass(200);
    assert_eq!(world.allocations(), 3);
    world.reload(|s| s.strict_expiry = true);
    assert_eq!(world.allocations(), 2);
    world.pass(99);
    assert_eq!(world.allocations(), 2);
    world.pass(1);
    assert_eq!(world.allocations(), 1, "a static user has no expiry");
}

#[test]
fn answers_to_a_proof_are_signed_with_the_key_that_verified_it() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    for method in METHODS {
        let answer = client.request(&mut world, method, |_| ());
        assert_eq!(answer.code(), if method == Method::ALLOCATE { 400 } else { 437 });
        assert!(answer.message().verify_integrity(Integrity::Sha1, client.proof().key.as_bytes()));
        assert!(!answer.has(AttributeType::MESSAGE_INTEGRITY_SHA256));
        for kind in [AttributeType::USERNAME, AttributeType::REALM, AttributeType::NONCE] {
            assert!(!answer.has(kind));
        }
    }
}

#[test]
fn with_password_algorithms_the_answer_is_signed_with_sha_256() {
    for algorithm in [PasswordAlgorithm::Sha256, PasswordAlgorithm::Md5] {
        for minted in [false, true] {
            let (mut world, mut client) = (World::new(), Client::new(1));
            if minted {
                client = client.minted("carol", 100);
            }
            client.algorithm = Some(algorithm);
            let answer = client.allocate_with(&mut world, |_| ());
            assert_eq!(answer.code(), 0);
            assert!(!answer.has(AttributeType::MESSAGE_INTEGRITY));
            assert!(answer.message().verify_integrity(Integrity::Sha256, client.proof().key.as_bytes()));
            assert_eq!(client.refresh(&mut world, None).code(), 0);
        }
    }
}

#[test]
fn a_client_may_change_the_algorithm_between_requests() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    client.algorithm = Some(PasswordAlgorithm::Sha256);
    assert_eq!(client.refresh(&mut world, None).code(), 0);
    client.algorithm = None;
    assert_eq!(client.refresh(&mut world, None).code(), 0);
}

#[test]
fn an_offer_that_was_tampered_with_is_400() {
    let with = |algorithms: Option<&[u8]>, algorithm| {
        code_with(|p| {
            p.algorithms = algorithms.map(<[u8]>::to_vec);
            p.algorithm = algorithm;
        })
        .code()
    };
    let (offer, md5) = (Some(&[0, 2, 0, 0, 0, 1, 0, 0][..]), Some(PasswordAlgorithm::Md5));
    assert_eq!(with(offer, md5), 0);
    assert_eq!(with(Some(&[0, 1, 0, 0]), md5), 400, "the better algorithm was taken out");
    assert_eq!(with(Some(&[0, 1, 0, 0, 0, 2, 0, 0]), md5), 400, "another order");
    assert_eq!(with(Some(&[]), md5), 400);
    assert_eq!(with(None, md5), 400);
    assert_eq!(with(offer, None), 400);
}

#[test]
fn an_unknown_algorithm_is_400() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.greet(&mut world);
    let mut proof = client.proof();
    proof.algorithms = Some(vec![0, 2, 0, 0, 0, 1, 0, 0]);
    for value in [&[0, 3, 0, 0][..], &[0, 2, 0, 4, 0, 0, 0, 0], &[0, 2], &[0, 2, 0, 0, 0, 1, 0, 0]] {
        let bytes = client.build(Method::ALLOCATE, Some(&proof), |b| {
            b.attribute(AttributeType::PASSWORD_ALGORITHM, value);
        });
        world.packet(client.at, &bytes);
        assert_eq!(world.answer().unwrap().code(), 400, "{value:?}");
    }
}

#[test]
fn a_listed_user_may_hide_behind_a_userhash() {
    let hashed = |name: &str| {
        code_with(|p| {
            p.username = None;
            p.userhash = Some(userhash(name.as_bytes(), REALM.as_bytes()));
        })
        .code()
    };
    assert_eq!(hashed("alice"), 0);
    assert_eq!(hashed("carol"), 401);
}

#[test]
fn a_truncated_sha_256_proves_nothing() {
    // The builder writes the full MAC only; a truncated one must be computed over its own length.
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.algorithm = Some(PasswordAlgorithm::Sha256);
    for (len, code) in [(32, 0), (28, 401), (16, 401), (12, 401), (0, 401)] {
        let mut bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
            b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        });
        truncate_mac(&mut bytes, len, &client.proof().key);
        world.packet(client.at, &bytes);
        assert_eq!(world.answer().unwrap().code(), code, "{len}");
    }
}

fn truncate_mac(bytes: &mut Vec<u8>, len: usize, key: &Key) {
    use hmac::{Hmac, KeyInit, Mac};
    let start = bytes.len() - 36;
    bytes.truncate(start);
    let total = (start + 4 + len - 20) as u16;
    bytes[2..4].copy_from_slice(&total.to_be_bytes());
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    let full = mac.finalize().into_bytes();
    bytes.extend([0x00, 0x1c, 0, len as u8]);
    bytes.extend(&full[..len]);
}

#[test]
fn what_stands_behind_the_integrity_is_not_obeyed() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    client.allocate(&mut world);
    let mut bytes = client.signed(&mut world, Method::REFRESH, |_| ());
    bytes.extend([0x00, 0x0d, 0, 4, 0, 0, 0, 0]);
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    world.packet(client.at, &bytes);
    let answer = world.answer().unwrap();
    assert_eq!((answer.code(), answer.lifetime()), (0, 600), "LIFETIME 0 was appended by somebody else");
}

#[test]
fn an_unknown_attribute_is_420_only_after_the_proof() {
    for method in METHODS {
        let (mut world, mut client) = (World::new(), Client::new(1));
        let unknown = |b: &mut posthouse_stun::Builder<'_>| {
            b.attribute(AttributeType(0x7fff), b"");
        };
        let bytes = client.build(method, None, unknown);
        world.packet(client.at, &bytes);
        assert_eq!(world.answer().unwrap().code(), 401);
        let answer = client.request(&mut world, method, unknown);
        assert_eq!(answer.code(), 420);
        assert_eq!(answer.message().attribute(AttributeType::UNKNOWN_ATTRIBUTES), Some(&[0x7f, 0xff][..]));
        assert!(answer.message().verify_integrity(Integrity::Sha1, client.proof().key.as_bytes()));
    }
}
