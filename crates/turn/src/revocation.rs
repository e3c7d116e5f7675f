//! Credentials that were taken back before their time: a signature cannot be unmade, so it is remembered that it no
//! longer counts, for as long as it would have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Now, Settings, Shared};

/// Users that are remembered; of more, whoever's credentials expire first is forgotten. About 10 MB when full.
pub(crate) const REVOKED_MAX: usize = 65_536;

/// Users whose time-limited credentials are refused, over all servers that share them.
#[derive(Debug, Default)]
pub(crate) struct Revocations {
    list: Mutex<List>,
    /// How many there are, so that a request costs no lock where there is none.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct List {
    /// Until when each is refused, in seconds since 1970.
    until: BTreeMap<Arc<str>, u64>,
    /// The same, the earliest first.
    order: BTreeSet<(u64, Arc<str>)>,
}

impl Shared {
    /// From now on no time-limited credential of a user id is good, whenever it was made; until `until` (seconds since
    /// 1970), when the last of them has expired. Static users are not meant, and nobody is called "". What the user has
    /// on the relay stays: that is [`crate::Server::end_user`]'s.
    ///
    /// Answers who is no longer refused instead, as the list is full.
    pub fn revoke(&self, now: Now, user: &str, until: u64) -> Option<Arc<str>> {
        let revocations = self.revocations();
        let mut list = revocations.lock();
        let forgotten = if user.is_empty() { None } else { list.add(now.unix, user, until) };
        revocations.count.store(list.until.len(), Ordering::Release);
        forgotten
    }

    /// Users whose credentials are refused, those whose time is over perhaps included.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.revocations().count.load(Ordering::Relaxed)
    }

    /// Whether the credential of this name was taken back.
    pub(crate) fn has_revoked(&self, now: Now, settings: &Settings, name: &str) -> bool {
        let revocations = self.revocations();
        if revocations.count.load(Ordering::Acquire) == 0 || settings.credentials.expiry(name).is_none() {
            return false;
        }
        let user = settings.credentials.user_id(name);
        revocations.lock().until.get(user).is_some_and(|until| now.unix < *until)
    }
}

impl Revocations {
    /// A thread that panicked elsewhere does not take the list with it: every update is whole before it can panic.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    fn add(&mut self, now: u64, user: &str, until: u64) -> Option<Arc<str>> {
        while self.order.first().is_some_and(|(until, _)| *until <= now) {
            self.remove_first();
        }
        let (user, before) = match self.until.get_key_value(user) {
            Some((known, before)) => (Arc::clone(known), *before),
            None => (user.into(), 0),
        };
        self.order.remove(&(before, Arc::clone(&user)));
        self.order.insert((until.max(before), Arc::clone(&user)));
        self.until.insert(user, until.max(before));
        (self.until.len() > REVOKED_MAX).then(|| self.remove_first()).flatten()
    }

    fn remove_first(&mut self) -> Option<Arc<str>> {
        let (_, user) = self.order.pop_first()?;
        self.until.remove(&user);
        Some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_forgets_whoever_expires_first_and_nobody_before() {
        let mut list = List::default();
        for n in 0..REVOKED_MAX as u64 {
            assert_eq!(list.add(100, &format!("user-{n}"), 1_000 + n), None);
        }
        assert_eq!(list.add(100, "late", 900_000).as_deref(), Some("user-0"));
        assert_eq!(list.add(100, "user-1", 900_001), None, "known already");
        assert_eq!(list.add(100, "later", 900_002).as_deref(), Some("user-2"), "user-1 stays longer now");
        assert_eq!((list.until.len(), list.order.len()), (REVOKED_MAX, REVOKED_MAX));
    }

    #[test]
    fn what_has_expired_makes_room() {
        let mut list = List::default();
        list.add(100, "brief", 200);
        list.add(100, "long", 300);
        list.add(200, "next", 400);
        assert_eq!(list.until.keys().map(|user| &**user).collect::<Vec<_>>(), ["long", "next"]);
        list.add(200, "long", 250);
        assert_eq!(list.until["long"], 300, "a later revocation shortens none");
        assert_eq!(list.order.len(), 2);
    }
}
