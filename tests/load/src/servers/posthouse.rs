//! Ours, with limits that do not limit.

use std::fs;
use std::net::SocketAddrV4;
use std::path::Path;
use std::process::Command;

use super::{ADMIN, PASSWORD, REALM, TLS, USERNAME, WEB};
use crate::dialogue::{Credentials, Dialect};
use crate::endpoint::Certificate;

pub(super) fn command(
    binary: &Path,
    engine: Option<&str>,
    listen: SocketAddrV4,
    directory: &Path,
    tls: Option<&Certificate>,
) -> Result<(Command, Dialect), String> {
    let file = directory.join("posthouse.toml");
    let mut text = configuration(listen);
    if let Some(engine) = engine {
        text = text.replace("[relay]\n", &format!("[relay]\nengine = \"{engine}\"\n"));
    }
    if let Some(certificate) = tls {
        let (certificate, key) = certificate.write(directory)?;
        let at = format!("tls_listen = [\"{}:{}\"]\nrelay_addresses", listen.ip(), listen.port() + TLS);
        text = text.replace("relay_addresses", &at);
        text += &format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    }
    fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut command = Command::new(binary);
    command.arg("run").arg("--config").arg(&file);
    Ok((command, Dialect::Turn(Credentials::new(USERNAME, PASSWORD))))
}

fn configuration(listen: SocketAddrV4) -> String {
    let (ip, web, admin) = (listen.ip(), listen.port() + WEB, listen.port() + ADMIN);
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
