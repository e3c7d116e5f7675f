//! The block that is printed once everything listens: where the page is, where STUN and TURN are, where settings go.

use std::path::Path;

use crate::ice::IceUrls;

/// What the block says.
pub(crate) struct Announcement<'a> {
    /// Where the pages are, if there is a web listener.
    pub(crate) page: Option<String>,
    /// What clients put into `iceServers`.
    pub(crate) ice: &'a IceUrls,
    /// The configuration file, if one was read.
    pub(crate) config: Option<&'a Path>,
    /// No secret was configured.
    pub(crate) own_secret: bool,
    /// Admin listeners.
    pub(crate) admin: &'a [std::net::SocketAddr],
}

impl Announcement<'_> {
    /// Prints the block on standard output.
    pub(crate) fn print(&self) {
        let Self { page, ice, config, own_secret, admin } = self;
        let mut rows = Vec::new();
        if let Some(page) = page {
            rows.push(("page", format!("{page}/")));
            rows.push(("a room", format!("{page}/r/kitchen")));
        }
        if !ice.stun.is_empty() {
            rows.push(("STUN", ice.stun.join("  ")));
            rows.push(("TURN", ice.turn.join("  ")));
        }
        for address in *admin {
            rows.push(("dashboard", format!("http://{address}/")));
            rows.push(("metrics", format!("http://{address}/metrics")));
        }
        rows.push(match config {
            Some(file) => ("configuration", file.display().to_string()),
            None => (
                "configuration",
                "built-in defaults, localhost only; `posthouse config > posthouse.toml` writes a documented file, \
                 `posthouse run --config posthouse.toml` serves with it"
                    .to_owned(),
            ),
        });
        if *own_secret {
            rows.push(("secret", "made for this run; set auth.secrets to keep credentials over a restart".to_owned()));
        }
        println!("Posthouse {}", env!("CARGO_PKG_VERSION"));
        for (name, value) in rows {
            println!("  {name:<14} {value}");
        }
    }
}
