//! Who may: the token in a header or a session's cookie, and no page of anybody else's.
//!
//! ```text
//! tools      Authorization: Bearer TOKEN
//! dashboard  POST /api/session with that header, once ──► Set-Cookie: posthouse_admin=ID; HttpOnly; SameSite=Strict
//! ```
//! A cookie is sent along whoever made the browser ask, so what changes something must also carry a header that a page of
//! another origin cannot set without being asked for permission first, which nobody here gives.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, ORIGIN};
use posthouse_config::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::Token;

/// How long a session lasts: a working day.
const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at a time; one more ends the oldest.
const SESSIONS: usize = 32;
/// The cookie that carries a session's id.
const NAME: &str = "posthouse_admin";
/// What state-changing requests of the dashboard carry; its value does not matter.
const OWN_HEADER: &str = "x-posthouse";
/// Between two lines in the log about wrong tokens, in seconds.
const COMPLAIN_EVERY: u64 = 60;

type Digest = [u8; 32];

/// The token in force, and who has shown it.
pub(crate) struct Access {
    token: Arc<Token>,
    sessions: Mutex<Vec<Session>>,
    begun: Instant,
    /// When the log last heard of a wrong token, in seconds since `begun`, plus one.
    complained: AtomicU64,
}

/// Somebody who has shown a token. What is kept opens nothing.
struct Session {
    id: Digest,
    /// The token that was shown: with another one in force, the session is over.
    token: Digest,
    until: Instant,
}

impl Access {
    pub(crate) fn new(token: Arc<Token>) -> Self {
        Self { token, sessions: Mutex::default(), begun: Instant::now(), complained: AtomicU64::new(0) }
    }

    /// Is nobody asked who he is?
    pub(super) fn is_open(&self) -> bool {
        self.token.load().is_none()
    }

    /// May whoever sends these headers see everything?
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let token = self.token.load();
        let Some(token) = token.as_ref() else { return true };
        self.shows(token, headers) || self.is_session(token, headers)
    }

    /// A cookie for whoever shows the token itself; `Some("")` where none is needed.
    pub(super) fn sign_in(&self, headers: &HeaderMap) -> Option<String> {
        let token = self.token.load();
        let Some(token) = token.as_ref() else { return Some(String::new()) };
        if !self.shows(token, headers) {
            return None;
        }
        let mut id = [0; 32];
        getrandom::fill(&mut id).ok()?;
        let id = BASE64_URL_SAFE_NO_PAD.encode(id);
        let mut sessions = self.sessions();
        let now = Instant::now();
        sessions.retain(|session| session.until > now);
        if sessions.len() >= SESSIONS {
            sessions.remove(0);
        }
        sessions.push(Session { id: digest(&id), token: digest(token.expose()), until: now + SESSION });
        Some(format!("{NAME}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", SESSION.as_secs()))
    }

    /// Ends the session, if there is one; the answer is a cookie that makes the browser forget its own.
    pub(super) fn sign_out(&self, headers: &HeaderMap) -> String {
        if let Some(id) = cookie(headers).map(digest) {
            self.sessions().retain(|session| session.id != id);
        }
        format!("{NAME}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    fn shows(&self, token: &Secret, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
        // The scheme's case does not matter (RFC 9110 §11.1).
        let Some((_, given)) = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer ")) else {
            return false;
        };
        // Digests have one length, so that the time tells nothing of the token's.
        let is_right = bool::from(digest(given).ct_eq(&digest(token.expose())));
        if !is_right {
            self.complain();
        }
        is_right
    }

    fn is_session(&self, token: &Secret, headers: &HeaderMap) -> bool {
        let Some(id) = cookie(headers).map(digest) else { return false };
        let (token, now) = (digest(token.expose()), Instant::now());
        self.sessions().iter().any(|one| one.id == id && one.token == token && one.until > now)
    }

    /// Anybody who reaches the listener can make us say this, so it is said once a minute.
    fn complain(&self) {
        let (now, last) = (self.begun.elapsed().as_secs(), self.complained.load(Ordering::Relaxed));
        if (last == 0 || now >= last - 1 + COMPLAIN_EVERY)
            && self.complained.compare_exchange(last, now + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            tracing::warn!(target: "admin", "a request with a wrong token was refused; more in this minute are not told");
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Was this request made by a page of ours, or by no page at all? For requests that change something.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let of_origin = text(ORIGIN.as_str()).is_none_or(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == text(HOST.as_str())
    });
    let of_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    of_origin && of_site && (headers.contains_key(OWN_HEADER) || headers.contains_key(AUTHORIZATION))
}

/// Without a token, the browser's rules are all that keeps other pages out, and they go by names: a page whose name was
/// made to point at this machine (DNS rebinding) would be at home here. So only an address, or `localhost`, will do.
pub(super) fn is_at_home(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return true };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, id)| id)
}

fn digest(text: impl AsRef<[u8]>) -> Digest {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    const TOKEN: &str = "a token of the tests alone";

    fn access(token: Option<&str>) -> (Access, Arc<Token>) {
        let token = Arc::new(Token::from_pointee(token.map(secret)));
        (Access::new(Arc::clone(&token)), token)
    }

    fn secret(text: &str) -> Secret {
        let toml = format!("[admin]\ntoken = \"{}\"\n", text.replace(' ', "-"));
        posthouse_config::parse(&toml, "test").unwrap().config.admin.token.unwrap()
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let pairs =
            all.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    fn bearer(token: &str) -> HeaderMap {
        headers(&[("authorization", &format!("bEARER {}", token.replace(' ', "-")))])
    }

    fn with_cookie(set: &str) -> HeaderMap {
        headers(&[("cookie", &format!("other=1; {}", set.split(';').next().unwrap()))])
    }

    #[test]
    fn only_the_token_opens_a_session_and_the_session_everything() {
        let (access, _) = access(Some(TOKEN));
        for wrong in
            [headers(&[]), bearer("another token of the tests"), bearer(""), headers(&[("authorization", "x")])]
        {
            assert!(!access.allows(&wrong) && access.sign_in(&wrong).is_none(), "{wrong:?}");
        }
        let set = access.sign_in(&bearer(TOKEN)).unwrap();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("token"), "{set}");
        assert!(access.allows(&with_cookie(&set)));
        assert!(access.sign_in(&with_cookie(&set)).is_none(), "a session makes no session");
    }

    #[test]
    fn a_session_ends_by_signing_out_and_with_the_token_it_was_opened_by() {
        let (access, token) = access(Some(TOKEN));
        let [first, second] = [(); 2].map(|()| access.sign_in(&bearer(TOKEN)).unwrap());
        let forget = access.sign_out(&with_cookie(&first));
        assert!(forget.contains("Max-Age=0"), "{forget}");
        assert!(!access.allows(&with_cookie(&first)) && access.allows(&with_cookie(&second)));
        token.store(Arc::new(Some(secret("the next token of the tests"))));
        assert!(!access.allows(&with_cookie(&second)));
    }

    #[test]
    fn there_are_never_more_sessions_than_the_table_holds() {
        let (access, _) = access(Some(TOKEN));
        let all: Vec<String> = (0..SESSIONS + 5).map(|_| access.sign_in(&bearer(TOKEN)).unwrap()).collect();
        assert_eq!(access.sessions().len(), SESSIONS);
        assert!(!access.allows(&with_cookie(&all[4])), "the oldest go first");
        assert!(access.allows(&with_cookie(&all[5])));
    }

    #[test]
    fn without_a_token_everybody_may_and_needs_no_cookie() {
        let (access, _) = access(None);
        assert!(access.allows(&headers(&[])));
        assert_eq!(access.sign_in(&headers(&[])).as_deref(), Some(""));
    }

    #[test]
    fn what_another_page_makes_a_browser_send_is_not_our_own() {
        let host = ("host", "127.0.0.1:9641");
        let own = ("x-posthouse", "1");
        assert!(is_own(&headers(&[host, own])));
        assert!(is_own(&headers(&[host, ("authorization", "Bearer x")])));
        assert!(is_own(&headers(&[host, own, ("origin", "http://127.0.0.1:9641"), ("sec-fetch-site", "same-origin")])));
        for foreign in [
            vec![host],
            vec![host, ("origin", "http://127.0.0.1:9641")],
            vec![host, own, ("origin", "http://127.0.0.1:8080")],
            vec![host, own, ("origin", "https://evil.example")],
            vec![host, own, ("origin", "null")],
            vec![host, own, ("sec-fetch-site", "same-site")],
            vec![host, own, ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!is_own(&headers(&foreign)), "{foreign:?}");
        }
    }

    #[test]
    fn a_name_that_was_made_to_point_here_is_not_our_home() {
        for home in ["127.0.0.1:9641", "[::1]:9641", "[::1]", "localhost", "LOCALHOST:1234", "192.0.2.1"] {
            assert!(is_at_home(&headers(&[("host", home)])), "{home}");
        }
        for away in ["evil.example:9641", "localhost.evil.example", "127.0.0.1.evil.example", "", "::::"] {
            assert!(!is_at_home(&headers(&[("host", away)])), "{away}");
        }
    }
}
