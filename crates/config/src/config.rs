//! The whole configuration: a struct for each table of the file, all values checked.

use crate::reading::Reading;
use crate::{Admin, Auth, Cluster, Edge, Limits, Log, Relay, Rooms, Signaling, Tls, Web, Webhooks};
use crate::{availability, listeners, tls, unknown};

/// What the operator wants. `Config::default()` is what runs without a file: everything on localhost.
///
/// It has no `..` for its readers: who wires it destructures it, so that a new key cannot be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `[web]`: the listeners of rooms, signaling and pages.
    pub web: Web,
    /// `[rooms]`
    pub rooms: Rooms,
    /// `[signaling]`
    pub signaling: Signaling,
    /// `[webhooks]`: who is told what happens to rooms.
    pub webhooks: Webhooks,
    /// `[relay]`: STUN and TURN.
    pub relay: Relay,
    /// `[auth]`: who may use the relay.
    pub auth: Auth,
    /// `[limits]`
    pub limits: Limits,
    /// `[tls]`
    pub tls: Tls,
    /// `[edge]`
    pub edge: Edge,
    /// `[admin]`
    pub admin: Admin,
    /// `[cluster]`
    pub cluster: Cluster,
    /// `[log]`
    pub log: Log,
}

impl Config {
    /// Reads every table, then judges them together. Problems stay in `reading`.
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        unknown::check(reading);
        let config = Self {
            web: Web::read(reading),
            rooms: Rooms::read(reading),
            signaling: Signaling::read(reading),
            webhooks: Webhooks::read(reading),
            relay: Relay::read(reading),
            auth: Auth::read(reading),
            limits: Limits::read(reading),
            tls: Tls::read(reading),
            edge: Edge::read(reading),
            admin: Admin::read(reading),
            cluster: Cluster::read(reading),
            log: Log::read(reading),
        };
        availability::check(reading, &config);
        listeners::check(reading, &config);
        tls::check(reading, &config);
        config
    }

    /// Where the pages are found: `web.public_url`, else `https://` and the first address of `[edge]`, else
    /// [`Web::origin`]. `None` without a listener for pages.
    pub fn origin(&self) -> Option<String> {
        let edge = self.edge.origin().filter(|_| self.web.public_url.is_none());
        edge.or_else(|| self.web.origin())
    }

    /// Every key's path with its value as TOML, in the order of the manual; secrets masked.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { web, rooms, signaling, webhooks, relay, auth, limits, tls, edge, admin, cluster, log } = self;
        let tables = [
            web.shown(),
            rooms.shown(),
            signaling.shown(),
            webhooks.shown(),
            relay.shown(),
            auth.shown(),
            limits.shown(),
            tls.shown(),
            edge.shown(),
            admin.shown(),
            cluster.shown(),
            log.shown(),
        ];
        tables.into_iter().flatten().collect()
    }
}
