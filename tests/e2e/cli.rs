//! The verbs, as somebody at a terminal or a script meets them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::harness::certificate::Certificate;
use crate::harness::credential::{now, password};
use crate::harness::folder::Folder;
use crate::harness::server::{POSTHOUSE, spawn, terminate, verb};
use crate::harness::settings::SECRET;
use crate::harness::tools::{run, skip, text, tool};
use crate::harness::{Server, Settings};

/// sysexits.h: a command line that makes no sense, something needed is not there, a configuration that makes no sense.
const USAGE: i32 = 64;
const UNAVAILABLE: i32 = 69;
const CONFIG: i32 = 78;
const NO_PERMISSION: i32 = 77;

#[test]
fn check_is_silent_about_errors_in_a_good_file_and_says_yes_by_its_exit_code() {
    let folder = Folder::new();
    let file = folder.file("good.toml", &format!("[auth]\nsecrets = [\"{SECRET}\"]\n"));
    let output = verb(&["check", file.to_str().unwrap()], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn check_names_file_line_and_column_of_an_unknown_key_and_the_nearest_known_one() {
    let folder = Folder::new();
    let file =
        folder.file("typo.toml", "[web]\nlisten = [\"127.0.0.1:8080\"]\n\n[relay]\nlissten = [\"127.0.0.1:3478\"]\n");
    let output = verb(&["check", file.to_str().unwrap()], folder.path());
    let told = text(&output);
    assert_eq!(output.status.code(), Some(CONFIG), "{told}");
    assert!(told.contains("typo.toml:5:1"), "{told}");
    assert!(told.contains("lissten") && told.contains("listen"), "{told}");
}

#[test]
fn check_refuses_wrong_types_bad_ranges_short_secrets_and_foreign_addresses() {
    let cases = [
        ("a wrong type", "[rooms]\ncapacity = \"two\"\n", 2),
        ("a range upside down", "[relay]\nports = \"60000-50000\"\n", 2),
        ("a short secret", "[auth]\nsecrets = [\"short\"]\n", 2),
        ("an address of somebody else", "[web]\nlisten = [\"198.51.100.77:8080\"]\n", 2),
        ("broken TOML", "[web\n", 1),
    ];
    let folder = Folder::new();
    for (case, toml, line) in cases {
        let file = folder.file("case.toml", toml);
        let output = verb(&["check", file.to_str().unwrap()], folder.path());
        let told = text(&output);
        assert_eq!(output.status.code(), Some(CONFIG), "{case}: {told}");
        assert!(told.contains(&format!("case.toml:{line}:")), "{case} does not name line {line}: {told}");
    }
}

#[test]
fn check_and_run_refuse_a_file_that_is_not_there() {
    let folder = Folder::new();
    for arguments in [&["check", "absent.toml"][..], &["run", "--config", "absent.toml"]] {
        let output = verb(arguments, folder.path());
        let told = text(&output);
        assert_eq!(output.status.code(), Some(CONFIG), "{told}");
        assert!(told.contains("absent.toml"), "{told}");
    }
}

#[test]
fn run_refuses_what_check_refuses() {
    let folder = Folder::new();
    folder.file("typo.toml", "[relay]\nlissten = []\n");
    let output = verb(&["run", "--config", "typo.toml"], folder.path());
    let told = text(&output);
    assert_eq!(output.status.code(), Some(CONFIG), "{told}");
    assert!(told.contains("typo.toml:2:1"), "{told}");
}

#[test]
fn check_prints_the_settings_in_force_with_every_secret_masked() {
    let folder = Folder::new();
    let users = "[[auth.users]]\nname = \"alice\"\npassword = \"correct-horse-battery\"\n";
    let admin = "[admin]\ntoken = \"correct-horse-0123456789\"\n";
    let file = folder.file("masked.toml", &format!("{users}{admin}[auth]\nsecrets = [\"{SECRET}\"]\n"));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    let output = verb(&["check", "--strict", file.to_str().unwrap()], folder.path());
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("secrets = [\"***\"]") && told.contains("name = \"alice\""), "{told}");
    assert!(!told.contains(SECRET) && !told.contains("correct-horse"), "{told}");
}

/// The files of the manual, with addresses of this machine, and files that are there.
#[test]
fn check_takes_the_file_that_the_manual_gives_to_those_who_come_from_coturn() {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/README.md"));
    let manual = manual.expect("conf/README.md");
    let section = manual.split("\n## From coturn\n").nth(1).expect("a section").split("\n## ").next().unwrap();
    let files: Vec<&str> = section.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(files.len(), 4);
    let (folder, certificate) = (Folder::new(), Certificate::new());
    let secrets = folder.file("secrets", &format!("{SECRET}\n"));
    for path in [&secrets, &certificate.key()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o400)).unwrap();
    }
    for file in files {
        let here = |line: &str| {
            let (name, _) = line.split_once(" = ").unwrap_or_default();
            match name {
                "certificate" => format!("certificate = {:?}\n", certificate.certificate()),
                "key" => format!("key = {:?}\n", certificate.key()),
                "secrets_file" => format!("secrets_file = {secrets:?}\n"),
                // Behind NAT the private address is this machine's.
                "external_addresses" => "external_addresses = [\"203.0.113.10/127.0.0.1\"]\n".to_owned(),
                _ => line.replace("203.0.113.10", "127.0.0.1").replace("10.0.0.5", "127.0.0.1") + "\n",
            }
        };
        let file = folder.file("posthouse.toml", &file.lines().map(here).collect::<String>());
        let output = verb(&["check", file.to_str().unwrap()], folder.path());
        assert_eq!(output.status.code(), Some(0), "{}\n{}", std::fs::read_to_string(&file).unwrap(), text(&output));
        // The number of open files is this machine's affair; nothing else is doubtful.
        let doubts: Vec<_> = output.stderr.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
        let doubt = doubts.iter().find(|line| line.contains("warning: ") && !line.contains("open files"));
        assert_eq!(doubt, None, "{}", text(&output));
    }
}

#[test]
fn what_others_may_read_is_a_warning_and_with_strict_a_mistake() {
    let folder = Folder::new();
    let secrets = folder.file("secrets", &format!("{SECRET}\n"));
    let file = folder.file("open.toml", "[auth]\nsecrets_file = \"secrets\"\n");
    for (mode, strict) in [(0o604, CONFIG), (0o400, 0)] {
        std::fs::set_permissions(&secrets, PermissionsExt::from_mode(mode)).unwrap();
        let output = verb(&["check", "--strict", file.to_str().unwrap()], folder.path());
        assert_eq!(output.status.code(), Some(strict), "{mode:o}: {}", text(&output));
        let output = verb(&["check", file.to_str().unwrap()], folder.path());
        assert_eq!(output.status.code(), Some(0), "{mode:o}: {}", text(&output));
        assert_eq!(text(&output).contains("can be read by everybody"), strict == CONFIG, "{}", text(&output));
    }
}

#[test]
fn fewer_open_files_than_allocations_is_a_warning_with_both_numbers() {
    let Some(prlimit) = tool("prlimit", "util-linux") else { return };
    let folder = Folder::new();
    let file = folder.file("files.toml", "[relay]\nports = \"50000-59999\"\n");
    let output = run(30, &prlimit, &["--nofile=4096:4096", POSTHOUSE, "check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let warning = "10000 allocations need 11024 open files, but the limit is 4096";
    assert!(text(&output).contains(warning), "{}", text(&output));
    assert!(text(&output).contains("limits.allocations_total = 3072"), "{}", text(&output));
}

/// In a network of its own, where root of the outside has no say over ports below 1024 once the capability is gone.
#[test]
fn a_port_below_1024_without_the_capability_exits_with_77_and_names_it() {
    let (Some(unshare), Some(setpriv)) = (tool("unshare", "util-linux"), tool("setpriv", "util-linux")) else { return };
    if !run(10, &unshare, &["--net", "true"]).status.success() {
        return skip("a network namespace needs root");
    }
    let folder = Folder::new();
    let file = folder.file("low.toml", "[web]\nlisten = [\"127.0.0.1:80\"]\n");
    let script = format!(
        "ip link set lo up && \
         exec {} --bounding-set=-net_bind_service --inh-caps=-net_bind_service {POSTHOUSE} run --config {}",
        setpriv.display(),
        file.display()
    );
    let output = run(30, &unshare, &["--net", "sh", "-c", &script]);
    assert_eq!(output.status.code(), Some(NO_PERMISSION), "{}", text(&output));
    assert!(text(&output).contains("CAP_NET_BIND_SERVICE"), "{}", text(&output));
}

#[test]
fn config_prints_the_file_that_is_shipped_and_check_accepts_it() {
    let folder = Folder::new();
    let output = verb(&["config"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf/posthouse.toml");
    let shipped = std::fs::read_to_string(shipped).expect("conf/posthouse.toml");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(printed == shipped, "`posthouse config` and conf/posthouse.toml differ");
    let file = folder.file("printed.toml", &printed);
    let checked = verb(&["check", file.to_str().unwrap()], folder.path());
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked));
}

#[test]
fn the_environment_wins_and_check_tells_where_each_value_came_from() {
    let folder = Folder::new();
    let file = folder.file("posthouse.toml", "[rooms]\ncapacity = 4\nresume = \"20s\"\n");
    let check = |name: &str, value: &str| {
        let mut command = Command::new(POSTHOUSE);
        command.args(["check", file.to_str().unwrap()]).env(name, value).output().expect("posthouse starts")
    };
    let good = check("POSTHOUSE_ROOMS_CAPACITY", "6");
    assert_eq!(good.status.code(), Some(0), "{}", text(&good));
    assert!(text(&good).contains("capacity = 6  # POSTHOUSE_ROOMS_CAPACITY"), "{}", text(&good));
    assert!(text(&good).contains(&format!("resume = \"20s\"  # {}:3", file.display())), "{}", text(&good));
    for (name, value, complaint) in [
        ("POSTHOUSE_ROOMS_CAPACITY", "6000", "POSTHOUSE_ROOMS_CAPACITY: rooms.capacity: expected a whole number"),
        ("POSTHOUSE_AUTH_SECRETS", "hunter2", "POSTHOUSE_AUTH_SECRETS: auth.secrets[0]: expected"),
        ("POSTHOUSE_ROOMS_CAPACTIY", "6", "did you mean \"POSTHOUSE_ROOMS_CAPACITY\"?"),
    ] {
        let bad = check(name, value);
        assert_eq!(bad.status.code(), Some(CONFIG), "{}", text(&bad));
        assert!(text(&bad).contains(complaint) && !text(&bad).contains("hunter2"), "{}", text(&bad));
    }
}

#[test]
fn a_server_runs_with_what_its_environment_says_and_keeps_the_value_to_itself() {
    let token = "correct-horse-0123456789";
    let environment = [("POSTHOUSE_ADMIN_TOKEN", token), ("POSTHOUSE_RELAY_WORKERS", "1")];
    let server = Server::start_as(&Settings::default(), &environment, Some(token));
    server.wait_for_log("POSTHOUSE_ADMIN_TOKEN");
    assert!(!server.log().contains(token), "{}", server.log());
    // What the environment says holds at a reload, too.
    let told = server.reload("[relay]\n", "[relay]\nworkers = 3\n");
    assert!(told.contains("no setting that can change at once differs") && !told.contains("relay.workers"), "{told}");
}

#[test]
fn credentials_prints_a_name_and_the_password_that_the_secret_gives_it() {
    let folder = Folder::new();
    let file = folder.file("posthouse.toml", &format!("[auth]\nsecrets = [\"{SECRET}\"]\n"));
    let output = verb(&["credentials", "--user", "alice", "--config", file.to_str().unwrap()], folder.path());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let words = told.split(|character: char| character.is_whitespace() || "\"',".contains(character));
    let username =
        words.clone().find(|word| word.ends_with(":alice")).unwrap_or_else(|| panic!("no username in {told}"));
    let expiry: u64 = username.trim_end_matches(":alice").parse().expect("seconds since 1970");
    assert!(expiry > now() && expiry <= now() + 24 * 3600, "{expiry}");
    let expected = password(SECRET, username);
    assert!(words.clone().any(|word| word == expected), "no {expected} in {told}");
}

#[test]
fn credentials_without_a_secret_in_the_file_says_what_to_write() {
    let folder = Folder::new();
    let file = folder.file("posthouse.toml", "[rooms]\ncapacity = 2\n");
    let output = verb(&["credentials", "--user", "alice", "--config", file.to_str().unwrap()], folder.path());
    let told = text(&output);
    assert_eq!(output.status.code(), Some(CONFIG), "{told}");
    assert!(told.contains("secrets"), "{told}");
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_64() {
    let folder = Folder::new();
    for arguments in [
        &["frobnicate"][..],
        &["check"],
        &["run", "--no-such-flag"],
        &["credentials"],
        &["run", "--config", "a", "--config", "b"],
    ] {
        let output = verb(arguments, folder.path());
        assert_eq!(output.status.code(), Some(USAGE), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn help_and_version_exit_with_0() {
    let folder = Folder::new();
    for arguments in [&["--help"][..], &["--version"]] {
        let output = verb(arguments, folder.path());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
        assert!(String::from_utf8_lossy(&output.stdout).to_lowercase().contains("posthouse"), "{}", text(&output));
    }
}

#[test]
fn doctor_relays_real_bytes_through_a_running_server_and_says_when_there_is_none() {
    let mut server = Server::start(&Settings::default());
    let file = server.config();
    let doctor = || verb(&["doctor", "--config", file.to_str().unwrap()], file.parent().unwrap());
    let well = doctor();
    assert_eq!(well.status.code(), Some(0), "{}", text(&well));
    assert!(text(&well).contains("20 of 20"), "{}", text(&well));

    server.terminate();
    let ill = doctor();
    let told = text(&ill);
    assert_eq!(ill.status.code(), Some(UNAVAILABLE), "{told}");
    assert!(told.contains("the server is not running"), "{told}");
}

#[test]
fn sigterm_ends_a_server_cleanly() {
    let mut server = Server::start(&Settings::default());
    let status = server.terminate();
    assert_eq!(status.code(), Some(0), "{status}\n{}", server.log());
}

#[test]
fn the_first_block_names_page_relay_and_configuration() {
    let server = Server::start(&Settings::default());
    server.wait_for_log(&format!("http://{}", server.web));
    server.wait_for_log(&server.relay.to_string());
    server.wait_for_log(server.config().to_str().unwrap());
}

#[test]
fn a_secret_of_the_configuration_is_never_written_to_the_log() {
    let mut server = Server::start(&Settings::default().user("alice", "wonderland-password"));
    server.terminate();
    let log = server.log();
    assert!(!log.contains(SECRET) && !log.contains("wonderland-password"), "{log}");
}

/// In a network of its own, because the default ports may be taken on this machine.
#[test]
fn without_a_file_it_serves_on_localhost_and_says_where() {
    let (Some(unshare), Some(_), Some(nsenter)) =
        (tool("unshare", "util-linux"), tool("ip", "iproute2"), tool("nsenter", "util-linux"))
    else {
        return;
    };
    if !run(10, &unshare, &["--net", "true"]).status.success() {
        return skip("a network namespace needs root");
    }
    let folder = Folder::new();
    let script = format!("ip link set lo up && exec {POSTHOUSE}");
    let mut command = Command::new(unshare);
    command.args(["--net", "sh", "-c", &script]).current_dir(folder.path());
    let (mut child, log) = spawn(&mut command);
    log.wait_for("http://127.0.0.1:8080");
    log.wait_for("127.0.0.1:3478");
    log.wait_for("posthouse config");

    if let Some(client) = tool("turnutils_stunclient", "coturn") {
        let inside = ["-t", &child.id().to_string(), "-n", client.to_str().unwrap(), "127.0.0.1"];
        let output = run(10, &nsenter, &inside);
        assert!(text(&output).contains("UDP reflexive addr: 127.0.0.1:"), "{}\n{}", text(&output), log.text());
    }
    let status = terminate(&mut child);
    assert_eq!(status.code(), Some(0), "{}", log.text());
}
