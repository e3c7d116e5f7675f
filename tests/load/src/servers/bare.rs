//! The yardstick: the binary `bare` beside this one.

use std::net::SocketAddrV4;
use std::process::Command;

use crate::dialogue::Dialect;

pub(super) fn command(listen: SocketAddrV4, join: bool) -> Result<(Command, Dialect), String> {
    let here = std::env::current_exe().map_err(|e| format!("where this program is: {e}"))?;
    let mut command = Command::new(here.with_file_name("bare"));
    command.arg(listen.to_string()).arg(if join { "gso" } else { "mmsg" });
    Ok((command, Dialect::Bare))
}
