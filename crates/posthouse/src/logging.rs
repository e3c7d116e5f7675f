//! Logs go to standard error: for a person on a terminal, for the journal, or as JSON.

use std::io::IsTerminal;

use posthouse_config::{Format, Log};
use tracing_subscriber::EnvFilter;

/// Starts logging. `POSTHOUSE_LOG` (for example `relay=debug`) refines the level for one target while one looks.
pub(crate) fn start(log: &Log) {
    let refined = std::env::var("POSTHOUSE_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().parse_lossy(format!("{},{refined}", log.level.as_str()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // The journal stamps every line itself.
    let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    match log.format {
        Format::Json => builder.json().init(),
        Format::Text if in_journal => builder.without_time().with_ansi(false).init(),
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
    }
}
