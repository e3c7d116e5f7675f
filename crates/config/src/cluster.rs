//! `[cluster]`: several nodes.

use crate::keys::{Key, Table};
use crate::reading::Reading;
use crate::reference::text;

pub(crate) const TABLE: Table = Table {
    path: "cluster",
    text: "Nothing here: one machine needs nothing else.",
    keys: &[Key {
        name: "engine",
        default: "\"\"",
        example: "\"redis://127.0.0.1\"",
        expects: "an address in quotes",
        text: "The engine that several nodes share for rooms and messages.",
    }],
};

/// `[cluster]`. Not available yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Address of the engine.
    pub engine: Option<String>,
}

impl Cluster {
    pub(crate) fn read(reading: &mut Reading<'_>) -> Self {
        let word = |text: &str| Ok((!text.is_empty()).then(|| text.to_owned()));
        Self { engine: reading.text("cluster.engine", word).flatten() }
    }

    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        vec![("cluster.engine", text(self.engine.as_deref().unwrap_or_default()))]
    }
}
