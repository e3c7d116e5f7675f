//! `RFC.md` speaks of tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust source below a folder, in one string.
fn sources(folder: &Path, text: &mut String) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "target" | "node_modules") {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("UTF-8"));
        }
    }
}

/// What stands between pairs of `mark` in the last column of every row.
fn named(table: &str, mark: char) -> Vec<&str> {
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let columns = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | ").map(|(_, last)| last));
    columns.flat_map(|column| column.split(mark).skip(1).step_by(2)).collect()
}

#[test]
fn every_test_that_the_table_of_the_rfcs_names_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(here.join("RFC.md")).expect("RFC.md");
    let mut text = String::new();
    sources(&here.join("../../crates"), &mut text);
    sources(&here.join("../../tests/e2e"), &mut text);
    let names = named(&table, '`').into_iter().filter(|name| name.contains('_'));
    let functions: Vec<&str> = names.filter(|name| !text.contains(&format!("fn {name}("))).collect();
    let sentences = named(&table, '"');
    assert!(sentences.len() > 100, "the table is read: {}", sentences.len());
    let cases: Vec<&str> = sentences.into_iter().filter(|case| !text.contains(&format!("\"{case}\""))).collect();
    assert!(functions.is_empty() && cases.is_empty(), "no such test: {functions:#?}\nno such case: {cases:#?}");
}
