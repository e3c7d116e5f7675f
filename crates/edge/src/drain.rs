//! The wish that nobody new is accepted.

use std::future::pending;

use tokio::sync::watch;

/// Returns once draining has begun. One who can no longer wish has not wished.
pub(crate) async fn begun(drain: &mut watch::Receiver<bool>) {
    if drain.wait_for(|draining| *draining).await.is_err() {
        pending::<()>().await;
    }
}
