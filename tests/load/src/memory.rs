//! Memory of a process and of the kernel, in bytes.

use std::fs;
use std::io;

/// A reading.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Resident memory of the process (`smaps_rollup`: exact, unlike `status`).
    pub resident: i64,
    /// Slab memory of the whole machine: whatever else runs shows in it.
    pub slab: i64,
}

/// Reads both.
///
/// # Errors
/// The process is gone.
pub fn read(pid: u32) -> io::Result<Memory> {
    let resident = field(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?, "Rss:");
    let slab = field(&fs::read_to_string("/proc/meminfo")?, "Slab:");
    Ok(Memory { resident, slab })
}

fn field(text: &str, name: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib: i64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kib * 1024
}
