//! The shapes of ICE credentials that are not AppRTC's: Matrix's `turnServer`, and `Link` headers.

use hyper::{
    HeaderMap,
    header::{ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, LINK},
};

use crate::{
    IceServer, Signaling,
    apprtc::{IceAnswer, TurnAnswer},
    random,
    respond::{self, Reply},
    visit::Visit,
};

impl Signaling {
    /// `GET /_matrix/client/VERSION/voip/turnServer` (Matrix client-server API, "Voice over IP"), for a proxy that
    /// sends this one path of a homeserver here. Without a relay it is `{}`, as a homeserver without one answers.
    pub(crate) fn matrix_turn(&self, visit: &Visit) -> Reply {
        let ice = self.mint(&random::label().0, &visit.context());
        let answer = TurnAnswer::of(&ice);
        if answer.is_empty() { respond::json(&serde_json::json!({})) } else { respond::json(&answer) }
    }

    /// `GET /ice`: `iceServers` as a browser takes them and, for who reads no body, the same as `Link` headers
    /// (RFC 9725 §4.6, RFC 8288 §3), one for each URL.
    pub(crate) fn ice(&self, visit: &Visit) -> Reply {
        let ice = self.mint(&random::label().0, &visit.context());
        let mut reply = respond::json(&IceAnswer::of(&ice));
        let headers = reply.headers_mut();
        ice.servers.iter().for_each(|server| links(server, headers));
        // A page of another origin reads no other header but by name (the Fetch standard).
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Link"));
        reply
    }
}

fn links(server: &IceServer, headers: &mut HeaderMap) {
    let mut credential = String::new();
    if let (Some(username), Some(password)) = (&server.username, &server.credential) {
        let (username, password) = (quoted(username), quoted(password));
        credential = format!("; username={username}; credential={password}; credential-type=\"password\"");
    }
    for url in server.urls.iter().filter(|url| !url.contains(['<', '>'])) {
        // What is no header value is no server anybody could use.
        if let Ok(link) = HeaderValue::from_str(&format!("<{url}>; rel=\"ice-server\"{credential}")) {
            headers.append(LINK, link);
        }
    }
}

/// A quoted string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(server: &IceServer) -> Vec<String> {
        let mut headers = HeaderMap::new();
        links(server, &mut headers);
        headers.get_all(LINK).iter().map(|link| link.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_url_is_a_link_with_its_credential() {
        let text = |text: &str| Some(text.to_owned());
        let urls = vec!["turn:t.example?transport=udp".to_owned(), "turns:t.example".to_owned()];
        let turn = IceServer { urls, username: text("1700:a\\b\""), credential: text("c+/=") };
        let rest = r#">; rel="ice-server"; username="1700:a\\b\""; credential="c+/="; credential-type="password""#;
        let expected = ["turn:t.example?transport=udp", "turns:t.example"].map(|url| format!("<{url}{rest}"));
        assert_eq!(written(&turn), expected);
        let stun = IceServer { urls: vec!["stun:t.example".to_owned()], username: None, credential: None };
        assert_eq!(written(&stun), [r#"<stun:t.example>; rel="ice-server""#]);
    }

    #[test]
    fn what_would_end_a_link_or_a_header_early_is_left_out() {
        for bad in ["stun:a>; rel=x", "stun:a\r\nX: y"] {
            let server = IceServer { urls: vec![bad.to_owned()], username: None, credential: None };
            assert_eq!(written(&server), [""; 0]);
        }
    }
}
