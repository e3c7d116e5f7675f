//! Keys of the contract whose feature this version does not have yet.
//!
//! They are read and checked like all others, so that a file keeps its meaning from version to version; but setting one
//! to anything that differs from its default is refused, because nothing would follow from it. A feature that arrives
//! removes its lines here.

use crate::config::Config;
use crate::problem::Complaint;
use crate::reading::Reading;

/// Path of a key, and the feature that it needs.
const NOT_YET: [(&str, &str); 3] = [
    ("tls.acme.domains", "certificates by ACME"),
    ("tls.acme.contact", "certificates by ACME"),
    ("cluster.engine", "several nodes"),
];

/// The feature that `path` needs and this version lacks.
pub(crate) fn missing(path: &str) -> Option<&'static str> {
    NOT_YET.into_iter().find(|(key, _)| *key == path).map(|(_, feature)| feature)
}

/// Complains about each key of the table above that the file sets to something else than its default.
pub(crate) fn check(reading: &mut Reading<'_>, config: &Config) {
    let defaults = Config::default().shown();
    for (path, value) in config.shown() {
        let Some(feature) = missing(path) else { continue };
        let default = defaults.iter().find(|(key, _)| *key == path).map(|(_, value)| value.as_str());
        if reading.has(path) && default != Some(value.as_str()) {
            let write = format!("remove this line (its default is {})", default.unwrap_or_default());
            reading.complain(path, Complaint::Unavailable { feature: feature.to_owned(), write });
        }
    }
}
