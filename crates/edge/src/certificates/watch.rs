//! Looks whether the files have changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{Certificates, Pair};

/// What a file looked like: size, inode and time of its last change; `None` when it was not there.
pub(super) type Look = Option<(u64, u64, SystemTime)>;

impl Certificates {
    /// Looks at the files `every` so often and reloads them when one has changed. Never returns; what is wrong with a new
    /// pair is logged once for each change.
    ///
    /// A pair of which one file is new and the other not yet does not belong together: the old one serves on, until the
    /// second file has come as well.
    pub async fn watch(self: Arc<Self>, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let certificates = Arc::clone(&self);
            // Files may be slow, and this thread has connections to serve. A panic there is printed and costs one look.
            let _ = tokio::task::spawn_blocking(move || certificates.reload_changed()).await;
        }
    }

    fn reload_changed(&self) {
        let mut files = self.files();
        if looks(&files.pairs) == files.looks {
            return;
        }
        match self.reread(&mut files) {
            Ok(()) => {
                info!(target: "edge", "certificates reloaded");
                for doubt in self.warnings() {
                    warn!(target: "edge", "{doubt}");
                }
            }
            Err(fault) => warn!(target: "edge", "the old certificates serve on: {fault}"),
        }
    }
}

/// What certificate and key of each pair look like now.
pub(super) fn looks(pairs: &[Pair]) -> Vec<[Look; 2]> {
    pairs.iter().map(|pair| [look(&pair.certificate), look(&pair.key)]).collect()
}

fn look(path: &Path) -> Look {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.ino(), metadata.modified().ok()?))
}
