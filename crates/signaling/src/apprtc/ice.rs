//! ICE servers: `/v1alpha/iceconfig`, the older `/turn`, and a member's own in the answer to its join.

use serde::Serialize;

use crate::{
    IceConfig, IceServer, RequestContext, Signaling, json, random,
    respond::{self, Reply},
    visit::Visit,
};

#[derive(Serialize)]
struct IceAnswer<'a> {
    #[serde(rename = "iceServers")]
    ice_servers: &'a [IceServer],
    #[serde(rename = "lifetimeDuration")]
    lifetime_duration: String,
}

/// The TURN REST API's shape, which clients before 2016 read.
#[derive(Serialize)]
struct TurnAnswer<'a> {
    username: &'a str,
    password: &'a str,
    ttl: u64,
    uris: Vec<&'a str>,
}

impl Signaling {
    /// `GET` and `POST /v1alpha/iceconfig`. Clients ask before they join, so the credentials are nobody's in particular.
    pub(crate) fn ice_config(&self, visit: &Visit) -> Reply {
        let ice = self.mint(&random::label().0, &visit.context());
        let lifetime_duration = format!("{}.000s", ice.lifetime);
        respond::json(&IceAnswer { ice_servers: &ice.servers, lifetime_duration })
    }

    /// `GET /turn`. The `username` in the query is a label of the client's choice; we choose our own.
    pub(crate) fn turn(&self, visit: &Visit) -> Reply {
        let ice = self.mint(&random::label().0, &visit.context());
        let with_credential = |server: &&IceServer| server.username.is_some();
        let first = ice.servers.iter().find(with_credential);
        let uris = ice.servers.iter().filter(with_credential).flat_map(|server| &server.urls);
        respond::json(&TurnAnswer {
            username: first.and_then(|server| server.username.as_deref()).unwrap_or_default(),
            password: first.and_then(|server| server.credential.as_deref()).unwrap_or_default(),
            ttl: ice.lifetime,
            uris: uris.map(String::as_str).collect(),
        })
    }

    /// A member's own servers as JSON in a string, like its neighbours among the parameters.
    pub(super) fn member_ice(&self, label: &str, visit: &Visit) -> String {
        json::write(&self.mint(label, &visit.context()).servers)
    }

    pub(crate) fn mint(&self, label: &str, request: &RequestContext<'_>) -> IceConfig {
        let mut ice = self.ports.ice.ice_servers(label, request);
        ice.servers.retain(|server| !server.urls.is_empty());
        ice
    }
}
