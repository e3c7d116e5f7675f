//! Both ends send and receive at once, in one task.

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::Plan;
use super::count::{Count, Tally};
use super::end::{End, Got};
use crate::failure::Failure;

/// Sends the plan's payloads both ways and counts what arrives, until all is there or nothing moves any more.
pub(super) async fn exchange(left: &mut End, right: &mut End, plan: &Plan) -> Result<(Count, Count), Failure> {
    let mut there = Tally::new(plan.payloads, plan.payload_len);
    let mut back = Tally::new(plan.payloads, plan.payload_len);
    let mut gap = interval(plan.gap.max(std::time::Duration::from_micros(1)));
    gap.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut quiet = Instant::now() + plan.patience;

    while !(there.is_complete() && back.is_complete()) {
        let sending = there.count().sent < plan.payloads;
        tokio::select! {
            _ = gap.tick(), if sending => send_next(left, &mut there, right, &mut back).await?,
            got = right.receive() => note(&mut there, got?),
            got = left.receive() => note(&mut back, got?),
            () = sleep_until(quiet), if !sending => break,
        }
        quiet = Instant::now() + plan.patience;
    }
    Ok((there.count(), back.count()))
}

async fn send_next(left: &End, there: &mut Tally, right: &End, back: &mut Tally) -> Result<(), Failure> {
    if let Some(payload) = there.next() {
        left.send(&payload).await?;
    }
    if let Some(payload) = back.next() {
        right.send(&payload).await?;
    }
    Ok(())
}

fn note(tally: &mut Tally, Got { payload, as_agreed }: Got) {
    tally.note(&payload, as_agreed);
}
