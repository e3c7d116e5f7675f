//! SIGTERM and Ctrl-C: the first asks for an orderly end, the second for an end at once. SIGHUP: read the file again.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// All three signals, caught from the moment this exists.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal asks for.
pub(crate) enum Wish {
    /// Read the file again.
    Reload,
    /// End, for the signal of this name.
    End(&'static str),
}

impl Signals {
    /// Starts catching.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let catch = |kind| signal(kind).map_err(|e| Failure::os("cannot catch signals", &e));
        let [terminate, interrupt, hangup] =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(catch);
        Ok(Self { terminate: terminate?, interrupt: interrupt?, hangup: hangup? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End("SIGTERM"),
            _ = self.interrupt.recv() => Wish::End("SIGINT"),
            _ = self.hangup.recv() => Wish::Reload,
        }
    }

    /// Waits for the next one that asks for the end, and names it. Who is about to end reads no file again.
    pub(crate) async fn next_end(&mut self) -> &'static str {
        loop {
            if let Wish::End(name) = self.next().await {
                return name;
            }
        }
    }
}
