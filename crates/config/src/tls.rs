//! `[tls]`: the certificate of every TLS listener.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::keys::{Key, Table};
use crate::problem::Complaint;
use crate::reading::Reading;
use crate::reference::{list, text};
use crate::value::Parsed;

pub(crate) const TABLE: Table = Table {
    path: "tls",
    text: "The certificate of every listener that speaks TLS.",
    keys: &[
        Key {
            name: "certificate",
            default: "\"\"",
            example: "\"/etc/posthouse/cert.pem\"",
            expects: "a path in quotes",
            text: "PEM file with the certificate of this host's name, then those that signed it. It is read again when it\n\
                   changes; a pair that is not good leaves the old one serving. A relative path begins at the folder of\n\
                   this file.",
        },
        Key {
            name: "key",
            default: "\"\"",
            example: "\"/etc/posthouse/key.pem\"",
            expects: "a path in quotes",
            text: "PEM file with the private key of the certificate, not encrypted, readable by the service alone.",
        },
        Key {
            name: "pairs",
            default: "[]",
            example: "[{ certificate = \"/etc/posthouse/other.pem\", key = \"/etc/posthouse/other.key\" }]",
            expects: "a list of tables with a certificate and a key",
            text: "Further certificates, for hosts with several names. The name that a client asks for (SNI) chooses; the\n\
                   one above is for clients that ask for none, or for another. Write one block for each:\n\
                   \x20 [[tls.pairs]]\n\
                   \x20 certificate = \"/etc/posthouse/other.pem\"\n\
                   \x20 key = \"/etc/posthouse/other.key\"",
        },
    ],
};

pub(crate) const PAIRS: Table = Table {
    path: "tls.pairs",
    text: "",
    keys: &[
        Key {
            name: "certificate",
            default: "",
            example: "\"/etc/posthouse/other.pem\"",
            expects: "a path in quotes",
            text: "",
        },
        Key {
            name: "key",
            default: "",
            example: "\"/etc/posthouse/other.key\"",
            expects: "a path in quotes",
            text: "",
        },
    ],
};

pub(crate) const ACME: Table = Table {
    path: "tls.acme",
    text: "Certificates from an authority that speaks ACME, in place of the two files.",
    keys: &[
        Key {
            name: "domains",
            default: "[]",
            example: "[\"meet.example.org\"]",
            expects: "a list of names",
            text: "Names to ask certificates for.",
        },
        Key {
            name: "contact",
            default: "\"\"",
            example: "\"admin@example.org\"",
            expects: "an address in quotes",
            text: "Mail address that the authority writes to.",
        },
    ],
};

/// `[tls]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the chain; comes with `key`.
    pub certificate: Option<PathBuf>,
    /// PEM file with the key; comes with `certificate`.
    pub key: Option<PathBuf>,
    /// `[[tls.pairs]]`
    pub pairs: Vec<TlsPair>,
    /// `[tls.acme]`
    pub acme: Acme,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPair {
    /// PEM file with the chain.
    pub certificate: PathBuf,
    /// PEM file with the key.
    pub key: PathBuf,
}

/// What somebody who can read certificates has to say about a file of a [`TlsPair`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// About the key, else about the certificate.
    pub is_about_key: bool,
    /// What is wrong or doubtful.
    pub reason: String,
    /// What to do.
    pub write: String,
}

/// `[tls.acme]`. Not available yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acme {
    /// Names to ask certificates for.
    pub domains: Vec<String>,
    /// Mail address of the operator.
    pub contact: Option<String>,
}

impl Tls {
    /// Every pair; the first is for clients that ask for no name, or for another.
    pub fn all_pairs(&self) -> Vec<TlsPair> {
        self.first().into_iter().chain(self.pairs.iter().cloned()).collect()
    }

    fn first(&self) -> Option<TlsPair> {
        Some(TlsPair { certificate: self.certificate.clone()?, key: self.key.clone()? })
    }

    /// The path of the key that names a file of one of [`Tls::all_pairs`].
    pub(crate) fn key_of(&self, index: usize, is_about_key: bool) -> String {
        let name = if is_about_key { "key" } else { "certificate" };
        match index.checked_sub(self.first().iter().len()) {
            None => format!("tls.{name}"),
            Some(index) => format!("tls.pairs[{index}].{name}"),
        }
    }

    /// Lets relative paths begin at `folder`.
    pub(crate) fn begin_at(&mut self, folder: &Path) {
        let further = self.pairs.iter_mut().flat_map(|pair| [&mut pair.certificate, &mut pair.key]);
        for path in self.certificate.iter_mut().chain(&mut self.key).chain(further) {
            *path = folder.join(&*path);
        }
    }

    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let domain = |text: &str| Ok(text.to_owned());
        let entries = 0..reading.tables("tls.pairs");
        let (certificate, key) = read_pair(reading, "tls").map(|pair| (pair.certificate, pair.key)).unzip();
        Self {
            certificate,
            key,
            pairs: entries.filter_map(|index| read_entry(reading, &format!("tls.pairs[{index}]"))).collect(),
            acme: Acme {
                domains: reading.list("tls.acme.domains", domain).unwrap_or_default(),
                contact: reading.text("tls.acme.contact", word).flatten(),
            },
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { certificate, key, pairs, acme: Acme { domains, contact } } = self;
        let path = |path: &Path| text(&path.display().to_string());
        let maybe = |file: &Option<PathBuf>| path(file.as_deref().unwrap_or(Path::new("")));
        let shown = |TlsPair { certificate, key }: &TlsPair| {
            format!("{{ certificate = {}, key = {} }}", path(certificate), path(key))
        };
        let pairs: Vec<String> = pairs.iter().map(shown).collect();
        vec![
            ("tls.certificate", maybe(certificate)),
            ("tls.key", maybe(key)),
            ("tls.pairs", format!("[{}]", pairs.join(", "))),
            ("tls.acme.domains", list(domains)),
            ("tls.acme.contact", text(contact.as_deref().unwrap_or_default())),
        ]
    }
}

impl Finding {
    /// With the path of the file: what stands in the configuration may be relative.
    pub(crate) fn complaint(self, pair: &TlsPair) -> Complaint {
        let path = if self.is_about_key { &pair.key } else { &pair.certificate };
        Complaint::file(format!("{}: {}", path.display(), self.reason), self.write)
    }
}

/// Complains about listeners for TLS that have no certificate, and doubts an origin that no certificate is for.
pub(crate) fn check(reading: &mut Reading<'_>, config: &Config) {
    let keys = ["tls.certificate", "tls.key", "tls.pairs", "tls.acme.domains"];
    let has_certificate = !config.tls.all_pairs().is_empty() || !config.tls.acme.domains.is_empty();
    for (key, listen) in [("relay.tls_listen", &config.relay.tls_listen), ("edge.listen", &config.edge.listen)] {
        if !listen.is_empty() && !has_certificate && reading.is_sound(&keys) && reading.is_sound(&[key]) {
            let write = "write certificate and key in [tls], or remove this line";
            reading.complain(key, Complaint::wrong("a certificate for these listeners", "none in [tls]", write));
        }
    }
    let edge = !config.edge.listen.is_empty() && reading.is_sound(&["edge.listen", "web.public_url"]);
    if edge && config.web.public_url.is_none() {
        let about = "links and redirects will name an address, and certificates are for names";
        reading.warn("edge.listen", Complaint::doubt(about, "write web.public_url = \"https://NAME\""));
    }
}

/// Both keys of the table at `path`, or none.
fn read_pair(reading: &mut Reading<'_>, path: &str) -> Option<TlsPair> {
    let keys = ["certificate", "key"].map(|name| format!("{path}.{name}"));
    let [certificate, key] = keys.each_ref().map(|path| reading.text(path, word).flatten().map(PathBuf::from));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsPair { certificate, key }),
        (None, None) => None,
        (certificate, _) => {
            let [present, missing] =
                if certificate.is_some() { ["certificate", "key"] } else { ["key", "certificate"] };
            if reading.is_sound(&[&keys[0], &keys[1]]) {
                let write = format!("add {missing} = \"/etc/posthouse/{missing}.pem\"");
                let complaint = Complaint::wrong("a certificate and its key", format!("no {missing}"), write);
                reading.complain(&format!("{path}.{present}"), complaint);
            }
            None
        }
    }
}

/// One of `[[tls.pairs]]`, which is not there for nothing.
fn read_entry(reading: &mut Reading<'_>, path: &str) -> Option<TlsPair> {
    let pair = read_pair(reading, path);
    if pair.is_none() && reading.is_sound(&["tls.pairs"]) {
        let complaint = Complaint::wrong("a certificate and its key", "neither", "add both, or remove this block");
        reading.complain(path, complaint);
    }
    pair
}

fn word(text: &str) -> Parsed<Option<String>> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
