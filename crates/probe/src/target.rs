//! Whom to ask, and as whom.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A TURN server over UDP and the long-term credential to show it.
#[derive(Clone)]
pub struct Target {
    /// TURN server transport address.
    pub server: SocketAddr,
    /// USERNAME, for example `1700000000:alice` or the name of a static user.
    pub username: String,
    /// The password that goes with it.
    pub password: String,
    /// The REALM that the server must announce; `None` takes the server's, as a browser does.
    pub realm: Option<String>,
}

impl Target {
    /// A target that takes whatever realm the server announces.
    pub fn new(server: SocketAddr, username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { server, username: username.into(), password: password.into(), realm: None }
    }
}

/// Leaves the password out.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("server", &self.server)
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// REQUESTED-ADDRESS-FAMILY, [RFC 8656 §18.6](https://www.rfc-editor.org/rfc/rfc8656#section-18.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 0x01.
    V4,
    /// 0x02.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_printed_for_debugging_keeps_its_password() {
        let target = Target::new("127.0.0.1:3478".parse().unwrap(), "alice", "wonderland");
        assert!(!format!("{target:?}").contains("wonderland"));
    }
}
