//! The operator's words become each crate's own settings.
//!
//! By exhaustive destructuring: a key that is added to the file and forgotten here does not compile.

use std::net::{IpAddr, SocketAddr};

use posthouse_config::{Auth, Config, Engine, Limits, Origins, Relay, TlsPair, V1};
use posthouse_edge::Pair;
use posthouse_relay::{EngineChoice, RelayAddress};
use posthouse_rooms::meeting::Rules;
use posthouse_signaling::Access;
use posthouse_turn::{Bandwidth, Credentials, Families, PeerPolicy, Quotas, Rates, Settings};

use crate::alternates;
use crate::ground::{Own, Secrets};
use crate::keys::Keys;

/// `[relay]`, `[auth]` and `[limits]` as the state machine takes them.
pub(crate) fn turn_settings(
    relay: &Relay,
    auth: &Auth,
    limits: &Limits,
    secrets: &Secrets,
    own: Own,
    keys: &Keys,
) -> Settings {
    let Relay {
        listen: _,
        tls_listen: _,
        relay_addresses,
        external_addresses: _,
        ports,
        alternate_addresses: _,
        alternate_port: _,
        alternate_server: _,
        alternate_domain: _,
        deny_peers,
        allow_peers,
        allow_dangerous_peers,
        tcp_allocations,
        mobility,
        workers: _,
        engine: _,
        coalesce: _,
    } = relay;
    let Auth {
        realm,
        secrets: _,
        secrets_file: _,
        credential_lifetime: _,
        nonce_lifetime,
        max_session,
        strict_expiry,
        users,
    } = auth;
    let mut credentials = Credentials::new(realm);
    for secret in &secrets.list {
        credentials.add_secret(secret.expose().as_bytes());
    }
    for user in users {
        credentials.add_user(&user.name, user.password.expose());
    }
    Settings {
        nonce_lifetime: *nonce_lifetime,
        max_session: *max_session,
        strict_expiry: *strict_expiry,
        families: Families {
            v4: relay_addresses.iter().any(IpAddr::is_ipv4),
            v6: relay_addresses.iter().any(IpAddr::is_ipv6),
        },
        relay_ports: ports.clone(),
        own_addresses: own.addresses,
        own_ports: own.ports,
        peer_policy: PeerPolicy {
            allow: allow_peers.clone(),
            deny: deny_peers.clone(),
            allow_dangerous: *allow_dangerous_peers,
            ..PeerPolicy::default()
        },
        tcp_allocations: *tcp_allocations,
        quotas: quotas(limits, relay),
        rates: rates(limits),
        bandwidth: Bandwidth {
            per_allocation: limits.allocation_bandwidth,
            per_user: limits.user_bandwidth,
            total: limits.total_bandwidth,
        },
        discovery: alternates::discovery(relay),
        alternate: alternates::server(relay),
        mobility: mobility.then(|| keys.tickets.clone()),
        ..Settings::new(credentials, keys.nonces.clone())
    }
}

fn quotas(limits: &Limits, relay: &Relay) -> Quotas {
    let Limits {
        allocations_per_user,
        allocations_per_prefix,
        allocations_total,
        allocation_bandwidth: _,
        user_bandwidth: _,
        total_bandwidth: _,
        binding_rate: _,
        unauthenticated_rate: _,
    } = *limits;
    let ports = usize::from(relay.ports.end() - relay.ports.start()) + 1;
    let total = if allocations_total == 0 { ports * relay.relay_addresses.len() } else { allocations_total };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Quotas { per_user: number(allocations_per_user), per_prefix: number(allocations_per_prefix), total: number(total) }
}

/// A whole network gets five times an address's error answers; 0 lifts both.
fn rates(limits: &Limits) -> Rates {
    let &Limits { binding_rate, unauthenticated_rate, .. } = limits;
    Rates {
        binding: binding_rate,
        errors: unauthenticated_rate,
        errors_per_prefix: unauthenticated_rate.saturating_mul(5),
        ..Rates::default()
    }
}

/// `[relay]` as the workers take it.
pub(crate) fn relay(relay: &Relay) -> posthouse_relay::Config {
    posthouse_relay::Config {
        listen: relay.udp_listeners(),
        relay_addresses: relay
            .relay_addresses
            .iter()
            .map(|&local| RelayAddress { local, external: relay.seen_as(local) })
            .collect(),
        ports: relay.ports.clone(),
        workers: relay.workers,
        buffers: posthouse_relay::Buffers::default(),
        streams: posthouse_relay::StreamLimits::default(),
        engine: match relay.engine {
            Engine::Auto => EngineChoice::Auto,
            Engine::Mmsg => EngineChoice::Mmsg,
            Engine::IoUring => EngineChoice::IoUring,
        },
        coalesce: relay.coalesce,
    }
}

/// What streams that arrive are judged by.
pub(crate) fn edge(config: &Config) -> posthouse_edge::Settings {
    let origin = config.web.public_url.clone().filter(|url| url.starts_with("https://"));
    posthouse_edge::Settings { trusted_proxies: config.web.trusted_proxies.clone(), origin, ..Default::default() }
}

/// Every certificate with its key; the first is for clients that name no host, or another.
pub(crate) fn pairs(config: &Config) -> Vec<Pair> {
    let pairs = config.tls.all_pairs().into_iter();
    pairs.map(|TlsPair { certificate, key }| Pair { certificate, key }).collect()
}

/// `[web]`, `[rooms]` and `[signaling]` as the endpoints take them.
pub(crate) fn signaling(config: &Config) -> posthouse_signaling::Config {
    let posthouse_config::Web { listen, public_url, trusted_proxies, allowed_origins } = &config.web;
    let posthouse_config::Rooms { capacity, resume } = config.rooms;
    let posthouse_config::Signaling {
        max_message,
        ref disabled,
        ref root,
        ref collider,
        ref hello,
        ref peerjs,
        ref v1,
    } = config.signaling;
    let posthouse_config::Collider { require_join } = *collider;
    let posthouse_config::PeerJs { keys, join_needs_token, allow_discovery, expire_timeout } = peerjs.clone();
    posthouse_signaling::Config {
        listen: listen.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
        // Links of the one port must say https.
        public_url: public_url.clone().or_else(|| (!config.edge.listen.is_empty()).then(|| config.origin()).flatten()),
        trusted_proxies: trusted_proxies.clone(),
        allowed_origins: match allowed_origins {
            Origins::Any => vec!["*".to_owned()],
            Origins::Only(origins) => origins.clone(),
        },
        disabled: disabled.clone(),
        root: root.clone(),
        hello: posthouse_signaling::Hello { legacy: hello.legacy, leave: hello.leave },
        peerjs: posthouse_signaling::PeerJs { keys, needs_token: join_needs_token, allow_discovery, expire_timeout },
        rooms: posthouse_rooms::Policy {
            capacity,
            resume,
            require_join,
            max_message,
            meetings: Rules { resume: v1.resume, ..Rules::default() },
            ..Default::default()
        },
        access: access(v1),
        ..Default::default()
    }
}

/// `[signaling.v1]`, who may make and enter rooms.
fn access(v1: &V1) -> Access {
    let V1 { resume: _, create_needs_key, join_needs_token, api_keys, token_secrets, token_public_keys } = v1;
    let mut access = Access::default();
    (access.create_needs_key, access.join_needs_token) = (*create_needs_key, *join_needs_token);
    api_keys.iter().for_each(|key| access.add_api_key(key.expose()));
    token_secrets.iter().for_each(|secret| access.add_token_secret(secret.expose()));
    token_public_keys.iter().for_each(|key| access.add_token_public_key(*key));
    access
}
