//! `posthouse check FILE`: would `run` take it?

use std::path::Path;

use posthouse_config::{Finding, Loaded, TlsPair};
use posthouse_edge::{Pair, PairFault, PairFile};

use crate::exit::Failure;

/// Checks the file and this machine's addresses; prints the settings in force, secrets masked.
pub(crate) fn check(file: &Path, strict: bool) -> Result<(), Failure> {
    let loaded = load(Some(file))?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    if strict && !loaded.warnings.is_empty() {
        return Err(Failure::config(format!("{}: --strict takes the warnings above for problems", file.display())));
    }
    print!("{}", loaded.effective());
    Ok(())
}

/// What every verb with a configuration does first. Without a file: the environment over the built-in defaults.
pub(crate) fn load(file: Option<&Path>) -> Result<Loaded, Failure> {
    load_judged(file, judge)
}

/// The same while a server runs: a certificate that has expired since is a doubt then, as the one in force serves on.
pub(crate) fn load_again(file: Option<&Path>) -> Result<Loaded, Failure> {
    load_judged(file, judge_again)
}

fn load_judged(
    file: Option<&Path>,
    judge: impl Fn(&TlsPair) -> Result<Vec<Finding>, Finding>,
) -> Result<Loaded, Failure> {
    let loaded = file.map_or_else(posthouse_config::without_file, posthouse_config::load);
    let mut loaded = loaded.map_err(Failure::config)?;
    loaded.check_host().map_err(Failure::config)?;
    loaded.check_certificates(judge).map_err(Failure::config)?;
    loaded.check_dialects(&posthouse_signaling::dialects().collect::<Vec<_>>()).map_err(Failure::config)?;
    Ok(loaded)
}

/// Reads a certificate and its key as the edge will; each finding is told at its line of the file.
fn judge(pair: &TlsPair) -> Result<Vec<Finding>, Finding> {
    read(pair).map(findings).map_err(finding)
}

fn judge_again(pair: &TlsPair) -> Result<Vec<Finding>, Finding> {
    match read(pair) {
        Err(fault) if fault.expired => Ok(findings(vec![fault])),
        other => other.map(findings).map_err(finding),
    }
}

fn read(pair: &TlsPair) -> Result<Vec<PairFault>, PairFault> {
    Pair { certificate: pair.certificate.clone(), key: pair.key.clone() }.check()
}

fn findings(faults: Vec<PairFault>) -> Vec<Finding> {
    faults.into_iter().map(finding).collect()
}

fn finding(fault: PairFault) -> Finding {
    Finding { is_about_key: fault.file == PairFile::Key, reason: fault.reason, write: fault.write }
}
