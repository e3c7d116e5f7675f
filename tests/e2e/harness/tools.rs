//! Programs of the system that a test needs, and how their absence is said.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Set by `tests/run`: nothing may be skipped.
const REQUIRE: &str = "POSTHOUSE_REQUIRE_TOOLS";

/// The path of a program, or `None` after saying loudly what is skipped and how to get it.
/// With `POSTHOUSE_REQUIRE_TOOLS=1` its absence fails the test.
pub(crate) fn tool(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{name} is absent; apt-get install {package}"));
    }
    found
}

/// Says that a test does not run on this machine, or fails it when nothing may be skipped.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os(REQUIRE).is_none_or(|value| value.is_empty() || value == "0"), "{test}: {why}");
    eprintln!("\n*** SKIPPED {test}: {why}\n");
}

/// Runs a program to its end, at most `seconds`, and returns what it wrote.
pub(crate) fn run(seconds: u32, program: &Path, arguments: &[&str]) -> Output {
    run_with(seconds, program, arguments, &[])
}

/// The same with variables of the environment.
pub(crate) fn run_with(seconds: u32, program: &Path, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Output {
    Command::new("timeout")
        .envs(variables.iter().copied())
        .arg(seconds.to_string())
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()))
}

/// A program that runs beside the test and ends with it.
pub(crate) struct Beside(Child);

impl Beside {
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display())))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Standard output and error of a finished program, for messages.
pub(crate) fn text(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
