//! Room parameters: what `/params` answers, and `/join` with a member's own on top. Every key of AppRTC's, in its order
//! and type; what is JSON in a string there is JSON in a string here.

mod constraints;

use posthouse_rooms::RoomId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Signaling, query,
    respond::{self, Reply},
    visit::Visit,
};

/// What every client gets.
#[derive(Debug, Serialize)]
pub(super) struct RoomParameters<'a> {
    #[serde(flatten)]
    member: Option<MemberParams<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_link: Option<String>,
    wss_url: String,
    wss_post_url: &'a str,
    pc_config: String,
    pc_constraints: String,
    offer_options: &'static str,
    media_constraints: String,
    ice_server_url: String,
    ice_server_transports: &'a str,
    /// Clients before 2016 fail without these two.
    turn_url: String,
    turn_transports: &'a str,
    is_loopback: &'static str,
    include_loopback_js: &'static str,
    bypass_join_confirmation: &'static str,
    version_info: &'static str,
    header_message: Option<&'static str>,
    error_messages: Vec<String>,
    warning_messages: Vec<String>,
}

/// What a member gets besides.
#[derive(Debug, Serialize)]
pub(super) struct MemberParams<'a> {
    pub(super) room_id: &'a str,
    pub(super) client_id: &'a str,
    /// A string: the web app compares it with `"true"`.
    pub(super) is_initiator: &'static str,
    /// Always there: aiortc and Android fail without it.
    pub(super) messages: Vec<&'a str>,
    /// Ours: fresh relay credentials for this member.
    pub(super) ice_servers: String,
}

impl Signaling {
    /// `GET /params`.
    pub(crate) fn params(&self, visit: &Visit) -> Reply {
        respond::json(&RoomParameters::new(visit, None))
    }
}

impl<'a> RoomParameters<'a> {
    /// `wshpp`, `wstls` and `ts` would send clients (and once the server) to a host of a link's choice: not read.
    pub(super) fn new(visit: &'a Visit, room: Option<&RoomId>) -> Self {
        let (base, query) = (visit.current.base.as_str(), &visit.query);
        let loopback = visit.current.config.loopback && query.get("debug") == Some("loopback");
        let transports = query.get("tt").unwrap_or_default();
        let media = constraints::media(query, &visit.user_agent);
        Self {
            member: None,
            room_link: room.map(|room| format!("{base}/r/{}{}", room.as_str(), query.write())),
            wss_url: websocket_url(base),
            wss_post_url: base,
            pc_config: pc_config(query.get("it")),
            pc_constraints: constraints::peer_connection(query, loopback),
            offer_options: "{}",
            media_constraints: media.constraints,
            ice_server_url: with_key(format!("{base}/v1alpha/iceconfig"), query.get("apikey")),
            ice_server_transports: transports,
            turn_url: with_key(format!("{base}/turn"), query.get("apikey")),
            turn_transports: transports,
            is_loopback: if loopback { "true" } else { "false" },
            include_loopback_js: if loopback { r#"<script src="/js/loopback.js"></script>"# } else { "" },
            bypass_join_confirmation: "false",
            version_info: "null",
            header_message: None,
            error_messages: Vec::new(),
            warning_messages: media.warnings,
        }
    }

    pub(super) fn with(mut self, member: MemberParams<'a>) -> Self {
        self.member = Some(member);
        self
    }
}

/// `iceServers` stays empty: Android would read a list here in another shape, and the web app asks `ice_server_url` only
/// if it is.
fn pc_config(transports: Option<&str>) -> String {
    let mut config = Map::new();
    config.insert("iceServers".to_owned(), Value::Array(Vec::new()));
    config.insert("bundlePolicy".to_owned(), "max-bundle".into());
    config.insert("rtcpMuxPolicy".to_owned(), "require".into());
    if let Some(transports) = transports.filter(|transports| !transports.is_empty()) {
        config.insert("iceTransports".to_owned(), transports.into());
    }
    Value::Object(config).to_string()
}

fn websocket_url(base: &str) -> String {
    match base.strip_prefix("https://") {
        Some(authority) => format!("wss://{authority}/ws"),
        None => format!("ws://{}/ws", base.trim_start_matches("http://")),
    }
}

fn with_key(mut url: String, key: Option<&str>) -> String {
    if let Some(key) = key {
        url.push_str("?key=");
        query::encode(key, &mut url);
    }
    url
}
