//! Logs go to standard error: for a person on a terminal, for the journal, or as JSON.

use std::io::{IsTerminal, stderr};

use posthouse_config::{Format, Level, Log};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

/// Logging that has begun; its level may change.
pub(crate) struct Logging(reload::Handle<EnvFilter, Registry>);

impl Logging {
    /// Starts logging. `POSTHOUSE_LOG` (for example `relay=debug`) refines the level for one target while one looks.
    pub(crate) fn start(log: &Log) -> Self {
        // The journal stamps every line itself.
        let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
        let lines = fmt::layer().with_writer(stderr);
        let lines = match log.format {
            Format::Json => lines.json().boxed(),
            Format::Text if in_journal => lines.without_time().with_ansi(false).boxed(),
            Format::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        };
        let (filter, handle) = reload::Layer::new(filter(log.level));
        tracing_subscriber::registry().with(filter).with(lines).init();
        Self(handle)
    }

    /// Another level from now on.
    pub(crate) fn set_level(&self, level: Level) {
        // This fails only when nobody writes the log any more.
        let _ = self.0.reload(filter(level));
    }
}

fn filter(level: Level) -> EnvFilter {
    let refined = std::env::var("POSTHOUSE_LOG").unwrap_or_default();
    EnvFilter::builder().parse_lossy(format!("{},{refined}", level.as_str()))
}
