//! `meeting --posthouse PATH`: rooms and signaling under load; prints a table. `meeting --help` names the rest.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use posthouse_load::machine;
use posthouse_load::meeting::house::House;
use posthouse_load::meeting::rows::{self, Figure};
use posthouse_load::meeting::v1;

/// Measures rooms and signaling, as AppRTC's and Collider's clients use them.
#[derive(Debug, Parser)]
#[command(name = "tests/load/meeting")]
struct Arguments {
    /// The server's binary.
    #[arg(long)]
    posthouse: PathBuf,
    /// Which rows: idle, relay, spread, paced, resumes, v1; all by default.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Rooms of two in `idle`, `paced`, `resumes` and `v1`.
    #[arg(long, default_value_t = 5000)]
    rooms: usize,
    /// Seconds that `relay`, `spread` and `paced` take each.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for line in machine::description() {
        println!("{line}");
    }
    println!("\n| what | figure | goal |\n|---|---|---|");
    let mut good = true;
    for row in ["idle", "relay", "spread", "paced", "resumes", "v1"] {
        if !arguments.rows.is_empty() && !arguments.rows.iter().any(|wanted| wanted == row) {
            continue;
        }
        match measure(row, &arguments) {
            Ok(figures) => figures.iter().for_each(print),
            Err(problem) => {
                good = false;
                println!("| {row} | **failed**: {problem} | |");
            }
        }
    }
    println!("\nLoad average at the end: {}", machine::load_average());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One row, on a server of its own.
fn measure(row: &str, arguments: &Arguments) -> Result<Vec<Figure>, String> {
    let house = House::open(&arguments.posthouse)?;
    let time = Duration::from_secs(arguments.seconds);
    let figures = match row {
        "idle" => rows::idle(&house, arguments.rooms),
        // 4,000 sockets, as other servers had.
        "relay" => rows::relay(&house, 2000, time),
        // 2,000 sockets may say 200,000 messages a second together.
        "spread" => rows::spread(&house, 1000, time),
        "paced" => rows::paced(&house, arguments.rooms, time),
        "v1" => v1::resumes(&house, arguments.rooms),
        _ => rows::resumes(&house, arguments.rooms),
    };
    figures.map_err(|problem| problem.to_string())
}

fn print(figure: &Figure) {
    let Figure { what, value, unit, goal } = figure;
    let digits = usize::from(*value < 100.0) * 2;
    println!("| {what} | {value:.digits$} {unit} | {goal} |");
}
