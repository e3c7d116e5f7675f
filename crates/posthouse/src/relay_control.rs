//! Where the two columns meet: a join hands out relay credentials, the end of a membership frees its allocations.

use std::sync::Arc;

use posthouse_relay::Relay;
use posthouse_signaling::{IceConfig, IceServer, IceServers, RelayControl, RequestContext};

use crate::ice::{IceUrls, Mint};

/// Credentials for whoever asks signaling for ICE servers.
pub(crate) struct FreshCredentials {
    pub(crate) urls: IceUrls,
    pub(crate) mint: Mint,
}

impl IceServers for FreshCredentials {
    fn ice_servers(&self, label: &str, _request: &RequestContext<'_>) -> IceConfig {
        let minted = self.mint.credential(label);
        let stun = IceServer { urls: self.urls.stun.clone(), username: None, credential: None };
        let turn = IceServer {
            urls: self.urls.turn.clone(),
            username: Some(minted.username),
            credential: Some(minted.password),
        };
        let servers = [stun, turn].into_iter().filter(|server| !server.urls.is_empty()).collect();
        IceConfig { servers, lifetime: self.mint.lifetime().as_secs() }
    }
}

/// Ends what a former member holds on the relay.
pub(crate) struct EndOfMembership(pub(crate) Arc<Relay>);

impl RelayControl for EndOfMembership {
    fn end_user(&self, label: &str) {
        self.0.end_user(label);
    }
}
