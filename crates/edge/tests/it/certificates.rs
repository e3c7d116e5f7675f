//! Pairs of files: which are good, which a client sees, and how they are replaced.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthouse_edge::{Carries, Certificates, Pair, PairFault, PairFile};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::world::{Files, PATIENCE, World, client, der, exactly, handshake, issue, shown, write};

fn date(days_from_now: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from(SystemTime::now()) + time::Duration::days(days_from_now)
}

fn expired(params: &mut rcgen::CertificateParams) {
    params.not_before = date(-30);
    params.not_after = date(-2);
}

/// What is done to a good pair, whose file is blamed, what is said.
type Bad = (fn(&Pair), PairFile, &'static str);

/// Every way in which a pair is bad.
fn bad() -> Vec<Bad> {
    vec![
        (|pair| std::fs::remove_file(&pair.certificate).unwrap(), PairFile::Certificate, "does not exist; name a file"),
        (|pair| std::fs::remove_file(&pair.key).unwrap(), PairFile::Key, "does not exist; name a file"),
        (|pair| write(&pair.certificate, "", 0o644), PairFile::Certificate, "is empty; write the PEM"),
        (|pair| write(&pair.key, "", 0o600), PairFile::Key, "is empty; write the PEM"),
        (|pair| write(&pair.certificate, "hello", 0o644), PairFile::Certificate, "holds no certificate; write"),
        (|pair| write(&pair.key, "hello", 0o600), PairFile::Key, "holds no private key; write"),
        (
            |pair| write(&pair.key, &issue("a", |_| {}).1, 0o600),
            PairFile::Key,
            "is not the key of the first certificate in ",
        ),
        (|pair| write(&pair.certificate, &issue("a", expired).0, 0o644), PairFile::Key, "is not the key of the first"),
        (|pair| swap(&pair.certificate, &pair.key), PairFile::Certificate, "holds a private key and no certificate"),
        (|pair| copy(&pair.certificate, &pair.key), PairFile::Key, "holds a certificate and no key; name the file"),
        (|pair| write_expired(pair), PairFile::Certificate, "expired on 2"),
        (|pair| write(&pair.key, ENCRYPTED, 0o600), PairFile::Key, "holds an encrypted key; remove its pass phrase"),
        (
            |pair| write(&pair.key, ENCRYPTED_OLD, 0o600),
            PairFile::Key,
            "holds an encrypted key; remove its pass phrase",
        ),
        (|pair| cut(&pair.certificate), PairFile::Certificate, "is broken ("),
        (|pair| cut(&pair.key), PairFile::Key, "is broken ("),
        (
            |pair| write(&pair.certificate, NOT_A_CERTIFICATE, 0o644),
            PairFile::Certificate,
            "holds what is no certificate",
        ),
        (|pair| write(&pair.key, NOT_A_KEY, 0o600), PairFile::Key, "holds a key that cannot be used"),
        (
            |pair| write(&pair.certificate, &" ".repeat(1024 * 1024 + 1), 0o644),
            PairFile::Certificate,
            "is larger than 1 MiB",
        ),
        (|pair| folder(&pair.key), PairFile::Key, "is not a regular file"),
    ]
}

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHs\n-----END ENCRYPTED PRIVATE KEY-----\n";
const ENCRYPTED_OLD: &str = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIHs\n-----END RSA PRIVATE KEY-----\n";
const NOT_A_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIHs\n-----END CERTIFICATE-----\n";
const NOT_A_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIHs\n-----END PRIVATE KEY-----\n";

fn swap(one: &Path, other: &Path) {
    let (first, second) = (std::fs::read_to_string(one).unwrap(), std::fs::read_to_string(other).unwrap());
    write(one, &second, 0o600);
    write(other, &first, 0o600);
}

fn copy(from: &Path, to: &Path) {
    write(to, &std::fs::read_to_string(from).unwrap(), 0o600);
}

/// Ends in the middle of a line, as a disk that is full leaves it.
fn cut(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    write(path, &text[..text.len() / 2], 0o600);
}

fn folder(path: &Path) {
    std::fs::remove_file(path).unwrap();
    std::fs::create_dir(path).unwrap();
}

fn write_expired(pair: &Pair) {
    let (certificate, key) = issue("localhost", expired);
    write(&pair.certificate, &certificate, 0o644);
    write(&pair.key, &key, 0o600);
}

fn assert_fault(fault: &PairFault, pair: &Pair, file: PairFile, words: &str) {
    let path = if file == PairFile::Key { &pair.key } else { &pair.certificate };
    assert_eq!((fault.file, &fault.path), (file, path), "{fault}");
    assert!(fault.to_string().starts_with(&format!("{}: {words}", path.display())), "{words}: {fault}");
}

#[test]
fn a_bad_pair_is_refused_with_its_file_and_what_to_do() {
    for (spoil, file, words) in bad() {
        let files = Files::new();
        let pair = files.pair("localhost");
        assert_eq!(pair.check(), Ok(Vec::new()));
        spoil(&pair);
        assert_fault(&Certificates::load(std::slice::from_ref(&pair)).unwrap_err(), &pair, file, words);
        assert_fault(&pair.check().unwrap_err(), &pair, file, words);
    }
}

#[test]
fn one_bad_pair_among_several_is_the_one_that_is_named() {
    let files = Files::new();
    let pairs = [files.pair("a.example"), files.pair_with("b.example", expired)];
    assert_fault(&Certificates::load(&pairs).unwrap_err(), &pairs[1], PairFile::Certificate, "expired on 2");
}

#[test]
fn a_key_that_everybody_can_read_is_doubtful_and_served() {
    let files = Files::new();
    let pair = files.pair("localhost");
    write(&pair.key, &std::fs::read_to_string(&pair.key).unwrap(), 0o644);
    let certificates = Certificates::load(std::slice::from_ref(&pair)).unwrap();
    let warnings = certificates.warnings();
    assert_eq!(warnings.len(), 1);
    assert_fault(&warnings[0], &pair, PairFile::Key, "can be read by everybody on this machine; chmod 0640");
    assert_eq!(pair.check(), Ok(warnings));
}

#[test]
fn a_certificate_of_tomorrow_is_doubtful_and_served() {
    let files = Files::new();
    let pair = files.pair_with("localhost", |params| params.not_before = date(2));
    let warnings = pair.check().unwrap();
    assert_fault(&warnings[0], &pair, PairFile::Certificate, "is not valid before 2");
}

#[test]
fn the_days_that_are_left_are_told_for_each_certificate() {
    let files = Files::new();
    let pairs = [
        files.pair_with("a.example", |params| params.not_after = date(30) + time::Duration::HOUR),
        files.pair_with("b.example", |params| params.not_after = date(0) + time::Duration::HOUR),
    ];
    let expiries = Certificates::load(&pairs).unwrap().expiries();
    assert_eq!(
        expiries.iter().map(|expiry| &expiry.certificate).collect::<Vec<_>>(),
        [&pairs[0].certificate, &pairs[1].certificate]
    );
    assert_eq!(expiries.iter().map(|expiry| expiry.days_left).collect::<Vec<_>>(), [30, 0]);
}

async fn certificate_for(world: &World, name: &str) -> rustls::pki_types::CertificateDer<'static> {
    shown(&handshake(client(&["stun.turn"]), name, world.connect().await).await.unwrap())
}

#[tokio::test]
async fn a_name_chooses_its_certificate_and_the_first_is_for_everybody_else() {
    let files = Files::new();
    let pairs = [files.pair("a.example"), files.pair("b.example"), files.pair("*.c.example")];
    let world = World::with(Carries::All, &pairs, |_| {}).await;
    for (name, chosen) in [
        ("a.example", 0),
        ("b.example", 1),
        ("B.EXAMPLE", 1),
        ("x.c.example", 2),
        ("c.example", 0),
        ("x.b.example", 0),
        ("elsewhere.example", 0),
        // No server_name is sent for an address.
        ("127.0.0.1", 0),
    ] {
        assert_eq!(certificate_for(&world, name).await, der(&pairs[chosen].certificate), "{name}");
    }
}

#[tokio::test]
async fn a_good_pair_is_served_to_the_next_client_while_the_last_one_goes_on() {
    let files = Files::new();
    let pair = files.pair("localhost");
    let mut world = World::with(Carries::All, std::slice::from_ref(&pair), |_| {}).await;
    let old = der(&pair.certificate);
    let mut living = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap();
    let mut served = world.http().await;
    files.pair("localhost");
    assert_eq!(certificate_for(&world, "localhost").await, old);
    world.certificates.reload().unwrap();
    let new = der(&pair.certificate);
    assert_ne!(old, new);
    assert_eq!(certificate_for(&world, "localhost").await, new);
    living.write_all(b"still here").await.unwrap();
    assert_eq!(exactly(&mut served.connection.stream, 10).await, b"still here");
}

#[tokio::test]
async fn a_bad_pair_leaves_the_old_one_serving() {
    for (spoil, file, words) in bad() {
        let files = Files::new();
        let pair = files.pair("localhost");
        let world = World::with(Carries::All, std::slice::from_ref(&pair), |_| {}).await;
        let (old, expiries) = (der(&pair.certificate), world.certificates.expiries());
        spoil(&pair);
        assert_fault(&world.certificates.reload().unwrap_err(), &pair, file, words);
        assert_eq!(certificate_for(&world, "localhost").await, old);
        assert_eq!(world.certificates.expiries(), expiries);
    }
}

#[tokio::test]
async fn other_pairs_take_over_when_all_of_them_are_good() {
    let files = Files::new();
    let (one, other, bad) = (files.pair("a.example"), files.pair("b.example"), files.pair_with("c.example", expired));
    let world = World::with(Carries::All, std::slice::from_ref(&one), |_| {}).await;
    world.certificates.replace(&[other.clone(), bad]).unwrap_err();
    assert_eq!(certificate_for(&world, "b.example").await, der(&one.certificate));
    world.certificates.replace(&[other.clone(), one.clone()]).unwrap();
    assert_eq!(certificate_for(&world, "b.example").await, der(&other.certificate));
    assert_eq!(certificate_for(&world, "a.example").await, der(&one.certificate));
    world.certificates.reload().unwrap();
    assert_eq!(world.certificates.expiries().len(), 2);
}

#[tokio::test]
async fn the_watch_serves_a_new_pair_when_both_of_its_files_have_come() {
    let files = Files::new();
    let pair = files.pair("localhost");
    let world = World::with(Carries::All, std::slice::from_ref(&pair), |_| {}).await;
    let old = der(&pair.certificate);
    let watch = tokio::spawn(Arc::clone(&world.certificates).watch(Duration::from_millis(5)));
    let (certificate, key) = issue("localhost", |_| {});
    write(&pair.certificate, &certificate, 0o644);
    // Long enough for some looks at a pair that does not belong together; a slow machine only looks less often.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(certificate_for(&world, "localhost").await, old);
    write(&pair.key, &key, 0o600);
    let new = der(&pair.certificate);
    let renewed = async { while certificate_for(&world, "localhost").await != new {} };
    timeout(PATIENCE, renewed).await.expect("the new pair is served");
    watch.abort();
}
