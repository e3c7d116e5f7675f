//! What the figures were measured on, in words.

use std::fs;
use std::process::Command;

/// Processor, memory, kernel, system and date, one per line.
#[must_use]
pub fn description() -> Vec<String> {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = line("/proc/cpuinfo", "model name");
    let virtual_machine = fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor"));
    let memory: u64 = line("/proc/meminfo", "MemTotal").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux").trim_matches('"');
    vec![
        format!("Date: {}", output("date", &["-u", "+%F %H:%M UTC"])),
        format!(
            "Machine: {processors} processors ({cpu}{}), {:.1} GiB of memory",
            if virtual_machine { ", virtual" } else { "" },
            memory as f64 / f64::from(1 << 20)
        ),
        format!("System: {system}, kernel {}", output("uname", &["-r"])),
        format!("Load average at the start: {}", load_average()),
    ]
}

/// The three load averages.
#[must_use]
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// First line that a command writes; empty when there is no such command.
#[must_use]
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn line(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value).trim().to_owned()
}
