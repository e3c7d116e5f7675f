//! What must be known before anything is built: the secrets in force, and which addresses are this machine.

use std::net::IpAddr;

use getrandom::fill;
use posthouse_config::{Auth, Relay, Secret};
use tracing::warn;

use crate::exit::Failure;

/// The secrets that sign and verify time-limited credentials; the first signs. Never empty.
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

/// Every address that is this machine as peers may know it: interfaces, relay addresses, what 1:1 NAT shows outside.
///
/// Loopback is left to the peer policy unless it is a relay address.
pub(crate) fn own_addresses(relay: &Relay) -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        warn!(target: "relay", %error, "cannot list this machine's addresses; those of the configuration alone count as own");
        Vec::new()
    });
    let mut own: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(|ip| !ip.is_loopback()).collect();
    own.extend(&relay.relay_addresses);
    own.extend(relay.external_addresses.iter().map(|external| external.public));
    own.extend(
        relay.listen.iter().map(std::net::SocketAddr::ip).filter(|ip| !ip.is_unspecified() && !ip.is_loopback()),
    );
    own.sort_unstable();
    own.dedup();
    own
}
