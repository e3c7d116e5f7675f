//! Who asks, from where, and whether we want to talk to them: address, `Host`, `Origin`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use hyper::{
    HeaderMap, Request,
    header::{HOST, HeaderValue, ORIGIN},
};
use ipnet::IpNet;

use crate::{RequestContext, current::Current, query::Query};

/// What endpoints need to know of a request, checked.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The settings that it is answered by.
    pub(crate) current: Arc<Current>,
    /// The client's address, seen through trusted proxies.
    pub(crate) peer: IpAddr,
    /// Host name or address, without the port.
    pub(crate) host: Option<String>,
    pub(crate) query: Query,
    /// The `Origin` to name in the answer, if its pages may read it.
    pub(crate) cors: Option<HeaderValue>,
    /// May this origin change anything here?
    pub(crate) welcome: bool,
    pub(crate) user_agent: String,
}

/// `Host` is wrong: 400 for a broken one, 421 for one that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostProblem {
    Broken,
    Foreign,
}

impl Visit {
    pub(crate) fn of<B>(request: &Request<B>, peer: SocketAddr, current: &Arc<Current>) -> Result<Self, HostProblem> {
        let Current { config, origins, .. } = &**current;
        let headers = request.headers();
        let proxied = config.trusted_proxies.iter().any(|net| net.contains(&peer.ip().to_canonical()));
        let authority = authority(request)?;
        if let (Some(url), Some(authority), false) = (&config.public_url, &authority, proxied)
            && !same_authority(url, authority)
        {
            return Err(HostProblem::Foreign);
        }
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        Ok(Self {
            current: Arc::clone(current),
            peer: client_address(peer.ip(), headers, &config.trusted_proxies),
            host: authority.map(|authority| without_port(&authority).to_owned()),
            query: Query::parse(request.uri().query().unwrap_or_default()),
            cors: origins.cors(text(ORIGIN)),
            welcome: origins.welcome(text(ORIGIN), headers.contains_key(ORIGIN)),
            user_agent: text(hyper::header::USER_AGENT).unwrap_or_default().to_owned(),
        })
    }

    pub(crate) fn context(&self) -> RequestContext<'_> {
        RequestContext { peer: self.peer, host: self.host.as_deref() }
    }
}

/// Which origins may call us.
#[derive(Debug)]
pub(crate) struct Origins {
    everybody: bool,
    listed: Arc<[String]>,
    nobody_too: bool,
}

impl Origins {
    pub(crate) fn new(allowed: &[String], nobody_too: bool, own: &str) -> Self {
        let everybody = allowed.iter().any(|origin| origin == "*");
        let plain = |origin: &str| origin.trim_end_matches('/').to_ascii_lowercase();
        let listed = allowed.iter().map(|origin| plain(origin)).chain([plain(own)]).collect();
        Self { everybody, listed, nobody_too }
    }

    /// `given`: is there a header at all, readable or not?
    fn welcome(&self, origin: Option<&str>, given: bool) -> bool {
        match origin {
            _ if self.everybody && given => true,
            Some(origin) => self.listed.contains(&origin.to_ascii_lowercase()),
            None => !given && self.nobody_too,
        }
    }

    /// `Access-Control-Allow-Origin`. Never together with credentials: we have no cookies.
    fn cors(&self, origin: Option<&str>) -> Option<HeaderValue> {
        if self.everybody {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = origin.filter(|origin| self.listed.contains(&origin.to_ascii_lowercase()))?;
        HeaderValue::from_str(origin).ok()
    }
}

/// The authority a request is for: of the absolute form, else of the one `Host`. HTTP/1.0 need not have any.
fn authority<B>(request: &Request<B>) -> Result<Option<String>, HostProblem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < hyper::Version::HTTP_11 => return Ok(None),
        (Some(host), None) => host.to_str().map_err(|_| HostProblem::Broken)?,
        _ => return Err(HostProblem::Broken),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) || host.parse::<hyper::http::uri::Authority>().is_err() {
        return Err(HostProblem::Broken);
    }
    let absolute = request.uri().authority().map(|authority| authority.as_str().to_owned());
    Ok(Some(absolute.unwrap_or_else(|| host.to_owned()).to_ascii_lowercase()))
}

fn same_authority(url: &str, authority: &str) -> bool {
    let (scheme, own) = url.split_once("://").unwrap_or(("", url));
    let port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase().trim_end_matches(port).to_owned();
    plain(own) == plain(authority)
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => authority,
    }
}

/// The last address in `X-Forwarded-For` that is not a trusted proxy; only trusted proxies are asked.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
    let mut seen = peer;
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(seen) {
            break;
        }
        let Ok(address) = hop.parse() else { break };
        seen = address;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn visit(config: &Config, peer: &str, headers: &[(&'static str, &str)]) -> Result<Visit, HostProblem> {
        let mut request = Request::builder().uri("/x?a=b");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Visit::of(&request.body(()).unwrap(), peer.parse().unwrap(), &Arc::new(Current::new(config.clone())))
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let mut config = Config::default();
        let forwarded = [("host", "h"), ("x-forwarded-for", "198.51.100.9, 192.0.2.1, 10.0.0.2")];
        let peer = |config: &Config| visit(config, "10.0.0.1:5", &forwarded).unwrap().peer.to_string();
        assert_eq!(peer(&config), "10.0.0.1");
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        assert_eq!(peer(&config), "192.0.2.1", "what the client itself wrote before it is not believed");
    }

    #[test]
    fn a_foreign_host_is_refused_only_where_a_public_url_is_given() {
        let mut config = Config::default();
        let ask = |config: &Config, host| visit(config, "192.0.2.1:5", &[("host", host)]).map(|visit| visit.host);
        assert_eq!(ask(&config, "evil.example"), Ok(Some("evil.example".to_owned())));
        config.public_url = Some("https://meet.example.org".to_owned());
        assert_eq!(ask(&config, "evil.example"), Err(HostProblem::Foreign));
        assert_eq!(ask(&config, "MEET.example.org:443"), Ok(Some("meet.example.org".to_owned())));
        config.trusted_proxies = vec!["192.0.2.1/32".parse().unwrap()];
        assert!(ask(&config, "127.0.0.1:8080").is_ok());
    }

    #[test]
    fn a_missing_doubled_or_broken_host_is_refused() {
        let ask = |headers: &[(&'static str, &str)]| visit(&Config::default(), "192.0.2.1:5", headers).err();
        assert_eq!(ask(&[]), Some(HostProblem::Broken));
        assert_eq!(ask(&[("host", "a"), ("host", "a")]), Some(HostProblem::Broken));
        for broken in ["u@h", "h/x", "a b", "", "[::1", "a\"b"] {
            assert_eq!(ask(&[("host", broken)]), Some(HostProblem::Broken), "{broken}");
        }
        assert_eq!(ask(&[("host", "[2001:db8::1]:80")]), None);
    }

    #[test]
    fn origins_are_welcome_as_listed() {
        let all = Origins::new(&["*".to_owned()], true, "http://own.example");
        assert!(all.welcome(Some("null"), true) && all.welcome(None, false));
        let listed = Origins::new(&["https://app.example".to_owned()], false, "http://own.example");
        assert!(listed.welcome(Some("https://app.example"), true) && listed.welcome(Some("http://own.example"), true));
        assert!(!listed.welcome(Some("https://evil.example"), true) && !listed.welcome(None, false));
        assert!(!listed.welcome(None, true), "an unreadable Origin is nobody's");
        assert_eq!(listed.cors(Some("https://evil.example")), None);
    }
}
