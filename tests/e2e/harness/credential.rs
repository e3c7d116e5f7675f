//! Time-limited credentials, computed here a second time: `expiry:user`, base64(HMAC-SHA1(secret, username)).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// The password of a time-limited username.
pub(crate) fn password(secret: &str, username: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(username.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Username and password that expire `expiry` seconds after 1970.
pub(crate) fn time_limited(secret: &str, user: &str, expiry: u64) -> (String, String) {
    let username = format!("{expiry}:{user}");
    let password = password(secret, &username);
    (username, password)
}

#[test]
fn the_published_vector_of_coturns_shared_secret_holds() {
    assert_eq!(password("north", "1700000000:alice"), "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
}
