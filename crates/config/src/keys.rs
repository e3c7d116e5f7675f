//! Every table and key of the file with the text of the manual: what may be written, what is printed by [`reference`].
//!
//! [`reference`]: fn@crate::reference

use crate::{admin, auth, cluster, edge, limits, log, relay, rooms, signaling, tls, web, webhooks};

/// A table of the file.
pub(crate) struct Table {
    /// Its path, such as `signaling.collider`.
    pub(crate) path: &'static str,
    /// What it is about, lines of prose.
    pub(crate) text: &'static str,
    /// Its keys in the order of the manual.
    pub(crate) keys: &'static [Key],
}

/// A key of a table.
pub(crate) struct Key {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The default as TOML.
    pub(crate) default: &'static str,
    /// Another value as TOML, which complaints show as a pattern.
    pub(crate) example: &'static str,
    /// What it takes, for "expected ...".
    pub(crate) expects: &'static str,
    /// What it does and why its default is what it is, lines of prose.
    pub(crate) text: &'static str,
}

/// All tables in the order of the manual.
pub(crate) const TABLES: [&Table; 17] = [
    &web::TABLE,
    &rooms::TABLE,
    &signaling::TABLE,
    &signaling::COLLIDER,
    &signaling::HELLO,
    &signaling::PEERJS,
    &signaling::V1_TABLE,
    &webhooks::TABLE,
    &relay::TABLE,
    &auth::TABLE,
    &limits::TABLE,
    &tls::TABLE,
    &tls::ACME,
    &edge::TABLE,
    &admin::TABLE,
    &cluster::TABLE,
    &log::TABLE,
];

/// The key at `path`. Elements of a list are found by the list's path.
///
/// # Panics
///
/// When there is none: a key that is read is a key of the manual.
pub(crate) fn key(path: &str) -> &'static Key {
    let (table, name) = path.rsplit_once('.').expect("a key stands in a table");
    let found = table_at(table).and_then(|table| table.keys.iter().find(|key| key.name == name));
    found.unwrap_or_else(|| panic!("{path} is in no table of the manual"))
}

/// Arrays of tables: keys of a table above, each entry a table of its own.
const ARRAYS: [&Table; 2] = [&auth::USERS, &tls::PAIRS];

/// The table at `path`; the entries of `[[auth.users]]` are `auth.users`.
pub(crate) fn table_at(path: &str) -> Option<&'static Table> {
    TABLES.into_iter().chain(ARRAYS).find(|table| table.path == path)
}

/// Whether the tables at `path` are written `[[path]]`.
pub(crate) fn is_array(path: &str) -> bool {
    ARRAYS.into_iter().any(|table| table.path == path)
}

/// What may stand directly in the table at `path`: its keys and the tables below it. The root is the empty path.
pub(crate) fn names_in(path: &str) -> Vec<&'static str> {
    let keys = table_at(path).into_iter().flat_map(|table| table.keys).map(|key| key.name);
    let below = TABLES.into_iter().filter_map(|table| match table.path.rsplit_once('.') {
        Some((parent, name)) => (parent == path).then_some(name),
        None => path.is_empty().then_some(table.path),
    });
    keys.chain(below).collect()
}

/// The names of all keys.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().chain(ARRAYS).flat_map(|table| table.keys).map(|key| key.name)
}
