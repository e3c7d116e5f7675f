//! The wish that connections end.

use std::future::pending;

use tokio::sync::watch;

/// Heard by everything that serves a connection.
#[derive(Clone, Debug)]
pub(crate) struct Drain(watch::Receiver<bool>);

impl Drain {
    pub(crate) fn new(wish: watch::Receiver<bool>) -> Self {
        Self(wish)
    }

    /// Returns once draining has begun. One who can no longer wish has not wished.
    pub(crate) async fn begun(&mut self) {
        if self.0.wait_for(|draining| *draining).await.is_err() {
            pending::<()>().await;
        }
    }
}
