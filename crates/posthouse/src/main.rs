//! Rooms, signaling and relay for WebRTC in one binary with one TOML file.
//!
//! This crate decides what is wired to what; it has no rules and no packet loop of its own. `main` reads the command
//! line and turns the outcome into an exit code of `sysexits.h`, which systemd and scripts understand.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the verbs of a command line answer on standard output")]

mod admin;
mod alternates;
mod announce;
mod app;
mod check;
mod cli;
mod convert;
mod credentials;
mod doctor;
mod exit;
mod ground;
mod ice;
mod keys;
mod listeners;
mod logging;
mod notify;
mod pages;
mod relay_control;
mod reload;
mod signals;
mod streams;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Verb};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { exit::USAGE } else { exit::OK };
            // A closed pipe is the only way this fails, and then nobody reads the reason either.
            let _ = error.print();
            return exit.into();
        }
    };
    let outcome = match cli.verb.unwrap_or_default() {
        Verb::Run { config } => app::run(config.as_deref()),
        Verb::Check { file, strict } => check::check(&file, strict),
        Verb::Config => {
            print!("{}", posthouse_config::reference());
            Ok(())
        }
        Verb::Credentials(ask) => credentials::print(&ask),
        Verb::Doctor { config } => doctor::examine(config.as_deref()),
    };
    match outcome {
        Ok(()) => exit::OK.into(),
        Err(failure) => {
            eprintln!("{failure}");
            failure.code().into()
        }
    }
}
