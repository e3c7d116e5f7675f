//! What time does to rooms: the timer that looks when the next deadline comes.

use std::{sync::Weak, time::Duration};

use crate::delivery::Post;
use posthouse_rooms::Outcome;

/// Deadlines may come nearer at any moment, so it never sleeps longer; and it never spins.
const LONGEST: Duration = Duration::from_millis(200);
const SHORTEST: Duration = Duration::from_millis(5);
/// Rooms taken at once.
const BATCH: usize = 1024;

/// Runs as long as the rooms are there.
pub(crate) async fn run(post: Weak<Post>) {
    loop {
        let Some(post) = post.upgrade() else { return };
        let now = post.clock.now();
        let next = post.store.poll_timeout().map_or(LONGEST, |deadline| now.until(deadline));
        if next.is_zero() {
            expire(&post).await;
        }
        drop(post);
        tokio::time::sleep(next.clamp(SHORTEST, LONGEST)).await;
    }
}

async fn expire(post: &Post) {
    let due = post.store.due(post.clock.now(), BATCH).await.unwrap_or_default();
    for room in due {
        let expired =
            post.change(&room, |room, policy, now| Outcome { answer: Ok(()), effects: room.expire(policy, now) });
        if expired.await.is_err() {
            return;
        }
    }
}
