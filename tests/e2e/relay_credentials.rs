//! What becomes of an allocation when its credential expires.

use std::time::{Duration, Instant};

use posthouse_probe::{Allocation, Ask, Failure, Target, allocate};
use tokio::time::sleep;

use crate::harness::credential::{now, time_limited};
use crate::harness::settings::SECRET;
use crate::harness::{Server, Settings};

/// What does not come within this time never will.
const LIMIT: Duration = Duration::from_secs(60);
const HOUR: Ask = Ask { lifetime: Some(Duration::from_secs(3600)), family: None };

/// A server where each user has room for one allocation, and alice's, made with a credential of a few seconds.
async fn allocated(settings: Settings) -> (Server, Target, Allocation) {
    let server = Server::start(&settings.limits("allocations_per_user = 1"));
    let (username, password) = time_limited(SECRET, "alice", now() + 5);
    let brief = Target::new(server.relay, username, password);
    let allocation = allocate(&brief, &HOUR).await.unwrap();
    (server, brief, allocation)
}

/// Asks until the answer has the code: other answers are allowed before the expiry only.
async fn refused_with_401(target: &Target) {
    let until = Instant::now() + LIMIT;
    loop {
        let refused: Failure = allocate(target, &HOUR).await.err().expect("one allocation is there already");
        match refused.code() {
            Some(401) => return,
            Some(486) => assert!(Instant::now() < until, "never expired"),
            _ => panic!("{refused}"),
        }
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn an_expired_credential_makes_nothing_new_and_goes_on_refreshing_what_it_made() {
    let (server, brief, mut allocation) = allocated(Settings::default()).await;
    assert_eq!(allocation.lifetime(), Duration::from_secs(3600));
    refused_with_401(&brief).await;
    assert_eq!(allocation.refresh(Duration::from_secs(1200)).await.unwrap(), Duration::from_secs(1200));
    let full = allocate(&server.target("alice"), &HOUR).await.err().expect("it still lives");
    assert_eq!(full.code(), Some(486), "{full}");
}

#[tokio::test]
async fn with_strict_expiry_the_allocation_ends_when_its_credential_expires() {
    let (server, brief, mut allocation) = allocated(Settings::default().auth("strict_expiry = true")).await;
    assert!(allocation.lifetime() <= Duration::from_secs(5), "{:?}", allocation.lifetime());
    refused_with_401(&brief).await;
    let refused = allocation.refresh(Duration::from_secs(600)).await.unwrap_err();
    assert_eq!(refused.code(), Some(401), "{refused}");
    let until = Instant::now() + LIMIT;
    while let Some(full) = allocate(&server.target("alice"), &HOUR).await.err() {
        assert_eq!(full.code(), Some(486), "{full}");
        assert!(Instant::now() < until, "it never ended");
        sleep(Duration::from_millis(200)).await;
    }
}
