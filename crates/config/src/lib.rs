//! One TOML file in the operator's words; precise complaints.
//!
//! [`load()`] reads a file and lays the environment over it, [`parse`] reads text and touches nothing else, [`Loaded::check_host`] asks this machine
//! whether the addresses are its own, [`Loaded::check_certificates`] whoever can read certificates. Every complaint is a [`Problem`]: file, line, column, key, what was expected,
//! what was found, what to write. A file's problems come all at once, in the order of its lines.
//!
//! A table of the file is a file of this crate (`[relay]` is `relay.rs`): its keys with the text of the manual, its
//! struct, its defaults, how it is read and how it is shown. [`reference()`] prints all of them.
#![forbid(unsafe_code)]

mod admin;
mod auth;
mod availability;
mod changes;
mod cluster;
mod config;
mod document;
mod edge;
mod environment;
mod host;
mod keys;
mod limits;
mod listeners;
mod load;
mod log;
mod nearest;
mod problem;
mod reading;
mod reference;
mod relay;
mod rooms;
mod secret;
mod secrets_file;
mod signaling;
mod source;
mod tls;
mod unknown;
mod value;
mod web;
mod webhooks;

pub use admin::Admin;
pub use auth::{Auth, User};
pub use changes::{Applies, Change, Reloaded};
pub use cluster::Cluster;
pub use config::Config;
pub use edge::Edge;
pub use limits::Limits;
pub use load::{Loaded, load, parse, parse_with, without_file};
pub use log::{Format, Level, Log};
pub use problem::{Complaint, Place, Problem, Problems};
pub use reference::{effective, reference};
pub use relay::{Discovery, Engine, ExternalAddress, Relay};
pub use rooms::Rooms;
pub use secret::Secret;
pub use secrets_file::SecretsFile;
pub use signaling::{Collider, Hello, PeerJs, Signaling, V1};
pub use tls::{Acme, Finding, Tls, TlsPair};
pub use web::{Origins, Web};
pub use webhooks::Webhooks;
