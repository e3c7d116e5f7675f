//! The documented file: every key with its default, and every key with its value.

use std::fmt::{Display, Write as _};

use crate::availability;
use crate::config::Config;
use crate::keys::{self, Table};

const HEAD: &str = "\
# The configuration of Posthouse: every key, its default and why it is the default.
# Uncomment what you change. `posthouse check FILE` tells what is wrong with a file, with line and column.
# Each key can be set by the environment, too, which wins: POSTHOUSE_RELAY_LISTEN is `listen` of [relay].
# Durations are written \"90s\", \"10m\", \"1h\"; sizes \"64 KiB\", \"1 MiB\"; networks \"10.0.0.0/8\"; IPv6 with a port
# \"[2001:db8::10]:3478\". Without a file, and with this one, everything listens on localhost.
";

/// The whole documented file: each table's header, each key commented out with its default under its text.
///
/// Lines that begin with `#` and a blank are text; lines that begin with `#` and a letter become settings when the `#`
/// is taken away, and are then exactly [`Config::default`].
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for table in keys::TABLES {
        print_table(&mut page, table);
    }
    page
}

/// The settings in force as a file, with secrets masked.
pub fn effective(config: &Config) -> String {
    with_origins(config, |_| None)
}

/// The same, with a comment behind each value of which `origin` knows where it came from.
pub(crate) fn with_origins(config: &Config, origin: impl Fn(&str) -> Option<String>) -> String {
    let mut page = String::new();
    let mut table = "";
    for (path, value) in config.shown() {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        if parent != table {
            let blank = if page.is_empty() { "" } else { "\n" };
            let _ = writeln!(page, "{blank}[{parent}]");
            table = parent;
        }
        let origin = origin(path)
            .map(|origin| format!("  # {}", origin.replace(char::is_control, "\u{fffd}")))
            .unwrap_or_default();
        let _ = writeln!(page, "{name} = {value}{origin}");
    }
    page
}

fn print_table(page: &mut String, table: &Table) {
    page.push('\n');
    print_text(page, table.text);
    let _ = writeln!(page, "[{}]", table.path);
    for key in table.keys {
        page.push('\n');
        print_text(page, key.text);
        if availability::missing(&format!("{}.{}", table.path, key.name)).is_some() {
            page.push_str("# Not available in this version.\n");
        }
        let _ = writeln!(page, "#{} = {}", key.name, key.default);
    }
}

fn print_text(page: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(page, "# {line}");
    }
}

/// A list of values as TOML.
pub(crate) fn list<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(|value| text(&value.to_string())).collect();
    format!("[{}]", values.join(", "))
}

/// A text as TOML, in quotes.
pub(crate) fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
