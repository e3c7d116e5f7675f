//! Where the two columns meet: a join hands out relay credentials, the end of a membership frees its allocations.

use std::sync::Arc;

use arc_swap::ArcSwap;
use posthouse_relay::Relay;
use posthouse_signaling::{IceConfig, IceServer, IceServers, RelayControl, RequestContext};

use crate::ice::{IceUrls, Mint};

/// Credentials for whoever asks signaling for ICE servers; replaced as one.
pub(crate) struct FreshCredentials(ArcSwap<(IceUrls, Mint)>);

impl FreshCredentials {
    /// `urls` with credentials of `mint`.
    pub(crate) fn new(urls: IceUrls, mint: Mint) -> Self {
        Self(ArcSwap::from_pointee((urls, mint)))
    }

    /// Others from now on.
    pub(crate) fn replace(&self, urls: IceUrls, mint: Mint) {
        self.0.store(Arc::new((urls, mint)));
    }
}

impl IceServers for FreshCredentials {
    fn ice_servers(&self, label: &str, _request: &RequestContext<'_>) -> IceConfig {
        let (urls, mint) = &*self.0.load_full();
        let minted = mint.credential(label);
        let stun = IceServer { urls: urls.stun.clone(), username: None, credential: None };
        let turn =
            IceServer { urls: urls.turn.clone(), username: Some(minted.username), credential: Some(minted.password) };
        let servers = [stun, turn].into_iter().filter(|server| !server.urls.is_empty()).collect();
        IceConfig { servers, lifetime: mint.lifetime().as_secs() }
    }
}

/// Ends what a former member holds on the relay.
pub(crate) struct EndOfMembership(pub(crate) Arc<Relay>);

impl RelayControl for EndOfMembership {
    fn end_user(&self, label: &str) {
        self.0.end_user(label);
    }
}
