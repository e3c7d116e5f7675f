//! Changes of meetings, and all that follows from them.

use posthouse_rooms::{
    Departure, Meeting, Outcome, Parcel, Roll, RoomId, Timestamp,
    meeting::{Effects, Rules, Tell},
};
use tracing::debug;

use super::{Post, Trouble};

impl Post {
    /// Changes a meeting and carries out what follows. `change` may run twice.
    pub(crate) async fn change_meeting<T: Send>(
        &self,
        room: &RoomId,
        mut change: impl FnMut(&mut Meeting, &Rules, Timestamp) -> Outcome<T, Effects> + Send,
    ) -> Result<T, Trouble> {
        let (policy, now, wanted) = (&*self.policy.load_full(), self.clock.now(), self.events.wanted());
        let kept = self.store.apply_meeting(room, |meeting| {
            let before = wanted.then(|| Roll::from(&*meeting));
            let outcome = change(meeting, &policy.meetings, now);
            let events = before.map(|before| before.events(&Roll::from(&*meeting), &outcome.effects.ended));
            (outcome, events)
        });
        let (outcome, events) = kept.await.map_err(Trouble::Store)?;
        self.tell("v1", room, events);
        self.carry_out_meeting(room, outcome.effects).await;
        outcome.answer.map_err(Trouble::Refused)
    }

    async fn carry_out_meeting(&self, room: &RoomId, effects: Effects) {
        let Effects { tells, closes, ended } = effects;
        // This node's part first and without a pause: a caller that is dropped on the way leaves nothing half done here.
        let (near, far): (Vec<_>, Vec<_>) = tells.into_iter().partition(|tell| tell.to.node == self.node);
        let (closes, far_closes): (Vec<_>, Vec<_>) = closes.into_iter().partition(|one| one.socket.node == self.node);
        near.into_iter().for_each(|tell| self.tell_here(tell));
        closes.iter().for_each(|close| self.close_here(close));
        let free = ended.into_iter().filter_map(|ended| {
            debug!(target: "rooms", room = room.as_str(), why = ?ended.why, "a member is gone");
            Some((ended.label?, ended.why == Departure::Kicked))
        });
        self.free(free.collect()).await;
        let far = far.into_iter().map(|tell| (tell.to.node, Parcel::Tell(tell)));
        let far_closes = far_closes.into_iter().map(|close| (close.socket.node, Parcel::Close(close)));
        for (node, parcel) in far.chain(far_closes) {
            if self.bus.publish(node, parcel).await.is_err() {
                debug!(target: "signaling", node = node.0, "a parcel for another node was lost");
            }
        }
    }

    /// An event whose socket is gone is dropped here: it waits in its member's mailbox until the client acknowledges it.
    pub(super) fn tell_here(&self, tell: Tell) {
        if let Some(outgoing) = self.sessions.find(tell.to.connection) {
            drop(outgoing.deliver(tell.to.connection, tell.index, tell.message));
        }
    }
}
