//! All routes, on one screen.

mod body;

use std::{net::SocketAddr, sync::Arc};

use hyper::{
    Method, Request, StatusCode, Version,
    body::Incoming,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HeaderMap, TRANSFER_ENCODING},
};

use crate::{
    PageRequest, Signaling,
    current::Current,
    dialect::{Entry, Hello},
    peer::Peer,
    query::decode_segment,
    rates::Table,
    respond::{self, Reply},
    upgrade::{self, Opening},
    visit::{HostProblem, Visit},
};

/// Longest request target, in bytes.
const TARGET: usize = 8 * 1024;

/// What follows a request.
pub(crate) enum Answer {
    Response(Reply),
    /// 101, and then a WebSocket.
    Upgrade(Reply, Opening),
}

impl Signaling {
    /// Answers one request.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let current = self.current.load_full();
        let over_tls = current.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let (answer, cors) = match self.admit(&request, peer, &current) {
            Ok((visit, segments)) => {
                let path: Vec<&str> = segments.iter().map(String::as_str).collect();
                let methods = cors_methods(&path).or_else(|| current.dialect_http(&path).map(|(_, methods)| methods));
                // Where nothing is said over HTTP, a request that asks for no WebSocket is told that it should.
                let spoken = current.dialect(&path).filter(|_| upgrade::is_asked(&request) || methods.is_none());
                let answer = match spoken {
                    Some(entry) => self.socket(entry, &request, &path, &visit),
                    None => {
                        Answer::Response(self.route(request, &path, &visit).await.unwrap_or_else(|refused| refused))
                    }
                };
                (answer, (visit.cors, methods))
            }
            Err(refused) => (Answer::Response(refused), (None, None)),
        };
        let finish = |mut reply: Reply| {
            if reply.status().as_u16() >= 400 {
                self.counters.http_errors.add();
            }
            respond::cors(reply.headers_mut(), cors.0, cors.1);
            respond::harden(reply.headers_mut(), over_tls);
            reply
        };
        match answer {
            Answer::Response(reply) => Answer::Response(finish(reply)),
            Answer::Upgrade(reply, opening) => Answer::Upgrade(finish(reply), opening),
        }
    }

    async fn route(self: &Arc<Self>, request: Request<Incoming>, path: &[&str], visit: &Visit) -> Result<Reply, Reply> {
        let method = request.method().clone();
        let limits = &self.limits;
        match (path, method.as_str()) {
            ([""], "GET" | "HEAD") if visit.query.get("peer_id").is_some() => Ok(self.page(PageRequest::Drop)),
            ([""], "GET" | "HEAD") => Ok(self.page(PageRequest::Landing)),
            (["r" | "room", room], "GET" | "HEAD") => self.room_page(room).await,
            (["join" | "register", room], "POST") => {
                self.body(request, visit, &limits.join).await?;
                self.join(room, visit).await
            }
            (["message", room, client], "POST") => {
                let body = self.body(request, visit, &limits.message).await?;
                self.message(room, client, &body).await
            }
            (["leave" | "bye", room, client], "POST") => {
                self.body(request, visit, &limits.message).await?;
                self.leave(room, client).await
            }
            (["params"], "GET") => Ok(self.params(visit)),
            (["v1alpha", "iceconfig"], "GET" | "POST") => {
                self.body(request, visit, &limits.ice).await?;
                Ok(self.ice_config(visit))
            }
            (["turn"], "GET" | "POST") => {
                self.body(request, visit, &limits.ice).await?;
                Ok(self.turn(visit))
            }
            (["ice"], "GET" | "HEAD") => {
                self.body(request, visit, &limits.ice).await?;
                Ok(self.ice(visit))
            }
            (["_matrix", "client", _, "voip", "turnServer"], "GET") => {
                self.body(request, visit, &limits.ice).await?;
                Ok(self.matrix_turn(visit))
            }
            (["a", ""], "POST") => {
                let body = self.body(request, visit, &limits.message).await?;
                Ok(self.analytics(&body))
            }
            (["status"], _) => Ok(self.collider_status()),
            (path, "OPTIONS") if visit.current.dialect_http(path).is_some_and(|(_, own)| !allows(own, "OPTIONS")) => {
                Ok(respond::preflight("authorization, content-type"))
            }
            (_, "TRACE" | "CONNECT") => Err(respond::not_allowed("GET, POST")),
            (path, method)
                if let Some((http, _)) = visit.current.dialect_http(path).filter(|(_, own)| allows(own, method)) =>
            {
                (http.answer)(self, request, path, visit).await
            }
            (path, method) => match known(path).or_else(|| Some(visit.current.dialect_http(path)?.1)) {
                Some(_) if method == "OPTIONS" => Ok(respond::preflight("authorization, content-type")),
                Some(methods) => Err(respond::not_allowed(methods)),
                None => self.collider(request, path, visit).await,
            },
        }
    }

    fn socket(self: &Arc<Self>, entry: &Entry, request: &Request<Incoming>, path: &[&str], visit: &Visit) -> Answer {
        let accepted = upgrade::handshake(request).and_then(|reply| {
            self.may_ask(visit, &self.limits.upgrade)?;
            let seat = self.limits.socket(visit.peer).ok_or_else(|| {
                self.counters.refused_sockets.add();
                respond::later(StatusCode::TOO_MANY_REQUESTS)
            })?;
            let path = path.iter().map(|segment| (*segment).to_owned()).collect();
            let hello = Hello { path, visit: visit.clone(), headers: request.headers().clone() };
            let dialect = (entry.open)(Peer::new(self.clone()), &hello)?;
            Ok((reply, Opening { dialect, seat }))
        });
        match accepted {
            Ok((reply, opening)) => Answer::Upgrade(reply, opening),
            Err(refused) => Answer::Response(refused),
        }
    }

    /// What is refused whatever it asks for; else who asks, and the decoded path.
    fn admit(
        &self,
        request: &Request<Incoming>,
        peer: SocketAddr,
        current: &Arc<Current>,
    ) -> Result<(Visit, Vec<String>), Reply> {
        let refuse = |status| respond::closing(respond::status(status));
        let uri = request.uri();
        if request.version() > Version::HTTP_11 {
            return Err(refuse(StatusCode::HTTP_VERSION_NOT_SUPPORTED));
        }
        if uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET) {
            return Err(refuse(StatusCode::URI_TOO_LONG));
        }
        if uri.path() == "*" && request.method() != Method::OPTIONS {
            return Err(refuse(StatusCode::BAD_REQUEST));
        }
        framing(request.headers(), current.config.rooms.max_message).map_err(refuse)?;
        let visit = Visit::of(request, peer, current).map_err(|problem| match problem {
            HostProblem::Broken => refuse(StatusCode::BAD_REQUEST),
            HostProblem::Foreign => {
                self.counters.refused_host.add();
                let own = &current.base;
                let advice = format!("this server is {own}; a proxy in front of it belongs into web.trusted_proxies\n");
                respond::text(StatusCode::MISDIRECTED_REQUEST, advice)
            }
        })?;
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let segments = path.split('/').map(decode_segment).collect::<Option<Vec<String>>>();
        Ok((visit, segments.ok_or_else(|| respond::status(StatusCode::BAD_REQUEST))?))
    }

    /// Origin and rate, before anything is done or kept for a request.
    pub(crate) fn may_ask(&self, visit: &Visit, table: &Table) -> Result<(), Reply> {
        if !visit.welcome {
            self.counters.refused_origin.add();
            return Err(respond::status(StatusCode::FORBIDDEN));
        }
        if !self.limits.allow(table, visit.peer) {
            self.counters.refused_rate.add();
            return Err(respond::later(StatusCode::TOO_MANY_REQUESTS));
        }
        Ok(())
    }

    /// The body of a request that may ask.
    pub(crate) async fn body(&self, request: Request<Incoming>, visit: &Visit, table: &Table) -> Result<String, Reply> {
        self.may_ask(visit, table)?;
        let config = &visit.current.config;
        body::read(request, config.rooms.max_message, config.timing.body).await
    }
}

/// The methods of a path that is ours; `None` leaves it to assets and to Collider's `/ROOM/CLIENT`.
fn known(path: &[&str]) -> Option<&'static str> {
    match path {
        [""] | ["r", _] | ["params"] | ["ice"] | ["_matrix", "client", _, "voip", "turnServer"] => Some("GET"),
        ["join", _] | ["message" | "leave", _, _] | ["a", ""] => Some("POST"),
        ["v1alpha", "iceconfig"] | ["turn"] => Some("GET, POST"),
        _ => None,
    }
}

/// Is a method among those of a dialect's path? `HEAD` goes with `GET`.
fn allows(methods: &str, method: &str) -> bool {
    methods.split(", ").any(|one| one == method || (one == "GET" && method == "HEAD"))
}

/// `Access-Control-Allow-Methods`, as Collider names them on its own paths.
fn cors_methods(path: &[&str]) -> Option<&'static str> {
    match path {
        ["status"] => Some("GET"),
        path if known(path).is_some() => Some("GET, POST"),
        [_, _] => Some("POST, DELETE"),
        _ => None,
    }
}

/// What two servers might read differently, or one might choke on.
fn framing(headers: &HeaderMap, longest: usize) -> Result<(), StatusCode> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > longest as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let plain = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !plain || codings.next().is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if headers.get(EXPECT).is_some_and(|expected| !expected.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(StatusCode::EXPECTATION_FAILED);
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    Ok(())
}
