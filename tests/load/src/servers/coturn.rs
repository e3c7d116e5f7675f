//! Debian's coturn with its defaults, but for what a test on the loopback interface needs.

use std::net::SocketAddrV4;
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, REALM, TLS, USERNAME};
use crate::dialogue::{Credentials, Dialect};
use crate::endpoint::Certificate;

pub(super) fn command(
    listen: SocketAddrV4,
    directory: &Path,
    tls: Option<&Certificate>,
) -> Result<(Command, Dialect), String> {
    let ip = listen.ip().to_string();
    let at = |name: &str| directory.join(name).display().to_string();
    let mut command = Command::new("turnserver");
    command
        .args(["-n", "--no-cli", "--no-dtls", "--lt-cred-mech", "--allow-loopback-peers"])
        .args(["-L", &ip, "-E", &ip, "-p", &listen.port().to_string()])
        .args(["-u", &format!("{USERNAME}:{PASSWORD}"), "-r", REALM])
        .args(["--min-port", "49152", "--max-port", "65535"])
        .args(["--simple-log", "--no-stdout-log", "--log-file", &at("log")])
        .args(["--userdb", &at("turndb"), "--pidfile", &at("pid")]);
    if let Some(certificate) = tls {
        let (certificate, key) = certificate.write(directory)?;
        command.arg("--cert").arg(certificate).arg("--pkey").arg(key);
        command.args(["--tls-listening-port", &(listen.port() + TLS).to_string()]);
    } else {
        command.arg("--no-tls");
    }
    Ok((command, Dialect::Turn(Credentials::new(USERNAME, PASSWORD))))
}
