//! Is this request who it says it is: the long-term credential mechanism (RFC 8489 §9.2.4).
//!
//! The nonce is judged before the user, so that a flood of wrong MACs from forged sources costs one HMAC a packet.

use std::fmt;

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Integrity, Key, PasswordAlgorithm};

use crate::allocation::Allocation;
use crate::refusal::BadRequest;
use crate::request::Request;
use crate::{Refusal, Server};

/// PASSWORD-ALGORITHMS as offered: SHA-256, MD5, in this order, without parameters (RFC 8489 §14.11).
pub(crate) const PASSWORD_ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

/// How an answer to an authenticated request is signed: with the key that verified it.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) integrity: Integrity,
    pub(crate) key: Key,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("integrity", &self.integrity).finish_non_exhaustive()
    }
}

/// Who a verified request comes from.
#[derive(Debug)]
pub(crate) struct Caller<'r> {
    pub(crate) username: &'r str,
    pub(crate) algorithm: PasswordAlgorithm,
    pub(crate) signer: Signer,
}

impl Server {
    /// The checks of RFC 8489 §9.2.4 in our order: integrity, completeness, nonce, algorithms, user, MAC, expiry, revocation.
    pub(crate) fn authenticate<'r>(&mut self, request: &Request<'r>) -> Result<Caller<'r>, Refusal> {
        let Request { message, settings, now, .. } = *request;
        let from = request.reply.to;

        // 1. No proof at all: the usual first request.
        let integrity = message.integrity().ok_or(Refusal::Unauthenticated)?;

        // 2. A proof, but not of whom.
        let (username, userhash) = (message.username()?, message.userhash()?);
        if username.is_none() && userhash.is_none() {
            return Err(Refusal::missing(AttributeType::USERNAME));
        }
        let realm = message.realm()?.ok_or(Refusal::missing(AttributeType::REALM))?;
        let nonce = message.nonce()?.ok_or(Refusal::missing(AttributeType::NONCE))?;

        // 3. A nonce of ours, for this source, and young. It also proves that the source is not forged.
        if !settings.nonce_keys.verify(now, &from, nonce, settings.nonce_lifetime) {
            return Err(Refusal::StaleNonce);
        }
        self.limiter.mark_verified(now.instant, from.client.ip());

        // 4. The algorithm, and that nobody took the better one out of our offer.
        let chosen = password_algorithm(request)?;
        let algorithm = chosen.unwrap_or(PasswordAlgorithm::Md5);

        // 5. and 6. The user and the MAC, in one, so that an unknown user costs the same.
        let name = match (username, userhash) {
            (Some(name), _) => std::str::from_utf8(name).ok(),
            (None, Some(hash)) => settings.credentials.name_of(hash),
            (None, None) => None,
        };
        let name = name.filter(|_| realm == settings.credentials.realm().as_bytes());
        let allocation = self.table.find(&from).and_then(|id| self.table.get_mut(id));
        let allocation = allocation.filter(|a| name == Some(&a.username) && a.lives(now.instant));
        let cached = allocation.as_ref().and_then(|a| a.key.as_deref()).filter(|(of, _)| *of == algorithm);
        let key = match cached {
            Some((_, key)) => Some(key.clone()).filter(|key| message.verify_integrity(integrity, key.as_bytes())),
            None => settings.credentials.verify(&message, integrity, algorithm, name).map(|verified| {
                if let Some(secret) = verified.secret {
                    self.stats.secrets[secret.min(3)] += 1;
                }
                verified.key
            }),
        };
        let (Some(key), Some(username)) = (key, name) else { return Err(Refusal::Unauthenticated) };

        // 7. A credential that has expired may still refresh what it made (for as long as a session may last).
        let may_go_on = |a: &Allocation| settings.may_go_on(now, a);
        let may_go_on = allocation.as_deref().is_some_and(may_go_on) || request.has_ticket();
        if let Some(allocation) = allocation {
            allocation.key.get_or_insert_with(|| Box::new((algorithm, key.clone())));
        }
        let has_expired = settings.has_expired(now, username) && !may_go_on && !self.may_bind_on(request, username);
        // 8. One that was taken back does nothing more, refresh included.
        if has_expired || self.shared.has_revoked(now, settings, username) {
            return Err(Refusal::Unauthenticated);
        }

        // The answer is signed with SHA-256 unless the client knows nothing of algorithms (RFC 8489 §9.2.4).
        let integrity = if chosen.is_some() { Integrity::Sha256 } else { Integrity::Sha1 };
        Ok(Caller { username, algorithm, signer: Signer { integrity, key } })
    }
}

/// Our nonces always announce PASSWORD-ALGORITHMS. Then a request carries neither of the two attributes and means MD5,
/// or both, with the list as we sent it and a choice out of it; anything else is 400 (RFC 8489 §9.2.4).
fn password_algorithm(request: &Request<'_>) -> Result<Option<PasswordAlgorithm>, Refusal> {
    let malformed = Refusal::malformed(AttributeType::PASSWORD_ALGORITHM);
    let list = request.message.password_algorithms();
    match (list, request.message.password_algorithm()?) {
        (None, None) => Ok(None),
        (Some(list), Some(chosen)) if list == PASSWORD_ALGORITHMS => chosen.map(Some).map_err(|_| malformed),
        (Some(_), Some(_)) => Err(Refusal::malformed(AttributeType::PASSWORD_ALGORITHMS)),
        (None, Some(_)) => Err(Refusal::BadRequest(BadRequest::Missing(AttributeType::PASSWORD_ALGORITHMS))),
        (Some(_), None) => Err(Refusal::BadRequest(BadRequest::Missing(AttributeType::PASSWORD_ALGORITHM))),
    }
}
