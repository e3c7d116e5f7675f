//! What must be known before anything is built: the secrets in force, and which addresses are this machine.

use std::net::{IpAddr, SocketAddr};

use getrandom::fill;
use posthouse_config::{Auth, Config, Secret};
use tracing::warn;

use crate::exit::Failure;

/// The secrets that sign and verify time-limited credentials; the first signs. Never empty.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) list: Vec<Secret>,
    /// Made for this run, as none was configured.
    pub(crate) own: bool,
}

impl Secrets {
    /// Those of the file, or a random one.
    pub(crate) fn of(auth: &Auth) -> Result<Self, Failure> {
        if !auth.secrets.is_empty() {
            return Ok(Self { list: auth.secrets.clone(), own: false });
        }
        let random = random::<32>()?;
        let hex = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { list: vec![Secret::new(hex)], own: true })
    }

    /// Those of a file read again: who never had any keeps the random one, or every credential would end.
    pub(crate) fn again(&self, auth: &Auth) -> Result<Self, Failure> {
        if auth.secrets.is_empty() && self.own { Ok(self.clone()) } else { Self::of(auth) }
    }

    /// The one that signs.
    pub(crate) fn first(&self) -> &Secret {
        &self.list[0]
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    fill(&mut bytes).map_err(|error| Failure::unavailable(format!("no random bytes from the system: {error}")))?;
    Ok(bytes)
}

/// What is this machine and this process, so that the peer policy can tell it from the world.
pub(crate) struct Own {
    /// Interfaces, relay addresses, what 1:1 NAT shows outside. Loopback is left to the policy unless it relays.
    pub(crate) addresses: Vec<IpAddr>,
    /// Every port this process listens on.
    pub(crate) ports: Vec<u16>,
}

impl Own {
    /// Asks the system for its interfaces; the rest is in the configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let relay = &config.relay;
        let mut addresses: Vec<IpAddr> = interfaces().into_iter().filter(|ip| !ip.is_loopback()).collect();
        addresses.extend(relay.relay_addresses.iter().chain(&relay.alternate_addresses));
        addresses.extend(relay.external_addresses.iter().map(|external| external.public));
        let udp = relay.udp_listeners();
        let listeners = [&udp, &relay.tls_listen, &config.web.listen, &config.edge.listen, &config.admin.listen];
        let mut ports: Vec<u16> = listeners.into_iter().flatten().map(SocketAddr::port).collect();
        addresses.sort_unstable();
        addresses.dedup();
        ports.sort_unstable();
        ports.dedup();
        Self { addresses, ports }
    }
}

fn interfaces() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        warn!(target: "relay", %error, "cannot list this machine's addresses; those of the configuration alone count as own");
        Vec::new()
    });
    interfaces.iter().map(if_addrs::Interface::ip).collect()
}
