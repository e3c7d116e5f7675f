//! What is in force: a [`Config`] and what is made of it, replaced as one.

use crate::{Config, visit::Origins};

/// Settings that hold until the next reload. A request sees one set from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) config: Config,
    pub(crate) origins: Origins,
    /// What links are made of, without a trailing slash.
    pub(crate) base: String,
}

impl Current {
    pub(crate) fn new(config: Config) -> Self {
        let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
        let base = base.trim_end_matches('/').to_owned();
        Self { origins: Origins::new(&config.allowed_origins, config.allow_no_origin, &base), base, config }
    }
}
