//! Files of `tests/golden/config`: a configuration, a divider, what is said about it.

use std::fmt::Write as _;
use std::path::PathBuf;

use posthouse_config::parse;

const DIVIDER: &str = "-----\n";

fn answer(input: &str) -> String {
    match parse(input, "posthouse.toml") {
        Err(problems) => format!("{problems}\n"),
        Ok(loaded) => {
            let mut answer = "accepted\n".to_owned();
            for warning in &loaded.warnings {
                let _ = writeln!(answer, "warning: {warning}");
            }
            answer
        }
    }
}

/// With `GOLDEN=write` in the environment the answers are written anew; read the difference before it is kept.
#[test]
fn every_golden_file_gets_the_answer_written_below_its_divider() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/config"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(files.len() >= 20, "only {} golden files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once(DIVIDER).unwrap_or((&text, ""));
        let answer = answer(input);
        if answer == expected {
            continue;
        }
        if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
            std::fs::write(&path, format!("{input}{DIVIDER}{answer}")).unwrap();
        } else {
            wrong.push(format!("{}\nexpected:\n{expected}\ngot:\n{answer}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
