//! `bare IP:PORT mmsg|gso`: the yardstick, on its own.
#![forbid(unsafe_code)]

use std::net::SocketAddrV4;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (listen, join) = match arguments.as_slice() {
        [listen, variant] if variant == "mmsg" || variant == "gso" => {
            (listen.parse::<SocketAddrV4>(), variant == "gso")
        }
        _ => {
            eprintln!("bare: expected IP:PORT and mmsg or gso, got {arguments:?}");
            return ExitCode::from(64);
        }
    };
    let listen = match listen {
        Ok(listen) => listen,
        Err(e) => {
            eprintln!("bare: {:?} is no IPv4 address with a port: {e}", arguments[0]);
            return ExitCode::from(64);
        }
    };
    let Err(e) = posthouse_load::bare::serve(listen, *listen.ip(), join) else { return ExitCode::SUCCESS };
    eprintln!("bare: {e}");
    ExitCode::FAILURE
}
