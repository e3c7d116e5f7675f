//! Dialects are checked against the list of whoever speaks them.

use posthouse_config::parse;

#[test]
fn a_dialect_that_does_not_exist_is_told_at_its_place_with_the_nearest_one() {
    let known = ["auto", "matchbox", "yjs"];
    let loaded = parse("[signaling]\ndisabled = [\"yjs\", \"mtachbox\"]\nroot = \"auto\"\n", "t.toml").unwrap();
    let problems = loaded.check_dialects(&known).unwrap_err().to_string();
    assert!(problems.contains("t.toml:2:20"), "{problems}");
    assert!(problems.contains("one of auto, matchbox, yjs") && problems.contains("write matchbox"), "{problems}");
    let loaded = parse("[signaling]\ndisabled = [\"yjs\"]\nroot = \"auto\"\n", "t.toml").unwrap();
    assert!(loaded.check_dialects(&known).is_ok());
}
