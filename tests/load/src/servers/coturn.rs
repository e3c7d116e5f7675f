//! Debian's coturn with its defaults, but for what a test on the loopback interface needs.

use std::net::SocketAddrV4;
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, REALM, USERNAME};
use crate::dialogue::{Credentials, Dialect};

pub(super) fn command(listen: SocketAddrV4, directory: &Path) -> (Command, Dialect) {
    let ip = listen.ip().to_string();
    let at = |name: &str| directory.join(name).display().to_string();
    let mut command = Command::new("turnserver");
    command
        .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--allow-loopback-peers"])
        .args(["-L", &ip, "-E", &ip, "-p", &listen.port().to_string()])
        .args(["-u", &format!("{USERNAME}:{PASSWORD}"), "-r", REALM])
        .args(["--min-port", "49152", "--max-port", "65535"])
        .args(["--simple-log", "--no-stdout-log", "--log-file", &at("log")])
        .args(["--userdb", &at("turndb"), "--pidfile", &at("pid")]);
    (command, Dialect::Turn(Credentials::new(USERNAME, PASSWORD)))
}
