//! Keys and tables that do not exist, each with the nearest one that does.

use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::nearest::nearest;
use crate::problem::Complaint;
use crate::reading::Reading;

/// Complains about every key, at any level, that the manual does not have.
pub(crate) fn check(reading: &mut Reading<'_>) {
    let root = reading.root();
    table(reading, "", "", root);
}

/// `path` is the table's in the file (`auth.users[0]`), `known` its path in the manual (`auth.users`).
fn table(reading: &mut Reading<'_>, path: &str, known: &str, entries: &DeTable<'_>) {
    let names = keys::names_in(known);
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let join = |table: &str| if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
        if !names.contains(&name) {
            let complaint = Complaint::UnknownKey {
                nearest: if reading.is_full() { String::new() } else { advice(known, name, &names) },
            };
            reading.complain_at(key.span(), &join(path), complaint);
        } else if keys::table_at(&join(known)).is_some() {
            entry(reading, &join(path), &join(known), value.get_ref());
        }
    }
}

fn entry(reading: &mut Reading<'_>, path: &str, known: &str, value: &DeValue<'_>) {
    match value {
        DeValue::Table(entries) => table(reading, path, known, entries),
        DeValue::Array(array) if keys::is_array(known) => {
            for (index, item) in array.iter().enumerate() {
                if let DeValue::Table(entries) = item.get_ref() {
                    table(reading, &format!("{path}[{index}]"), known, entries);
                }
            }
        }
        _ if keys::is_array(known) => {}
        other => {
            let found = crate::reading::described(other, path);
            reading.complain(
                path,
                Complaint::wrong(format!("the table [{known}]"), found, format!("write [{known}] and its keys below")),
            );
        }
    }
}

fn advice(table: &str, name: &str, names: &[&'static str]) -> String {
    if let Some(near) = nearest(name, names.iter().copied()) {
        return format!("did you mean \"{near}\"?");
    }
    let elsewhere = keys::TABLES.into_iter().find(|table| table.keys.iter().any(|key| key.name == name));
    if let Some(other) = elsewhere {
        return format!("\"{name}\" belongs to [{}]", other.path);
    }
    let list = names.join(", ");
    if table.is_empty() { format!("tables are {list}") } else { format!("[{table}] takes {list}") }
}
