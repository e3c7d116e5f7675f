//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Rooms, signaling and relay (STUN/TURN) for WebRTC.
///
/// Without a verb and without a file it serves on localhost with the built-in defaults.
#[derive(Debug, Parser)]
#[command(name = "posthouse", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Serve until SIGTERM or Ctrl-C
    Run {
        /// The TOML file; without it the built-in defaults serve on localhost
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Check a configuration file: exit 0 when `run` would take it, 78 with every problem's place otherwise
    Check {
        /// The TOML file
        file: PathBuf,
        /// Doubtful settings count as problems too
        #[arg(long)]
        strict: bool,
    },
    /// Print the documented default configuration file
    Config,
    /// Make a time-limited TURN credential
    Credentials(CredentialsAsk),
    /// Find out from this machine why a call would fail, by relaying real bytes through the running server
    Doctor {
        /// The TOML file the server runs with
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// For whom and for how long.
#[derive(Debug, Args)]
pub(crate) struct CredentialsAsk {
    /// The user id: what quotas and logs count by
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// The TOML file whose first secret signs
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the JSON that an `RTCPeerConnection` takes as its configuration
    #[arg(long)]
    pub(crate) json: bool,
}

impl Default for Verb {
    fn default() -> Self {
        Self::Run { config: None }
    }
}
