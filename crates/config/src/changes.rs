//! What differs between two configurations, and whether it may be applied while calls go on.
//!
//! A value waits for a restart when it was bound to something that lives: a socket, a thread, the key of a static user.
//! Such a value keeps its old setting, alone; everything else is applied. Two keys that are only right together are
//! kept together, so that what is in force always is a configuration that the checks accept.

use crate::config::Config;
use crate::relay::Relay;
use crate::{
    Acme, Admin, Auth, Cluster, Collider, Edge, Hello, Limits, Log, PeerJs, Rooms, Signaling, Tls, V1, Web, Webhooks,
};

/// A key of which two configurations have different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path, such as `limits.binding_rate`.
    pub key: &'static str,
    /// When the new value holds.
    pub applies: Applies,
}

/// When a new value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// At once.
    Now,
    /// After a restart; until then the old value goes on.
    AtRestart,
}

/// What a reload comes to.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The new configuration, with the old values of keys that wait for a restart.
    pub config: Config,
    /// Every key that differs, in the order of the manual.
    pub changes: Vec<Change>,
}

impl Config {
    /// What is in force once `new` takes the place of this.
    ///
    /// Values are compared, not their text: a secret that moved into a file of its own has not changed.
    pub fn replaced_by(&self, mut new: Self) -> Reloaded {
        let mut changes = Changes::default();
        let Self { web, rooms, signaling, webhooks, relay, auth, limits, tls, edge, admin, cluster, log } = &mut new;
        changes.web(&self.web, web, &self.edge);
        changes.rooms(&self.rooms, rooms);
        changes.signaling(&self.signaling, signaling);
        changes.webhooks(&self.webhooks, webhooks);
        changes.relay(&self.relay, relay);
        changes.auth(&self.auth, auth);
        changes.limits(&self.limits, limits);
        changes.tls(self, tls);
        changes.edge(&self.edge, edge);
        changes.admin(&self.admin, admin);
        changes.cluster(&self.cluster, cluster);
        changes.log(&self.log, log);
        Reloaded { config: new, changes: changes.0 }
    }
}

/// Collects what differs. A table is taken apart whole: a key that is forgotten here does not compile.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    /// May change while calls go on.
    fn now<T: PartialEq>(&mut self, key: &'static str, old: &T, new: &T) {
        if old != new {
            self.0.push(Change { key, applies: Applies::Now });
        }
    }

    /// Waits for a restart: the old value goes on.
    fn at_restart<T: PartialEq + Clone>(&mut self, key: &'static str, old: &T, new: &mut T) {
        if old != new {
            self.0.push(Change { key, applies: Applies::AtRestart });
            new.clone_from(old);
        }
    }

    /// Waits for a restart only if something that waits still needs the old value.
    fn unless<T: PartialEq + Clone>(&mut self, needed: bool, key: &'static str, old: &T, new: &mut T) {
        if needed { self.at_restart(key, old, new) } else { self.now(key, old, new) }
    }

    fn web(&mut self, old: &Web, new: &mut Web, edge: &Edge) {
        let Web { listen, public_url, trusted_proxies, allowed_origins } = new;
        self.at_restart("web.listen", &old.listen, listen);
        // Certificates are for names: the listener that goes on goes on under its name.
        let named = !edge.listen.is_empty() && public_url.is_none();
        self.unless(named, "web.public_url", &old.public_url, public_url);
        self.now("web.trusted_proxies", &old.trusted_proxies, trusted_proxies);
        self.now("web.allowed_origins", &old.allowed_origins, allowed_origins);
    }

    fn rooms(&mut self, old: &Rooms, new: &mut Rooms) {
        let Rooms { capacity, resume } = new;
        self.now("rooms.capacity", &old.capacity, capacity);
        self.now("rooms.resume", &old.resume, resume);
    }

    fn signaling(&mut self, old: &Signaling, new: &mut Signaling) {
        let Signaling { max_message, disabled, root, collider: Collider { require_join }, hello, peerjs, v1 } = new;
        self.now("signaling.max_message", &old.max_message, max_message);
        self.now("signaling.disabled", &old.disabled, disabled);
        self.now("signaling.root", &old.root, root);
        self.now("signaling.collider.require_join", &old.collider.require_join, require_join);
        let Hello { legacy, leave } = hello;
        self.now("signaling.hello.legacy", &old.hello.legacy, legacy);
        self.now("signaling.hello.leave", &old.hello.leave, leave);
        let PeerJs { keys, join_needs_token, allow_discovery, expire_timeout } = peerjs;
        self.now("signaling.peerjs.keys", &old.peerjs.keys, keys);
        self.now("signaling.peerjs.join", &old.peerjs.join_needs_token, join_needs_token);
        self.now("signaling.peerjs.allow_discovery", &old.peerjs.allow_discovery, allow_discovery);
        self.now("signaling.peerjs.expire_timeout", &old.peerjs.expire_timeout, expire_timeout);
        self.v1(&old.v1, v1);
    }

    fn v1(&mut self, old: &V1, new: &V1) {
        let V1 { resume, create_needs_key, join_needs_token, api_keys, token_secrets, token_public_keys } = new;
        self.now("signaling.v1.resume", &old.resume, resume);
        self.now("signaling.v1.create", &old.create_needs_key, create_needs_key);
        self.now("signaling.v1.join", &old.join_needs_token, join_needs_token);
        self.now("signaling.v1.api_keys", &old.api_keys, api_keys);
        self.now("signaling.v1.token_secrets", &old.token_secrets, token_secrets);
        self.now("signaling.v1.token_public_keys", &old.token_public_keys, token_public_keys);
    }

    fn relay(&mut self, old: &Relay, new: &mut Relay) {
        let Relay {
            listen,
            tls_listen,
            relay_addresses,
            external_addresses,
            ports,
            alternate_addresses,
            alternate_port,
            alternate_server,
            alternate_domain,
            deny_peers,
            allow_peers,
            allow_dangerous_peers,
            tcp_allocations,
            mobility,
            workers,
            engine,
            coalesce,
        } = new;
        self.at_restart("relay.listen", &old.listen, listen);
        self.at_restart("relay.tls_listen", &old.tls_listen, tls_listen);
        self.at_restart("relay.relay_addresses", &old.relay_addresses, relay_addresses);
        self.at_restart("relay.external_addresses", &old.external_addresses, external_addresses);
        self.at_restart("relay.ports", &old.ports, ports);
        self.at_restart("relay.alternate_addresses", &old.alternate_addresses, alternate_addresses);
        self.at_restart("relay.alternate_port", &old.alternate_port, alternate_port);
        // The listeners that go on must not be where their clients are sent.
        let circle = alternate_server.iter().any(|server| old.is_at(*server));
        self.unless(circle, "relay.alternate_server", &old.alternate_server, alternate_server);
        self.unless(circle, "relay.alternate_domain", &old.alternate_domain, alternate_domain);
        self.now("relay.deny_peers", &old.deny_peers, deny_peers);
        self.now("relay.allow_peers", &old.allow_peers, allow_peers);
        self.now("relay.allow_dangerous_peers", &old.allow_dangerous_peers, allow_dangerous_peers);
        self.now("relay.tcp_allocations", &old.tcp_allocations, tcp_allocations);
        self.now("relay.mobility", &old.mobility, mobility);
        self.at_restart("relay.workers", &old.workers, workers);
        self.at_restart("relay.engine", &old.engine, engine);
        self.at_restart("relay.coalesce", &old.coalesce, coalesce);
    }

    fn auth(&mut self, old: &Auth, new: &mut Auth) {
        let Auth {
            realm,
            secrets,
            secrets_file: _,
            credential_lifetime,
            nonce_lifetime,
            max_session,
            strict_expiry,
            users,
        } = new;
        // Clients that live sign with the realm they were told; with another one their next refresh would fail.
        self.at_restart("auth.realm", &old.realm, realm);
        self.now("auth.secrets", &old.secrets, secrets);
        self.now("auth.credential_lifetime", &old.credential_lifetime, credential_lifetime);
        self.now("auth.nonce_lifetime", &old.nonce_lifetime, nonce_lifetime);
        self.now("auth.max_session", &old.max_session, max_session);
        self.now("auth.strict_expiry", &old.strict_expiry, strict_expiry);
        self.now("auth.users", &old.users, users);
    }

    fn limits(&mut self, old: &Limits, new: &mut Limits) {
        let Limits {
            allocations_per_user,
            allocations_per_prefix,
            allocations_total,
            allocation_bandwidth,
            user_bandwidth,
            total_bandwidth,
            binding_rate,
            unauthenticated_rate,
        } = new;
        self.now("limits.allocations_per_user", &old.allocations_per_user, allocations_per_user);
        self.now("limits.allocations_per_prefix", &old.allocations_per_prefix, allocations_per_prefix);
        self.now("limits.allocations_total", &old.allocations_total, allocations_total);
        self.now("limits.allocation_bandwidth", &old.allocation_bandwidth, allocation_bandwidth);
        self.now("limits.user_bandwidth", &old.user_bandwidth, user_bandwidth);
        self.now("limits.total_bandwidth", &old.total_bandwidth, total_bandwidth);
        self.now("limits.binding_rate", &old.binding_rate, binding_rate);
        self.now("limits.unauthenticated_rate", &old.unauthenticated_rate, unauthenticated_rate);
    }

    fn tls(&mut self, old: &Config, new: &mut Tls) {
        // Listeners for TLS that go on need a certificate.
        let listens = !old.relay.tls_listen.is_empty() || !old.edge.listen.is_empty();
        let needed = listens && new.all_pairs().is_empty();
        let Tls { certificate, key, pairs, acme: Acme { domains, contact } } = new;
        self.unless(needed, "tls.certificate", &old.tls.certificate, certificate);
        self.unless(needed, "tls.key", &old.tls.key, key);
        self.unless(needed, "tls.pairs", &old.tls.pairs, pairs);
        self.at_restart("tls.acme.domains", &old.tls.acme.domains, domains);
        self.at_restart("tls.acme.contact", &old.tls.acme.contact, contact);
    }

    fn edge(&mut self, old: &Edge, new: &mut Edge) {
        let Edge { listen } = new;
        self.at_restart("edge.listen", &old.listen, listen);
    }

    fn admin(&mut self, old: &Admin, new: &mut Admin) {
        let Admin { listen, token } = new;
        // A listener that others reach is never left without a token.
        let open = token.is_none() && old.listen.iter().any(|address| !address.ip().is_loopback());
        self.at_restart("admin.listen", &old.listen, listen);
        self.unless(open, "admin.token", &old.token, token);
    }

    fn webhooks(&mut self, old: &Webhooks, new: &Webhooks) {
        let Webhooks { urls, secret, events } = new;
        self.now("webhooks.urls", &old.urls, urls);
        self.now("webhooks.secret", &old.secret, secret);
        self.now("webhooks.events", &old.events, events);
    }

    fn cluster(&mut self, old: &Cluster, new: &mut Cluster) {
        let Cluster { engine } = new;
        self.at_restart("cluster.engine", &old.engine, engine);
    }

    fn log(&mut self, old: &Log, new: &mut Log) {
        let Log { level, format } = new;
        self.now("log.level", &old.level, level);
        self.at_restart("log.format", &old.format, format);
    }
}
