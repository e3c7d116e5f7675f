//! `[tls]`: the certificate of every TLS listener.

use std::path::PathBuf;

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::reference::{list, text};

pub(crate) const TABLE: Table = Table {
    path: "tls",
    text: "The certificate of every listener that speaks TLS.",
    keys: &[
        Key {
            name: "certificate",
            default: "\"\"",
            example: "\"/etc/posthouse/cert.pem\"",
            expects: "a path in quotes",
            text: "PEM file with the certificate and its chain.",
        },
        Key {
            name: "key",
            default: "\"\"",
            example: "\"/etc/posthouse/key.pem\"",
            expects: "a path in quotes",
            text: "PEM file with the private key, readable by the service alone.",
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

/// `[tls]`. Not available yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM file with the chain.
    pub certificate: Option<PathBuf>,
    /// PEM file with the key.
    pub key: Option<PathBuf>,
    /// `[tls.acme]`
    pub acme: Acme,
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
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let word = |text: &str| Ok((!text.is_empty()).then(|| text.to_owned()));
        let domain = |text: &str| Ok(text.to_owned());
        Self {
            certificate: reading.text("tls.certificate", word).flatten().map(PathBuf::from),
            key: reading.text("tls.key", word).flatten().map(PathBuf::from),
            acme: Acme {
                domains: reading.list("tls.acme.domains", domain).unwrap_or_default(),
                contact: reading.text("tls.acme.contact", word).flatten(),
            },
        }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let Self { certificate, key, acme: Acme { domains, contact } } = self;
        let path =
            |path: &Option<PathBuf>| text(&path.as_ref().map(|path| path.display().to_string()).unwrap_or_default());
        vec![
            ("tls.certificate", path(certificate)),
            ("tls.key", path(key)),
            ("tls.acme.domains", list(domains)),
            ("tls.acme.contact", text(contact.as_deref().unwrap_or_default())),
        ]
    }
}
