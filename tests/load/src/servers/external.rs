//! A server that somebody else started, pinned (or not), and will end.

use std::net::SocketAddrV4;
use std::str::FromStr;

use super::Server;
use crate::dialogue::{Credentials, Dialect};

/// Everything that has to be known about it.
#[derive(Debug, Clone)]
pub struct External {
    listen: SocketAddrV4,
    pid: u32,
    username: String,
    password: String,
}

impl External {
    pub(super) fn server(&self, name: &str) -> Server {
        Server {
            name: name.into(),
            listen: self.listen,
            dialect: Dialect::Turn(Credentials::new(&self.username, &self.password)),
            pid: self.pid,
            child: None,
        }
    }
}

impl FromStr for External {
    type Err = String;

    /// `IP:PORT,PID,USERNAME,PASSWORD`
    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.splitn(4, ',').collect();
        let [listen, pid, username, password] = fields[..] else {
            return Err(format!("expected IP:PORT,PID,USERNAME,PASSWORD, got {text:?}"));
        };
        Ok(Self {
            listen: listen.parse().map_err(|e| format!("{listen:?} is no IPv4 address with a port: {e}"))?,
            pid: pid.parse().map_err(|e| format!("{pid:?} is no process id: {e}"))?,
            username: username.into(),
            password: password.into(),
        })
    }
}
