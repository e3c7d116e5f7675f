//! ICE servers: `/v1alpha/iceconfig`, the older `/turn`, and a member's own in the answer to its join.

use serde::Serialize;

use crate::{
    IceConfig, IceServer, RequestContext, Signaling, json, random,
    respond::{self, Reply},
    visit::Visit,
};

#[derive(Serialize)]
pub(crate) struct IceAnswer<'a> {
    #[serde(rename = "iceServers")]
    ice_servers: &'a [IceServer],
    #[serde(rename = "lifetimeDuration")]
    lifetime_duration: String,
}

/// The TURN REST API's shape, which clients before 2016 read.
#[derive(Serialize)]
pub(crate) struct TurnAnswer<'a> {
    username: &'a str,
    password: &'a str,
    ttl: u64,
    uris: Vec<&'a str>,
}

impl<'a> IceAnswer<'a> {
    pub(crate) fn of(ice: &'a IceConfig) -> Self {
        Self { ice_servers: &ice.servers, lifetime_duration: format!("{}.000s", ice.lifetime) }
    }
}

impl<'a> TurnAnswer<'a> {
    /// The relay alone: this shape has one credential, and no room for servers without one.
    pub(crate) fn of(ice: &'a IceConfig) -> Self {
        let with_credential = |server: &&IceServer| server.username.is_some();
        let first = ice.servers.iter().find(with_credential);
        let uris = ice.servers.iter().filter(with_credential).flat_map(|server| &server.urls);
        Self {
            username: first.and_then(|server| server.username.as_deref()).unwrap_or_default(),
            password: first.and_then(|server| server.credential.as_deref()).unwrap_or_default(),
            ttl: ice.lifetime,
            uris: uris.map(String::as_str).collect(),
        }
    }

    /// Is there a relay at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.uris.is_empty()
    }
}

impl Signaling {
    /// `GET` and `POST /v1alpha/iceconfig`. Clients ask before they join, so the credentials are nobody's in particular.
    pub(crate) fn ice_config(&self, visit: &Visit) -> Reply {
        respond::json(&IceAnswer::of(&self.mint(&random::label().0, &visit.context())))
    }

    /// `GET /turn`. The `username` in the query is a label of the client's choice; we choose our own.
    pub(crate) fn turn(&self, visit: &Visit) -> Reply {
        let ice = self.mint(&random::label().0, &visit.context());
        respond::json(&TurnAnswer::of(&ice))
    }

    /// A member's own servers as JSON in a string, like its neighbours among the parameters.
    pub(super) fn member_ice(&self, label: &str, visit: &Visit) -> String {
        json::write(&self.mint(label, &visit.context()).servers)
    }

    /// Servers for one who asks; those without URLs are left out.
    pub(crate) fn mint(&self, label: &str, request: &RequestContext<'_>) -> IceConfig {
        let mut ice = self.ports.ice.ice_servers(label, request);
        ice.servers.retain(|server| !server.urls.is_empty());
        ice
    }
}
