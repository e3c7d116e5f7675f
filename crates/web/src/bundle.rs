//! All files of `assets/` and of the client, their hashes, and the one hash over all of them that their addresses carry.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::asset::{Asset, content_type};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";

/// In the HTML, assets are addressed under this prefix; it becomes `/assets/HASH/` once, at the first use.
const PLACEHOLDER: &str = "/assets/bundle/";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../assets/", $name)))),*]
    };
}

/// Every file of `assets/`, by name; a test compares this list with the folder.
const FILES: &[(&str, &[u8])] = files![
    "awake.js",
    "base.css",
    "blocks.js",
    "booth.css",
    "booth.js",
    "broker.js",
    "call-page.js",
    "call.css",
    "call.html",
    "call.js",
    "candidate-table.js",
    "chat.js",
    "check-devices.js",
    "check-nat.js",
    "check-refusals.js",
    "check-relay.js",
    "check-servers.js",
    "check-signaling.js",
    "check-throughput.js",
    "chunks.js",
    "clipboard.js",
    "collider.js",
    "connectivity-test.js",
    "constraints.js",
    "dashboard-allocations.js",
    "dashboard-api.js",
    "dashboard-ask.js",
    "dashboard-chart.js",
    "dashboard-figures.js",
    "dashboard-history.js",
    "dashboard-list.js",
    "dashboard-page.js",
    "dashboard-rates.js",
    "dashboard-rooms.js",
    "dashboard-server.js",
    "dashboard-words-de.js",
    "dashboard-words-en.js",
    "dashboard-words.js",
    "dashboard.css",
    "dashboard.html",
    "details.js",
    "device-menus.js",
    "device-problem.js",
    "devices.js",
    "dialog.js",
    "diary.js",
    "door.js",
    "download.js",
    "drawing.js",
    "drop-link.js",
    "drop-page.js",
    "drop.css",
    "drop.html",
    "element.js",
    "expert.js",
    "folder-walk.js",
    "gathering.js",
    "grid.js",
    "human.js",
    "ice-config.js",
    "ice-url.js",
    "ice.js",
    "icon.js",
    "icons.svg",
    "idleness.js",
    "invitation.js",
    "keys.js",
    "landing.css",
    "landing.html",
    "landing.js",
    "language.js",
    "learn-page.js",
    "learn.css",
    "learn.html",
    "lesson.js",
    "level.js",
    "lobby.js",
    "loopback.js",
    "media.js",
    "meet-page.js",
    "meet.css",
    "meet.html",
    "meeting.js",
    "membership.js",
    "menu.js",
    "name.js",
    "network.js",
    "notice.js",
    "numbers.js",
    "offer-list.js",
    "panels.js",
    "parameters.js",
    "parcel-row.js",
    "parcel.js",
    "path.js",
    "patience.js",
    "peer.js",
    "people.js",
    "phoenix.js",
    "plot.js",
    "posthouse.svg",
    "qr.js",
    "receiver-page.js",
    "receiver.js",
    "recent.js",
    "relay-pair.js",
    "report.js",
    "robots.txt",
    "room.js",
    "rows.js",
    "safe-path.js",
    "safety.js",
    "save-file.js",
    "screen.js",
    "sdp.js",
    "seat.js",
    "sender-page.js",
    "sender.js",
    "server-list.js",
    "settings.js",
    "sha256.js",
    "sheet.css",
    "shelf.js",
    "sink.js",
    "speakers.js",
    "speed.js",
    "stage.js",
    "strings.js",
    "test-page.js",
    "test.css",
    "test.html",
    "transfer-row.js",
    "tuned-connection.js",
    "unheard.js",
    "upload.js",
    "verdicts.js",
    "visit.js",
    "visitor-row.js",
    "visitor.js",
    "words-call-de.js",
    "words-call-en.js",
    "words-de.js",
    "words-en.js",
    "zip.js",
];

macro_rules! client_files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../client/", $name)))),*]
    };
}

/// The JavaScript client, by the name under which its own modules and the pages import it; a test compares this list with the folder.
const CLIENT: &[(&str, &[u8])] = client_files![
    "client.d.ts",
    "client.js",
    "client/connection.js",
    "client/error.js",
    "client/events.js",
    "client/kept.js",
    "client/line.js",
    "client/outbox.js",
    "client/patience.js",
    "client/peers.js",
    "client/requests.js",
    "client/room.js",
    "client/session.js",
];

struct Bundle {
    tag: &'static str,
    assets: BTreeMap<&'static str, Asset>,
}

static BUNDLE: LazyLock<Bundle> = LazyLock::new(Bundle::new);

/// Sixteen hexadecimal digits over the names and bytes of all files.
pub(crate) fn tag() -> &'static str {
    BUNDLE.tag
}

/// A page: asked for again at every visit, because its address stays while its content changes.
pub(crate) fn html(name: &str) -> Option<Asset> {
    BUNDLE.assets.get(name).copied()
}

/// A file of the JavaScript client, under its lasting address.
pub(crate) fn client(name: &str) -> Option<Asset> {
    CLIENT.iter().any(|(known, _)| *known == name).then(|| asset(name, false))?
}

/// A file that pages load; `immutable` when its address carries the current tag.
pub(crate) fn asset(name: &str, immutable: bool) -> Option<Asset> {
    let asset = BUNDLE.assets.get(name).filter(|_| !is_html(name)).copied()?;
    Some(Asset { cache_control: if immutable { IMMUTABLE } else { REVALIDATE }, ..asset })
}

impl Bundle {
    fn new() -> Self {
        let tag = leak(hex(&all_files(), 8));
        let prefix = format!("/assets/{tag}/");
        let assets = all().map(|&(name, bytes)| (name, embed(name, bytes, &prefix))).collect();
        Self { tag, assets }
    }
}

fn embed(name: &'static str, bytes: &'static [u8], prefix: &str) -> Asset {
    let body = if is_html(name) {
        let html = std::str::from_utf8(bytes).expect("the HTML files are UTF-8");
        leak(html.replace(PLACEHOLDER, prefix)).as_bytes()
    } else {
        bytes
    };
    let etag = leak(format!("\"{}\"", hex(&Sha256::new().chain_update(body), 16)));
    Asset { content_type: content_type(name), etag, cache_control: REVALIDATE, body }
}

fn all() -> impl Iterator<Item = &'static (&'static str, &'static [u8])> {
    FILES.iter().chain(CLIENT)
}

/// Lengths keep one file's end from being another one's beginning.
fn all_files() -> Sha256 {
    all().fold(Sha256::new(), |hash, (name, bytes)| {
        hash.chain_update(format!("{name}\0{}\0", bytes.len())).chain_update(bytes)
    })
}

/// The first `bytes` bytes of the digest.
fn hex(hash: &Sha256, bytes: usize) -> String {
    hash.clone().finalize().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

fn is_html(name: &str) -> bool {
    name.ends_with(".html")
}

/// Once per file and program: what is embedded lives as long as the program anyway.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each page and the script that it starts.
    const PAGES: &[(&str, &str)] = &[
        ("landing.html", "landing.js"),
        ("call.html", "call-page.js"),
        ("dashboard.html", "dashboard-page.js"),
        ("drop.html", "drop-page.js"),
        ("learn.html", "learn-page.js"),
        ("meet.html", "meet-page.js"),
        ("test.html", "test-page.js"),
    ];

    fn text(name: &str) -> &'static str {
        std::str::from_utf8(BUNDLE.assets[name].body).expect("every asset is text")
    }

    fn names() -> impl Iterator<Item = &'static str> {
        all().map(|(name, _)| *name)
    }

    /// What `module` means by `./name` or `../name`, as the browser resolves it.
    fn resolved(module: &str, name: &str) -> String {
        let folder = module.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    }

    fn files_of(folder: &str) -> BTreeSet<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| entry.file_name().into_string().expect("a UTF-8 name")).collect()
    }

    /// What follows `before` up to the next quote, everywhere in `text`.
    fn quoted<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
        text.split(before).skip(1).map(|rest| rest.split(['"', '\'']).next().unwrap_or("")).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        assert_eq!(files_of("assets"), FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }

    #[test]
    fn the_whole_client_is_embedded() {
        let inner = files_of("client/client").into_iter().map(|name| format!("client/{name}"));
        let outer = ["client.js", "client.d.ts"].map(String::from);
        assert_eq!(
            inner.chain(outer).collect::<BTreeSet<_>>(),
            CLIENT.iter().map(|(name, _)| (*name).to_owned()).collect()
        );
    }

    #[test]
    fn the_client_loads_nothing_but_itself() {
        for (module, _) in CLIENT.iter().filter(|(name, _)| name.ends_with(".js")) {
            for name in quoted(text(module), " from '") {
                let name = name.strip_prefix("./").unwrap_or_else(|| panic!("{module} imports {name}"));
                assert!(client(&resolved(module, name)).is_some(), "{module} imports {name}");
            }
        }
    }

    #[test]
    fn every_asset_that_the_html_names_exists() {
        let prefix = format!("/assets/{}/", tag());
        for (page, _) in PAGES {
            let named: Vec<&str> = quoted(text(page), &prefix);
            assert!(named.len() > 5, "{page} names {named:?}");
            for name in named {
                let (file, fragment) = name.split_once('#').unwrap_or((name, ""));
                assert!(BUNDLE.assets.contains_key(file), "{page} names {name}");
                assert!(
                    fragment.is_empty() || text(file).contains(&format!("id=\"{fragment}\"")),
                    "{page} names {name}"
                );
            }
            assert!(!text(page).contains(PLACEHOLDER), "{page} still names the placeholder");
        }
    }

    #[test]
    fn every_import_names_a_file_and_is_preloaded_by_its_page() {
        for (page, entry) in PAGES {
            let mut found = BTreeSet::new();
            let mut open = vec![*entry];
            while let Some(module) = open.pop() {
                for name in quoted(text(module), " from './") {
                    let name = resolved(module, name);
                    let (name, _) =
                        BUNDLE.assets.get_key_value(&*name).unwrap_or_else(|| panic!("{module} imports {name}"));
                    if found.insert(*name) {
                        open.push(name);
                    }
                }
            }
            let preloaded: BTreeSet<&str> =
                quoted(text(page), &format!("modulepreload\" href=\"/assets/{}/", tag())).into_iter().collect();
            assert_eq!(found, preloaded, "{page}: imported against preloaded");
        }
    }

    #[test]
    fn no_asset_refers_to_another_site() {
        // The name of the SVG vocabulary is not an address.
        let vocabulary = "http://www.w3.org/2000/svg";
        for name in names() {
            let text = text(name).replace(vocabulary, "");
            for sign in ["http://", "https://", "\"//", "'//", "(//", "@import", "url("] {
                assert!(!text.contains(sign), "{name} contains {sign}");
            }
        }
    }

    #[test]
    fn no_page_carries_inline_script_or_style() {
        for name in names().filter(|name| name.ends_with(".html") || name.ends_with(".svg")) {
            let text = text(name);
            for sign in ["<style", " style=", "javascript:", " onclick", " onload", " onerror", " onsubmit"] {
                assert!(!text.contains(sign), "{name} contains {sign}");
            }
            for script in text.split("<script").skip(1) {
                let (attributes, rest) = script.split_once('>').expect("a script tag ends");
                assert!(attributes.contains("src=") && rest.starts_with("</script>"), "{name}: <script{attributes}>");
            }
        }
    }

    #[test]
    fn no_script_makes_markup_or_code_from_text() {
        for name in names().filter(|name| name.ends_with(".js")) {
            for sign in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", ".style."]
            {
                assert!(!text(name).contains(sign), "{name} contains {sign}");
            }
        }
    }

    /// `test.start` stands as `start` within the group `test`, two spaces further in.
    fn has_word(words: &str, path: &str) -> bool {
        let mut within = words;
        let mut indent = String::from("\n  ");
        let (groups, name) =
            path.rsplit_once('.').map_or((vec![], path), |(before, name)| (before.split('.').collect(), name));
        for group in groups {
            let Some((_, rest)) = within.split_once(&format!("{indent}{group}: {{")) else { return false };
            within = rest.split_once(&format!("{indent}}},")).map_or(rest, |(inside, _)| inside);
            indent.push_str("  ");
        }
        within.contains(&format!("{indent}{name}: '"))
    }

    #[test]
    fn every_text_that_the_html_asks_for_is_in_every_language() {
        for (page, _) in PAGES {
            for attribute in ["data-text=\"", "data-label=\""] {
                for key in quoted(text(page), attribute) {
                    for language in ["en", "de"] {
                        let files = ["words", "words-call", "dashboard-words"];
                        let known = files.iter().any(|words| has_word(text(&format!("{words}-{language}.js")), key));
                        assert!(known, "{page} asks for {key}: not in {language}");
                    }
                }
            }
        }
    }

    #[test]
    fn equal_bytes_have_equal_tags_and_different_bytes_different_ones() {
        let etags: BTreeSet<&str> = BUNDLE.assets.values().map(|asset| asset.etag).collect();
        assert_eq!(etags.len(), all().count());
        assert!(etags.iter().all(|etag| etag.len() == 34 && etag.starts_with('"') && etag.ends_with('"')));
    }

    #[test]
    fn a_page_with_everything_it_loads_stays_below_a_quarter_of_a_megabyte() {
        let prefix = format!("/assets/{}/", tag());
        for (page, _) in PAGES {
            let loaded: BTreeSet<&str> =
                quoted(text(page), &prefix).into_iter().map(|name| name.split('#').next().unwrap_or(name)).collect();
            let bytes: usize = loaded.iter().map(|name| text(name).len()).sum::<usize>() + text(page).len();
            assert!(bytes < 250_000, "{page}: {bytes} bytes");
        }
    }
}
