//! The documented file and the manual say what the code does.

use posthouse_config::{Config, effective, parse, reference};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Takes the `#` away from lines that are settings: those where no blank follows it.
fn uncommented(page: &str) -> String {
    let lines = page.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Path and default of every key of the documented file.
pub(crate) fn keys() -> Vec<(String, String)> {
    let (mut table, mut keys) = (String::new(), Vec::new());
    for line in uncommented(&reference()).lines() {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
        } else if let Some((name, default)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push((format!("{table}.{name}"), default.to_owned()));
        }
    }
    keys
}

/// Run `posthouse config > conf/posthouse.toml`, or this test with `GOLDEN=write`, after a change of a key.
#[test]
fn the_documented_file_is_the_one_that_is_printed() {
    let path = format!("{REPOSITORY}/conf/posthouse.toml");
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, reference()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), reference());
}

#[test]
fn the_documented_file_changes_nothing_commented_or_uncommented() {
    for text in [reference(), uncommented(&reference()), String::new()] {
        let loaded = parse(&text, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.config, Config::default());
        assert!(loaded.warnings.is_empty());
    }
    assert!(keys().len() > 40);
}

#[test]
fn the_effective_settings_of_the_defaults_are_the_documented_ones() {
    let shown = effective(&Config::default());
    let loaded = parse(&shown, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config, Config::default());
    for (path, default) in keys() {
        let name = path.rsplit('.').next().unwrap();
        assert!(shown.contains(&format!("\n{name} = {default}\n")), "{path} is not shown as {default}");
    }
}

#[test]
fn the_manual_names_every_key_with_its_default_in_the_section_of_its_table() {
    let manual = std::fs::read_to_string(format!("{REPOSITORY}/conf/README.md")).unwrap();
    for (path, default) in keys() {
        let (table, name) = path.rsplit_once('.').unwrap();
        let section = manual.split(&format!("## `[{table}]`")).nth(1).unwrap_or_else(|| panic!("no section [{table}]"));
        let section = section.split("\n## ").next().unwrap();
        assert!(section.contains(&format!("| `{name}` | `{default}` |")), "no row for {path} = {default}");
    }
}

#[test]
fn the_minimal_file_is_short_and_good() {
    let text = std::fs::read_to_string(format!("{REPOSITORY}/conf/minimal.toml")).unwrap();
    assert!(text.lines().count() <= 12);
    let loaded = parse(&text, "minimal.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

/// The names of the published example are a contract: they stay, with their types.
#[test]
fn every_name_of_the_published_example_is_known() {
    let example = include_str!("example.toml");
    let problems = parse(example, "posthouse.toml").unwrap_err();
    for problem in problems.iter() {
        let text = problem.to_string();
        let expected = ["placeholder", "not available in this version"].iter().any(|reason| text.contains(reason));
        assert!(expected, "{text}");
    }
}

#[test]
fn the_file_of_the_install_steps_is_good() {
    let steps = std::fs::read_to_string(format!("{REPOSITORY}/systemd/README.md")).unwrap();
    let text = steps.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a TOML block");
    let loaded = parse(text, "systemd/README.md").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert!(loaded.config.auth.secrets_file.is_some());
}
