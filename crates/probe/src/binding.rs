//! STUN Binding: does the server answer, and which address does it see?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::message::{Getter, METHOD_BINDING};
use stun::xoraddr::XorMappedAddress;

use crate::failure::Failure;
use crate::raw::Client;

/// What a Binding response told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// XOR-MAPPED-ADDRESS: the server-reflexive transport address.
    pub address: SocketAddr,
    /// The address that this machine gave the socket.
    pub local: SocketAddr,
    /// From the first request sent to the answer.
    pub round_trip: Duration,
}

impl Mapped {
    /// A NAT stands between here and the server.
    pub fn is_translated(&self) -> bool {
        self.address != self.local
    }
}

/// One Binding transaction without credentials, [RFC 8489 §6.2](https://www.rfc-editor.org/rfc/rfc8489#section-6.2).
///
/// # Errors
/// [`Failure::Silent`] and [`Failure::Closed`] tell a firewall from a server that is not there.
pub async fn binding(server: SocketAddr) -> Result<Mapped, Failure> {
    let mut client = Client::open(server, None).await?;
    let asked = Instant::now();
    let answer = client.request(METHOD_BINDING, &[], None).await?;
    let mut mapped = XorMappedAddress::default();
    mapped
        .get_from(&answer)
        .map_err(|error| Failure::Malformed { method: METHOD_BINDING, what: format!("XOR-MAPPED-ADDRESS: {error}") })?;
    Ok(Mapped { address: SocketAddr::new(mapped.ip, mapped.port), local: client.local(), round_trip: asked.elapsed() })
}
