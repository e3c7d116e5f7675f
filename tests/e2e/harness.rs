//! What every test needs to start a server of its own and to look at it.

pub(crate) mod certificate;
pub(crate) mod collider;
pub(crate) mod coturn;
pub(crate) mod credential;
pub(crate) mod folder;
pub(crate) mod http;
pub(crate) mod member;
pub(crate) mod namespace;
pub(crate) mod ports;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod stun_client;
pub(crate) mod tools;

pub(crate) use server::Server;
pub(crate) use settings::Settings;
