//! What systemd is told: ready, reloading, stopping, still alive. Without systemd every call is a no-op.

use std::time::Duration;

use sd_notify::NotifyState;

/// All listeners are bound.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The file is read again; [`ready`] follows whatever comes of it. systemd wants to know since when, on its clock.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(since) => tell(&[NotifyState::Reloading, since]),
        Err(error) => tracing::warn!(target: "posthouse", %error, "no monotonic clock to tell systemd of the reload"),
    }
}

/// The end has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Pings the watchdog for as long as `healthy` says so: a worker that stands still gets the process restarted.
pub(crate) async fn keep_watchdog(healthy: impl Fn() -> bool) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval((limit / 3).max(Duration::from_millis(100)));
    loop {
        ticks.tick().await;
        if healthy() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(target: "posthouse", %error, "systemd was not reached through NOTIFY_SOCKET");
    }
}
