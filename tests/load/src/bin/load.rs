//! `load FILE`: measures servers side by side and writes the table of ratios. `load --help` names the rest.
#![forbid(unsafe_code)]

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use posthouse_load::cells::{Cell, Row, Scale, Work, cells};
use posthouse_load::endpoint::{Certificate, Transport};
use posthouse_load::framing::Framing;
use posthouse_load::measure::{Setting, measure};
use posthouse_load::report::Report;
use posthouse_load::servers::{Candidate, External, Ground, Kind, Server};
use posthouse_load::statistics::Shuffle;
use posthouse_load::{kernel, machine};

/// Between measurements: what else runs on the machine needs its turn.
const PAUSE: Duration = Duration::from_millis(200);

/// Measures TURN servers side by side and writes a Markdown table of ratios.
#[derive(Debug, Parser)]
#[command(name = "tests/load/run")]
struct Arguments {
    /// Where the table goes; every single number goes beside it, to the same name with .tsv.
    file: PathBuf,
    /// How many rounds; each measures every cell on every server, in random order.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Which rows; everything over UDP by default.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<Row>,
    /// One short round: to see that everything works.
    #[arg(long)]
    quick: bool,
    /// A binary of ours, `PATH` or `NAME=PATH`; repeat it to compare builds.
    #[arg(long, value_name = "[NAME=]PATH")]
    posthouse: Vec<String>,
    /// A column of ours for each of these values of `relay.engine`; otherwise its default.
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engine: Vec<String>,
    /// A server that already runs: `NAME=IP:PORT,PID,USERNAME,PASSWORD`.
    #[arg(long, value_name = "NAME=...")]
    external: Vec<String>,
    /// Leave coturn out; the first server then is the baseline.
    #[arg(long)]
    no_coturn: bool,
    /// Leave the bare forwarders out.
    #[arg(long)]
    no_bare: bool,
    /// Ordinary priority: kinder to what else runs, and noisier.
    #[arg(long)]
    no_realtime: bool,
    /// Take joined datagrams at the far end (UDP_GRO), so that the server is not charged for cutting them.
    #[arg(long)]
    far_gro: bool,
    /// Stop between two measurements after so many minutes, and report what there is.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Repeats the random order of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("load: {words}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let candidates = candidates(arguments)?;
    let scale = if arguments.quick { Scale::QUICK } else { Scale::FULL };
    let rounds = if arguments.quick { 1 } else { arguments.rounds };
    // It lives as long as the program, and every server start wants it.
    let tls =
        arguments.rows.contains(&Row::Tls).then(|| Certificate::generate().map(|made| &*Box::leak(Box::new(made))));
    let ground = Ground { processor: 0, realtime: !arguments.no_realtime, tls: tls.transpose()? };
    let setting = Setting { scale, ground, far_gro: arguments.far_gro };
    let seed = arguments
        .seed
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64));
    let machine = machine::description();
    kernel::pin(1).map_err(|e| format!("two processors are needed, one for the servers, one for this: {e}"))?;

    let rows = if arguments.rows.is_empty() { &Row::DEFAULT } else { arguments.rows.as_slice() };
    let mut series = Series {
        setting,
        cells: cells(rows, scale),
        report: Report::new(candidates.iter().map(|candidate| candidate.name.clone()).collect()),
        shuffle: Shuffle(seed),
        number: 0,
        end: Instant::now() + Duration::from_secs(60 * arguments.minutes),
    };
    let mut done = 0;
    while done < rounds && Instant::now() < series.end {
        eprintln!("round {} of {rounds}", done + 1);
        series.round(done, &candidates)?;
        done += 1;
    }
    let method = method(arguments, scale, done, seed);
    let write = |path: &PathBuf, text: String| fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()));
    write(&arguments.file.with_extension("tsv"), series.report.raw())?;
    write(&arguments.file, series.report.markdown(&machine, &method))?;
    eprintln!("written: {}", arguments.file.display());
    Ok(())
}

struct Series {
    setting: Setting,
    cells: Vec<Cell>,
    report: Report,
    shuffle: Shuffle,
    number: u32,
    end: Instant,
}

impl Series {
    /// Fresh servers, every cell on each of them.
    fn round(&mut self, round: usize, candidates: &[Candidate]) -> Result<(), String> {
        let mut servers: Vec<Server> = Vec::new();
        for (i, candidate) in candidates.iter().enumerate() {
            servers.push(candidate.start(Ipv4Addr::new(127, 0, 0, 20 + i as u8), self.setting.ground)?);
        }
        let mut order: Vec<usize> = (0..servers.len()).collect();
        for cell in self.cells.clone() {
            self.shuffle.shuffle(&mut order);
            for &i in &order {
                if Instant::now() > self.end {
                    return Ok(());
                }
                self.measure(round, &candidates[i], &mut servers[i], &cell);
                sleep(PAUSE);
            }
        }
        Ok(())
    }

    fn measure(&mut self, round: usize, candidate: &Candidate, server: &mut Server, cell: &Cell) {
        let turn_alone = match cell.work {
            Work::Allocate(_) | Work::Binding => true,
            Work::Relay(relay) => relay.transport != Transport::Udp || relay.framing == Framing::Indication,
            Work::Memory(_) => false,
        };
        if turn_alone && matches!(candidate.kind, Kind::Bare { .. }) {
            return;
        }
        self.number += 1;
        match measure(self.setting, candidate, server, cell, self.number) {
            Ok(measured) => {
                let first = measured.samples.first().map(|sample| format!("{:?} {:.2}", sample.figure, sample.value));
                eprintln!("  {}: {}: {}", cell.name, candidate.name, first.unwrap_or_default());
                self.report.add(round, &candidate.name, cell, measured);
            }
            Err(words) => {
                let words = server.ended().unwrap_or(words);
                eprintln!("  {}: {}: FAILED: {words}", cell.name, candidate.name);
                self.report.remark(&cell.name, &candidate.name, format!("failed: {words}"));
            }
        }
    }
}

fn candidates(arguments: &Arguments) -> Result<Vec<Candidate>, String> {
    let candidate = |name: &str, kind| Candidate { name: name.into(), kind };
    let mut candidates = Vec::new();
    if !arguments.no_coturn {
        candidates.push(candidate("coturn", Kind::Coturn));
    }
    for text in &arguments.posthouse {
        let (name, path) = text.split_once('=').unwrap_or(("posthouse", text));
        let ours = |engine| Kind::Posthouse { binary: path.into(), engine };
        if arguments.engine.is_empty() {
            candidates.push(candidate(name, ours(None)));
        }
        for engine in &arguments.engine {
            candidates.push(candidate(&format!("{name} {engine}"), ours(Some(engine.clone()))));
        }
    }
    for text in &arguments.external {
        let (name, external) = text.split_once('=').ok_or_else(|| format!("--external: no NAME= in {text:?}"))?;
        candidates.push(candidate(name, Kind::External(external.parse::<External>()?)));
    }
    if !arguments.no_bare {
        candidates.push(candidate("bare mmsg", Kind::Bare { join: false }));
        candidates.push(candidate("bare gso", Kind::Bare { join: true }));
    }
    Ok(candidates)
}

fn method(arguments: &Arguments, scale: Scale, rounds: usize, seed: u64) -> Vec<String> {
    let mut lines = vec![
        format!("Load average at the end: {}", machine::load_average()),
        format!(
            "{rounds} rounds, steps of {} ms, servers on processor 0, generator on processor 1, {}, seed {seed}",
            scale.step.as_millis(),
            if arguments.no_realtime { "ordinary priority" } else { "both in real time (SCHED_RR)" }
        ),
        "Ratios: median of the per-round ratios to the first server [least-greatest]. Loopback, IPv4, UDP.".into(),
    ];
    if !arguments.no_coturn {
        lines.push(format!("coturn: {}", machine::output("turnserver", &["--version"])));
    }
    if let Ok(commit) = std::env::var("POSTHOUSE_LOAD_COMMIT") {
        lines.push(format!("posthouse: {commit}"));
    }
    if arguments.far_gro {
        lines.push("The far end took joined datagrams (--far-gro).".into());
    }
    lines
}
