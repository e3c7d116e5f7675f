//! Where the two columns meet: a join hands out relay credentials, the end of a membership frees its allocations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use posthouse_relay::{Relay, now};
use posthouse_signaling::{IceConfig, IceServer, IceServers, RelayControl, RequestContext};

use crate::ice::{IceUrls, Mint};

/// A credential that was asked for at the moment of a kick may be made a little after it.
const UNDER_WAY: u64 = 60;

/// Credentials for whoever asks signaling for ICE servers; replaced as one.
pub(crate) struct FreshCredentials {
    made: ArcSwap<(IceUrls, Mint)>,
    /// When the last of all that were ever made expires, in seconds since 1970.
    last_expiry: AtomicU64,
}

impl FreshCredentials {
    /// `urls` with credentials of `mint`.
    pub(crate) fn new(urls: IceUrls, mint: Mint) -> Self {
        Self { made: ArcSwap::from_pointee((urls, mint)), last_expiry: AtomicU64::new(0) }
    }

    /// Others from now on.
    pub(crate) fn replace(&self, urls: IceUrls, mint: Mint) {
        self.made.store(Arc::new((urls, mint)));
    }

    /// When every credential that was made so far, or is being made, has expired; a reload may have shortened the life
    /// of those that were made since.
    fn all_expired_at(&self) -> u64 {
        self.last_expiry.load(Ordering::Acquire).saturating_add(UNDER_WAY)
    }
}

impl IceServers for FreshCredentials {
    fn ice_servers(&self, label: &str, _request: &RequestContext<'_>) -> IceConfig {
        let (urls, mint) = &*self.made.load_full();
        let minted = mint.credential(label);
        self.last_expiry.fetch_max(now().unix + mint.lifetime().as_secs(), Ordering::AcqRel);
        let stun = IceServer { urls: urls.stun.clone(), username: None, credential: None };
        let turn =
            IceServer { urls: urls.turn.clone(), username: Some(minted.username), credential: Some(minted.password) };
        let servers = [stun, turn].into_iter().filter(|server| !server.urls.is_empty()).collect();
        IceConfig { servers, lifetime: mint.lifetime().as_secs() }
    }
}

/// Ends what a former member holds on the relay.
pub(crate) struct EndOfMembership {
    pub(crate) relay: Arc<Relay>,
    pub(crate) credentials: Arc<FreshCredentials>,
}

impl RelayControl for EndOfMembership {
    fn end_user(&self, label: &str) {
        self.relay.end_user(label);
    }

    fn revoke_user(&self, label: &str) {
        self.relay.revoke_user(label, self.credentials.all_expired_at());
    }
}
