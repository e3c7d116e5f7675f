//! Ours, with limits that do not limit.

use std::fs;
use std::net::SocketAddrV4;
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, REALM, USERNAME};
use crate::dialogue::{Credentials, Dialect};

pub(super) fn command(binary: &Path, listen: SocketAddrV4, directory: &Path) -> Result<(Command, Dialect), String> {
    let file = directory.join("posthouse.toml");
    fs::write(&file, configuration(listen)).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut command = Command::new(binary);
    command.arg("run").arg("--config").arg(&file);
    Ok((command, Dialect::Turn(Credentials::new(USERNAME, PASSWORD))))
}

fn configuration(listen: SocketAddrV4) -> String {
    let (ip, web, admin) = (listen.ip(), listen.port() + 1, listen.port() + 2);
    format!(
        r#"[web]
listen = ["{ip}:{web}"]
[relay]
listen = ["{listen}"]
relay_addresses = ["{ip}"]
ports = "49152-65535"
allow_peers = ["127.0.0.0/8"]
allow_dangerous_peers = true
[auth]
realm = "{REALM}"
secrets = ["a secret that nobody uses but that must be there"]
[[auth.users]]
name = "{USERNAME}"
password = "{PASSWORD}"
[limits]
allocations_per_user = 10000
allocations_per_prefix = 1000000
binding_rate = 0
unauthenticated_rate = 0
[admin]
listen = ["{ip}:{admin}"]
"#
    )
}
