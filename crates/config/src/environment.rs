//! Keys set by the environment: `POSTHOUSE_RELAY_LISTEN` is `listen` of `[relay]`, and wins over the file.
//!
//! A value is written as in the file (`["203.0.113.10:3478"]`, `true`, `200`), except that a text needs no quotes and
//! the entries of a list may stand between commas. It goes through the checks of the file; what is wrong with it names
//! the variable in place of a line.
//!
//! A variable that names a table but none of its keys is a mistake, as an unknown key is in the file. Others that begin
//! alike are somebody else's: `POSTHOUSE_SERVICE_HOST` is made by Kubernetes for a service called "posthouse".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;

use secrecy::zeroize::Zeroizing;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::in_words;
use crate::keys::{self, Key, Table};
use crate::nearest::nearest;
use crate::problem::{Complaint, Problem};
use crate::reference;

const PREFIX: &str = "POSTHOUSE_";

/// What refines the log while one looks; not a key.
const LOG: &str = "POSTHOUSE_LOG";

/// A variable whose name begins with [`PREFIX`] and a table's. It may hold a secret, so it has no `Debug`.
pub(crate) struct Variable {
    name: String,
    /// The key that it sets; `None` when there is no such key.
    path: Option<String>,
    /// `v = VALUE`, a document of one key.
    document: Option<Zeroizing<String>>,
}

/// The name of the variable that sets the key at `path`.
pub(crate) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "_"))
}

/// Those of `environment` that are ours, in the order of their names.
pub(crate) fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Variable> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
    let mut ours: Vec<_> =
        environment.into_iter().filter_map(text).filter(|(name, _)| name != LOG && names_a_table(name)).collect();
    ours.sort();
    ours.into_iter().map(|(name, value)| Variable::new(name, value)).collect()
}

fn names_a_table(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let table = rest.split('_').next().unwrap_or_default().to_lowercase();
    keys::TABLES.into_iter().any(|known| known.path == table)
}

/// Every key that a variable may set.
fn all() -> impl Iterator<Item = (String, &'static Key)> {
    let keys = |table: &'static Table| table.keys.iter().map(move |key| (format!("{}.{}", table.path, key.name), key));
    keys::TABLES.into_iter().flat_map(keys)
}

impl Variable {
    fn new(name: String, value: OsString) -> Self {
        let Some((path, key)) = all().find(|(path, _)| variable(path) == name) else {
            return Self { name, path: None, document: None };
        };
        let value = value.into_string().ok().map(Zeroizing::new);
        let document = value.map(|value| Zeroizing::new(format!("v = {}", *Zeroizing::new(as_toml(key, &value)))));
        Self { name, path: Some(path), document }
    }

    /// The key that is set, and its value.
    fn read(&self) -> Result<(&str, Spanned<DeValue<'_>>), Complaint> {
        let Some(path) = &self.path else { return Err(self.unknown()) };
        let Some(document) = &self.document else {
            return Err(Complaint::wrong("text", "bytes that are not UTF-8", "write it as UTF-8"));
        };
        let (table, errors) = DeTable::parse_recoverable(document);
        if let Some(error) = errors.first() {
            return Err(Complaint::Syntax(in_words(error.message())));
        }
        let mut table = table.into_inner();
        match table.remove("v").filter(|_| table.is_empty()) {
            Some(value) => Ok((path, value)),
            None => Err(Complaint::wrong("one value", "more lines", "write the value alone")),
        }
    }

    fn unknown(&self) -> Complaint {
        let known: Vec<String> = all().map(|(path, _)| variable(&path).to_lowercase()).collect();
        let near = nearest(&self.name, known.iter().map(String::as_str));
        let advice = match near {
            Some(near) => format!("did you mean \"{}\"?", near.to_uppercase()),
            None => "variables are POSTHOUSE_, the table and the key: POSTHOUSE_RELAY_LISTEN".to_owned(),
        };
        Complaint::UnknownKey { nearest: advice }
    }

    fn problem(&self, complaint: Complaint) -> Problem {
        let key = self.path.clone().unwrap_or_default();
        Problem { file: self.name.clone(), place: None, key, complaint }
    }
}

/// Which variable sets which key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(BTreeMap<String, String>);

impl Set {
    /// The variable that a value at `path` came from, elements of a list included.
    pub(crate) fn by(&self, path: &str) -> Option<&str> {
        let mut holder = path;
        loop {
            if let Some(name) = self.0.get(holder) {
                return Some(name);
            }
            holder = &holder[..holder.rfind(['.', '['])?];
        }
    }

    /// Nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that are set.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All of them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}

/// Lays the variables over the tree of a file. What is wrong with one leaves the file's own value.
pub(crate) fn overlay<'v>(variables: &'v [Variable], tree: &mut DeTable<'v>) -> (Set, Vec<Problem>) {
    let (mut set, mut problems) = (Set::default(), Vec::new());
    for variable in variables {
        match variable.read() {
            Ok((path, value)) => {
                set.0.insert(path.to_owned(), variable.name.clone());
                put(tree, path, value);
            }
            Err(complaint) => problems.push(variable.problem(complaint)),
        }
    }
    (set, problems)
}

/// Tables on the way are made. Where the file has something else in their place, it is complained about there.
fn put<'t>(table: &mut DeTable<'t>, path: &str, value: Spanned<DeValue<'t>>) {
    let key = |name: &str| Spanned::new(0..0, Cow::Owned(name.to_owned()));
    let Some((head, rest)) = path.split_once('.') else {
        table.insert(key(path), value);
        return;
    };
    if !table.contains_key(head) {
        table.insert(key(head), Spanned::new(0..0, DeValue::Table(DeTable::new())));
    }
    if let Some(DeValue::Table(below)) = table.get_mut(head).map(Spanned::get_mut) {
        put(below, rest, value);
    }
}

/// The value as it would stand in the file.
fn as_toml(key: &Key, value: &str) -> String {
    match key.example.as_bytes().first() {
        Some(b'"') => reference::text(value),
        Some(b'[') if !value.trim_start().starts_with('[') => {
            let entries: Vec<&str> = value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
            reference::list(&entries)
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_variable_of_its_own() {
        let names: std::collections::BTreeSet<String> = all().map(|(path, _)| variable(&path)).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.iter().all(|name| names_a_table(name)));
        assert!(!names.contains(LOG));
        assert!(names.contains("POSTHOUSE_SIGNALING_COLLIDER_REQUIRE_JOIN"));
    }
}
