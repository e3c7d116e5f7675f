//! Files that nobody should write.

use posthouse_config::{Complaint, load, parse, reference};
use proptest::prelude::*;

use crate::manual::keys;

/// A value of each type of TOML.
const VALUES: [&str; 8] = ["7", "2.5", "true", "\"a text\"", "2024-02-03", "[1]", "[[]]", "{ a = 1 }"];

fn type_of(value: &str) -> &'static str {
    match value.as_bytes()[0] {
        b'"' => "text",
        b'[' => "list",
        b't' | b'f' => "flag",
        b'{' => "table",
        _ if value.contains('-') => "date",
        _ if value.contains('.') => "float",
        _ => "number",
    }
}

#[test]
fn every_key_of_a_wrong_type_is_named_with_its_line_and_column() {
    for (path, default) in keys() {
        let (table, name) = path.rsplit_once('.').unwrap();
        for value in VALUES {
            let elements_differ = value == "[1]" || value == "[[]]";
            if type_of(value) == type_of(&default) && !elements_differ {
                continue;
            }
            let text = format!("[{table}]\n{name} = {value}\n");
            let problems = parse(&text, "posthouse.toml").expect_err(&text);
            let named = problems.iter().find(|problem| problem.key.starts_with(path.as_str()));
            let problem = named.unwrap_or_else(|| panic!("{text}: {problems}"));
            let place = problem.place.as_ref().unwrap();
            assert_eq!(place.line, 2, "{problem}");
            assert!(place.column > name.len(), "{problem}");
            assert!(matches!(problem.complaint, Complaint::Wrong { .. }), "{problem}");
        }
    }
}

#[test]
fn every_misspelt_key_is_found_and_its_right_name_proposed() {
    for (path, default) in keys() {
        let (table, name) = path.rsplit_once('.').unwrap();
        let text = format!("\n[{table}]\n  {name}x = {default}\n");
        let problems = parse(&text, "posthouse.toml").expect_err(&text);
        let text = problems.to_string();
        assert!(
            text.starts_with(&format!("posthouse.toml:3:3: {path}x: unknown key; did you mean \"{name}\"?\n")),
            "{text}"
        );
    }
}

/// 1 MiB is the largest file that is read at all; each of these is as bad as a file of that size can be.
#[test]
fn a_bomb_of_a_megabyte_is_refused_and_nothing_overflows() {
    let size = 1024 * 1024;
    let repeated = |text: &str| text.repeat(size / text.len());
    let bombs = [
        format!("a = {}", repeated("[")),
        format!("a = {}", repeated("{a=")),
        format!("{}a = 1", repeated("a.")),
        format!("[{}a]", repeated("a.")),
        format!("[{}a]", repeated("\"a\".")),
        format!("a = {{ {}a = 1 }}", repeated("\"a\".")),
        (0..100_000).fold(String::new(), |text, index| text + &format!("k{index}=1\n")),
        format!("[relay]\nlisten = [{}]", repeated("1,")),
        format!("[relay]\nports = \"{}\"", repeated("9")),
        format!("[web]\nlisten = [{}]", repeated("\"127.0.0.1:1\",")),
        format!("[relay]\nrelay_addresses = [{}]", repeated("\"10.0.0.1\",")),
        repeated("[[auth.users]]\n"),
        repeated("[relay]\n"),
    ];
    for bomb in bombs {
        let head: String = bomb.chars().take(24).collect();
        let problems = parse(&bomb, "posthouse.toml").expect_err(&head);
        assert!(problems.to_string().len() < 64 * 1024, "{head}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_line() {
    let folder = std::env::temp_dir().join(format!("posthouse-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let cases = [
        (folder.join("missing.toml"), "No such file"),
        (folder.clone(), "is a directory"),
        (write("large.toml", &vec![b'#'; 10 << 20]), "larger than 1 MiB"),
        (write("latin.toml", b"[relay]\n# Z\xfcrich\n"), "not UTF-8 in line 2"),
        ("/dev/zero".into(), "not a regular file"),
    ];
    for (path, reason) in cases {
        let text = load(&path).unwrap_err().to_string();
        assert!(text.starts_with(&path.display().to_string()), "{text}");
        assert!(text.contains(reason) && !text.contains('\n'), "{text}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A good file with something in each table.
const GOOD: &str = include_str!("good.toml");

#[test]
fn the_good_file_is_good() {
    let loaded = parse(GOOD, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config.relay.listen.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_answered(text in any::<String>()) {
        let _ = parse(&text, "posthouse.toml").map_err(|problems| problems.to_string());
    }

    #[test]
    fn toml_like_garbage_is_answered(text in "([\\[\\]{}=.,\"'#\\n é-]|relay|listen|auth|users|secrets|0x1f|1979-05-27|\"10m\"){0,60}") {
        let _ = parse(&text, "posthouse.toml").map_err(|problems| problems.to_string());
    }

    #[test]
    fn a_damaged_file_is_answered(at in 0usize..10_000, cut in 0usize..12, put in "[\\PC\\n]{0,6}") {
        for good in [GOOD.to_owned(), reference().replace("\n#", "\n")] {
            let mut chars: Vec<char> = good.chars().collect();
            let at = at % chars.len();
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, put.chars());
            let damaged: String = chars.into_iter().collect();
            if let Err(problems) = parse(&damaged, "posthouse.toml") {
                let text = problems.to_string();
                prop_assert!(!text.is_empty());
                let leak = text.contains("Vq3kP0sXz7") || text.contains("correct-horse");
                prop_assert!(!leak, "{}", text);
            }
        }
    }
}
