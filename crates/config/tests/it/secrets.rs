//! Secrets stay out of what is printed, and come from where they are kept.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use posthouse_config::{Secret, effective, load, parse};

const KEPT: &str = "hunter2-hunter2";

/// A place of its own for the files of one test.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("posthouse-secrets-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn no_complaint_repeats_a_secret() {
    let bad = [
        "[auth]\nsecrets = [\"hunter2-hunter2\"]",
        "[auth]\nsecrets = \"hunter2-hunter2\"",
        "[auth]\nsecret = \"hunter2-hunter2\"",
        "[auth]\nstatic-auth-secret = \"hunter2-hunter2\"",
        "[auth]\nsecrets = [\"0123456789abcdef0123456789abcdef\", hunter2-hunter2]",
        "[auth]\nsecrets = [\n\"hunter2-hunter2\n]",
        "[auth]\nsecrets = [\"\"\"\nhunter2-hunter2\"\"\"]",
        "auth = { secrets = [\"hunter2-hunter2\"], x = 1 }",
        "auth = \"hunter2-hunter2\"",
        "auth.secrets = [\"hunter2-hunter2\"",
        "auth.secrets = [\n  'hunter2-hunter2\n",
        "[atuh]\nsecrets = [\"hunter2-hunter2\"]",
        "atuh = { secrets = [\"hunter2-hunter2\"] }",
        "[atuh]\nsecrets = [\n  \"hunter2-hunter2\n]",
        "[atuh]\nsecrets = [\n  \"0123456789abcdef0123456789abcde\",\n  hunter2-hunter2,\n]",
        "secrets = [\"hunter2-hunter2\"]",
        "[[auth.users]]\nname = \"a:b\"\npassword = \"hunter2-hunter2\"",
        "[auth]\nusers = [{ name = \"a:b\", password = \"hunter2-hunter2\" }]",
        "[auth]\nusers = [{ name = \"a\", pasword = \"hunter2-hunter2\" }]",
        "[admin]\nlisten = [\"203.0.113.9:1\"]\ntoken = \"hunter2-hunter2\"",
        "[admin]\ntoken = hunter2-hunter2",
        "[admin]\ntoken = [\"hunter2-hunter2\"]",
        "[relay]\nsecret = \"hunter2-hunter2\"",
        "[signaling.v1]\napi_keys = [\"hunter2-hunter2\"]",
        "[signaling.v1]\napi_keys = \"hunter2-hunter2\"",
        "[signaling.v1]\ntoken_secrets = [\"hunter2-hunter2\"]",
    ];
    for text in bad {
        let problems = parse(text, "posthouse.toml").expect_err(text);
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn a_loaded_file_and_its_effective_settings_show_no_secret() {
    let text = format!(
        "[auth]\nsecrets = [\"{KEPT}-hunter2-hunter2-0\"]\n[[auth.users]]\nname = \"a\"\npassword = \"{KEPT}\"\n"
    );
    let loaded = parse(&text, "posthouse.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!format!("{loaded:?}").contains("hunter2"), "{loaded:?}");
    assert!(!effective(&loaded.config).contains("hunter2"));
    assert_eq!(loaded.config.auth.secrets[0].expose(), "hunter2-hunter2-hunter2-hunter2-0");
}

#[test]
fn secrets_come_from_a_file_beside_the_configuration() {
    let folder = folder("file");
    let config = folder.join("posthouse.toml");
    std::fs::write(&config, "[auth]\nsecrets_file = \"secrets\"\n").unwrap();
    let problems = load(&config).unwrap_err().to_string();
    assert!(problems.contains(":2:16: auth.secrets_file: ") && problems.contains("No such file"), "{problems}");

    let secrets = folder.join("secrets");
    std::fs::write(&secrets, "0123456789abcdef-0123456789abcdef\n\nfedcba9876543210-fedcba9876543210\n").unwrap();
    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o600)).unwrap();
    let loaded = load(&config).unwrap_or_else(|problems| panic!("{problems}"));
    let exposed: Vec<&str> = loaded.config.auth.secrets.iter().map(Secret::expose).collect();
    assert_eq!(exposed, ["0123456789abcdef-0123456789abcdef", "fedcba9876543210-fedcba9876543210"]);
    assert!(loaded.warnings.is_empty());

    std::fs::set_permissions(&secrets, PermissionsExt::from_mode(0o644)).unwrap();
    let loaded = load(&config).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings[0].to_string().contains("can be read by everybody"), "{:?}", loaded.warnings);

    for (text, reason) in [("", "holds no secret"), ("hunter2\n", "line 1: "), ("changeme", "placeholder")] {
        std::fs::write(&secrets, text).unwrap();
        let problems = load(&config).unwrap_err().to_string();
        assert!(problems.contains(reason) && !problems.contains("hunter2"), "{problems}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_systemd_credential_without_systemd_says_what_to_set() {
    let folder = folder("credential");
    let config = folder.join("posthouse.toml");
    std::fs::write(&config, "[auth]\nsecrets_file = \"credential:posthouse-no-such-credential\"\n").unwrap();
    let problems = load(&config).unwrap_err().to_string();
    let told = problems.contains("CREDENTIALS_DIRECTORY") || problems.contains("No such file");
    assert!(told, "{problems}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_configuration_that_holds_secrets_should_not_be_readable_by_everybody() {
    let folder = folder("mode");
    let config = folder.join("posthouse.toml");
    std::fs::write(&config, "[[auth.users]]\nname = \"a\"\npassword = \"correct-horse-battery\"\n").unwrap();
    for (mode, warnings) in [(0o640, 0), (0o644, 1)] {
        std::fs::set_permissions(&config, PermissionsExt::from_mode(mode)).unwrap();
        let loaded = load(&config).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.warnings.len(), warnings, "{:?}", loaded.warnings);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
