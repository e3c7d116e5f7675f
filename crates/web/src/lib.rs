//! The browser pages, embedded: what is served at a path, and under which policy.
//!
//! [`page`] answers `GET` and `HEAD`; the server around it compares `If-None-Match` with [`Asset::etag`], writes the
//! headers and knows every other route. The pages load nothing from third parties and run no inline script or style,
//! so that [`content_security_policy`] can forbid both.
//!
//! ```
//! let asset = posthouse_web::page("/r/kitchen").expect("every legal room name has a page");
//! assert_eq!(asset.content_type, "text/html; charset=utf-8");
//! assert!(posthouse_web::page("/r/kit.chen").is_none());
//! ```

#![forbid(unsafe_code)]

mod asset;
mod bundle;
mod policy;

pub use asset::Asset;
pub use policy::{OPERATOR_PERMISSIONS_POLICY, PERMISSIONS_POLICY, REFERRER_POLICY, content_security_policy};

/// Longest room name with a page; the same limit as the room server's.
const ROOM_NAME_MAX: usize = 128;

/// What is served at `path` (no query, not percent-decoded), or `None` for 404.
///
/// `/` is the landing page, `/r/ROOM` the call page for two, `/meet/ROOM` the page of a meeting of more, `/drop` the file drop, `/learn` the learning page, `/test` the connectivity test, `/assets/BUNDLE/NAME` everything that they load. `BUNDLE` is a hash
/// of all assets: with the current one an asset never changes and says so; any other one gets the same bytes to be
/// asked for again, because the page may come from another node in the middle of an upgrade. `/v1/client.js` is the JavaScript client for
/// everybody's pages, `/v1/client.d.ts` its types.
pub fn page(path: &str) -> Option<Asset> {
    match path {
        "/" => bundle::html("landing.html"),
        "/drop" => bundle::html("drop.html"),
        "/learn" => bundle::html("learn.html"),
        "/test" => bundle::html("test.html"),
        "/robots.txt" => bundle::asset("robots.txt", false),
        _ => call_page(path)
            .or_else(|| loaded_asset(path).filter(|_| !is_operators(path)))
            .or_else(|| bundle::client(path.strip_prefix("/v1/")?)),
    }
}

/// What is served at `path` of the operator's own listener: `/` is the dashboard, `/assets/BUNDLE/NAME` everything that it
/// loads. Nothing of it holds anything that is secret, and [`page`] has none of it.
pub fn operator_page(path: &str) -> Option<Asset> {
    if path == "/" { bundle::html("dashboard.html") } else { loaded_asset(path) }
}

fn call_page(path: &str) -> Option<Asset> {
    let (name, html) = match path.strip_prefix("/meet/") {
        Some(name) => (name, "meet.html"),
        None => (path.strip_prefix("/r/")?, "call.html"),
    };
    is_room_name(name).then(|| bundle::html(html))?
}

/// The dashboard's own files begin with its name.
fn is_operators(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with("dashboard"))
}

fn loaded_asset(path: &str) -> Option<Asset> {
    let (tag, name) = path.strip_prefix("/assets/")?.split_once('/')?;
    bundle::asset(name, tag == bundle::tag())
}

/// AppRTC's rule for rooms, with a length.
fn is_room_name(name: &str) -> bool {
    (1..=ROOM_NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_and_every_legal_room_are_found() {
        for path in [
            "/",
            "/drop",
            "/learn",
            "/test",
            "/r/a",
            "/meet/a",
            "/r/kitchen",
            "/r/A-b_9",
            &format!("/r/{}", "x".repeat(128)),
        ] {
            assert_eq!(page(path).expect(path).content_type, "text/html; charset=utf-8");
        }
    }

    #[test]
    fn whatever_else_is_asked_for_is_not_found() {
        let too_long = format!("/r/{}", "x".repeat(129));
        for path in [
            "",
            "/r",
            "/r/",
            "/meet/",
            "/meet/a.b",
            "/r/a/",
            "/r/a.b",
            "/r/a%20b",
            "/r/\u{e9}",
            "/assets/call.js",
            "/call.html",
            &too_long,
        ] {
            assert!(page(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_asset_is_immutable_under_its_own_bundle_and_asked_for_again_under_another() {
        let own = page(&format!("/assets/{}/call.js", bundle::tag())).expect("call.js");
        let other = page("/assets/0123456789abcdef/call.js").expect("call.js of another node");
        assert_eq!(own.cache_control, "public, max-age=31536000, immutable");
        assert_eq!(other.cache_control, "no-cache");
        assert_eq!(own.body, other.body);
        assert_eq!(own.etag, other.etag);
    }

    #[test]
    fn the_client_has_a_lasting_address_and_is_asked_for_again_there() {
        let client = page("/v1/client.js").expect("the client");
        assert_eq!(client.content_type, "text/javascript; charset=utf-8");
        assert_eq!(client.cache_control, "no-cache");
        assert!(page("/v1/client/room.js").is_some());
        assert_eq!(page("/v1/client.d.ts").expect("its types").content_type, "application/typescript; charset=utf-8");
        for path in ["/v1/call.js", "/v1/client", "/v1/client/", "/v1/package.json", "/v1/client/../client.js"] {
            assert!(page(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_dashboard_is_the_operators_alone() {
        assert_eq!(operator_page("/").expect("a page").content_type, "text/html; charset=utf-8");
        assert_ne!(operator_page("/").map(|page| page.etag), page("/").map(|page| page.etag));
        for name in ["dashboard-page.js", "dashboard.css"] {
            let path = format!("/assets/{}/{name}", bundle::tag());
            assert!(operator_page(&path).is_some(), "{name}");
            assert!(page(&path).is_none(), "{name} on a public listener");
        }
        for path in ["/r/kitchen", "/test", "/dashboard.html", "/robots.txt", "/v1/client.js"] {
            assert!(operator_page(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_html_is_not_an_asset_under_its_file_name() {
        assert!(page(&format!("/assets/{}/call.html", bundle::tag())).is_none());
    }
}
