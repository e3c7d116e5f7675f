//! What time does to rooms, identities and topics: the timer that looks when the next deadline comes.

use std::{sync::Weak, time::Duration};

use crate::delivery::Post;
use posthouse_rooms::{Due, Limits, Meeting, Outcome, Policy, Room, Topic, meeting::Rules};

/// Deadlines may come nearer at any moment, so it never sleeps longer; and it never spins.
const LONGEST: Duration = Duration::from_millis(200);
const SHORTEST: Duration = Duration::from_millis(5);
/// Values of each kind taken at once.
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
    for due in due {
        let expired = match due {
            Due::Room(room) => {
                let expire = |room: &mut Room, policy: &Policy, now| room.expire(policy, now);
                post.change(&room, |room, policy, now| Outcome { answer: Ok(()), effects: expire(room, policy, now) })
                    .await
            }
            Due::Identity(address) => {
                post.change_identity(&address, |one, _, now| Outcome { answer: Ok(()), effects: one.expire(now) }).await
            }
            Due::Meeting(room) => {
                let expire = |one: &mut Meeting, rules: &Rules, now| one.expire(rules, now);
                post.change_meeting(&room, |one, rules, now| Outcome {
                    answer: Ok(()),
                    effects: expire(one, rules, now),
                })
                .await
            }
            Due::Topic(topic) => {
                let expire = |topic: &mut Topic, _: &Limits, now| {
                    topic.expire(now);
                    Outcome { answer: Ok(()), effects: Vec::new() }
                };
                post.change_topic(&topic, expire).await
            }
        };
        if expired.is_err() {
            return;
        }
    }
}
