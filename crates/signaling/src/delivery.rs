//! A message finds its client: here, on another node, or in its mailbox. The one place where rooms are changed and the
//! effects of the change carried out; every dialect goes through it.

mod identities;
mod meetings;
mod topics;

use std::sync::Arc;

use arc_swap::ArcSwap;
use posthouse_rooms::{
    Body, Bus, ClientId, Close, Delivery, Departure, Effects, Label, Limits, Message, NodeId, Outcome, Parcel, Policy,
    Refusal, Roll, Room, RoomEvent, RoomId, RoomStore, Socket, StoreError, Timestamp,
};
use tracing::debug;

use crate::{
    clock::Clock,
    ports::{RelayControl, RoomEvents},
    sessions::Sessions,
    stats::Counters,
};

/// Rooms, identities and topics, and the way from them to the sockets.
pub(crate) struct Post {
    pub(crate) node: NodeId,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) bounds: ArcSwap<Limits>,
    pub(crate) store: Arc<dyn RoomStore>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) relay: Arc<dyn RelayControl>,
    pub(crate) events: Arc<dyn RoomEvents>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Clock,
}

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A rule said no.
    Refused(Refusal),
    /// The change could not be kept.
    Store(StoreError),
}

/// A message that found its socket gone, and whose it is.
type Bounced = (ClientId, Socket, Message);

impl Post {
    /// Listens for what other nodes have for the sockets of this one.
    pub(crate) fn listen(self: &Arc<Self>) {
        let post = Arc::downgrade(self);
        let receive = move |parcel| {
            let Some(post) = post.upgrade() else { return };
            match parcel {
                Parcel::Close(close) => post.close_here(&close),
                Parcel::Tell(tell) => post.tell_here(tell),
                Parcel::Free { label, revoke } => post.free_here(&label, revoke),
                Parcel::Place { address, placed } => {
                    if let Err(bounced) = post.place_here(&address, placed) {
                        tokio::spawn(async move { post.settle([bounced]).await });
                    }
                }
                Parcel::Deliver { room, delivery } => {
                    if let Err(bounced) = post.deliver_here(delivery) {
                        tokio::spawn(async move { post.hand_back(&room, vec![bounced]).await });
                    }
                }
            }
        };
        self.bus.subscribe(self.node, Arc::new(receive));
    }

    /// Changes a room and carries out what follows. `change` may run twice.
    pub(crate) async fn change<T: Send>(
        &self,
        room: &RoomId,
        mut change: impl FnMut(&mut Room, &Policy, Timestamp) -> Outcome<T> + Send,
    ) -> Result<T, Trouble> {
        let (policy, now, wanted) = (&*self.policy.load(), self.clock.now(), self.events.wanted());
        let kept = self.store.apply(room, |room| {
            let before = wanted.then(|| Roll::from(&*room));
            let outcome = change(room, policy, now);
            let events = before.map(|before| before.events(&Roll::from(&*room), &outcome.effects.ended));
            ((outcome, events), room.poll_timeout(policy))
        });
        let (outcome, events) = kept.await.map_err(Trouble::Store)?;
        self.tell("apprtc", room, events);
        let bounced = self.carry_out(room, outcome.effects).await;
        self.hand_back(room, bounced).await;
        outcome.answer.map_err(Trouble::Refused)
    }

    /// A member says something.
    pub(crate) async fn send(&self, room: &RoomId, client: &ClientId, text: &str) -> Result<(), Trouble> {
        let (body, bye) = (Body::from(text), is_bye(text));
        let sent = self.change(room, |room, policy, now| room.send(policy, now, client, &body, bye)).await;
        self.count(sent.map(drop))
    }

    /// A member says something by Collider's `POST`.
    pub(crate) async fn post(&self, room: &RoomId, client: &ClientId, text: &str) -> Result<(), Trouble> {
        let (body, bye) = (Body::from(text), is_bye(text));
        let sent = self.change(room, |room, policy, now| room.post(policy, now, client, &body, bye)).await;
        self.count(sent.map(drop))
    }

    /// Whoever watches learns it before the room's members do.
    fn tell(&self, dialect: &'static str, room: &RoomId, events: Option<Vec<RoomEvent>>) {
        events.into_iter().flatten().for_each(|event| self.events.tell(dialect, room.as_str(), event));
    }

    fn count(&self, sent: Result<(), Trouble>) -> Result<(), Trouble> {
        match sent {
            Ok(()) => self.counters.messages.add(),
            Err(Trouble::Refused(Refusal::QueueFull)) => self.counters.queue_overflows.add(),
            Err(_) => {}
        }
        sent
    }

    async fn carry_out(&self, room: &RoomId, effects: Effects) -> Vec<Bounced> {
        let mut bounced = Vec::new();
        // This node's part first and without a pause: a caller that is dropped on the way leaves nothing half done here.
        let here = |to: &Socket| to.node == self.node;
        let (near, far) = split(effects.deliveries, |delivery| here(&delivery.to));
        let (closes, far_closes) = split(effects.closes, |close| here(&close.socket));
        bounced.extend(near.into_iter().filter_map(|delivery| self.deliver_here(delivery).err()));
        closes.iter().for_each(|close| self.close_here(close));
        let free = effects.ended.into_iter().filter_map(|ended| {
            debug!(target: "rooms", room = room.as_str(), why = ?ended.why, "a member is gone");
            Some((ended.label?, ended.why == Departure::Kicked))
        });
        self.free(free.collect()).await;
        for delivery in far {
            let to = delivery.to.node;
            if self.bus.publish(to, Parcel::Deliver { room: room.clone(), delivery }).await.is_err() {
                debug!(target: "signaling", node = to.0, "a message for another node was lost");
            }
        }
        for close in far_closes {
            let to = close.socket.node;
            if self.bus.publish(to, Parcel::Close(close)).await.is_err() {
                debug!(target: "signaling", node = to.0, "a close for another node was lost");
            }
        }
        bounced
    }

    fn deliver_here(&self, delivery: Delivery) -> Result<(), Bounced> {
        let Delivery { client, to, index, message } = delivery;
        let delivered = match self.sessions.find(to.connection) {
            Some(outgoing) => outgoing.deliver(to.connection, index, message),
            None => Err(message),
        };
        delivered.map_err(|message| (client, to, message))
    }

    /// Ends what former members hold on the relay: here at once, then wherever else they may have been. Those with `true`
    /// get nothing more with the credentials they have.
    async fn free(&self, ended: Vec<(Label, bool)>) {
        ended.iter().for_each(|(label, revoke)| self.free_here(label, *revoke));
        for (label, revoke) in ended {
            if self.bus.announce(self.node, Parcel::Free { label, revoke }).await.is_err() {
                debug!(target: "signaling", "other nodes were not told that a member is gone");
            }
        }
    }

    fn free_here(&self, label: &Label, revoke: bool) {
        if revoke { self.relay.revoke_user(&label.0) } else { self.relay.end_user(&label.0) }
    }

    fn close_here(&self, close: &Close) {
        if let Some(outgoing) = self.sessions.find(close.socket.connection) {
            outgoing.close(close.why);
        }
    }

    /// Messages whose socket has just gone wait in the mailbox for the next one. What bounces again is dropped: by then
    /// the client has lost two sockets within one delivery.
    async fn hand_back(&self, room: &RoomId, bounced: Vec<Bounced>) {
        for (client, gone, message) in bounced {
            let policy = &*self.policy.load_full();
            let kept = self.store.apply(room, |room| {
                let outcome = room.hand_back(policy, &client, gone, vec![message.clone()]);
                (outcome.effects, room.poll_timeout(policy))
            });
            if let Ok(effects) = kept.await {
                self.carry_out(room, effects).await;
            }
        }
    }
}

/// Those of which it is true, and the others. On one node that is all of them, as they are.
fn split<T>(all: Vec<T>, is_near: impl Fn(&T) -> bool) -> (Vec<T>, Vec<T>) {
    if all.iter().all(&is_near) { (all, Vec::new()) } else { all.into_iter().partition(is_near) }
}

/// Is this a member's goodbye, `{"type":"bye"}` however it is spaced? Anything else is not ours to read.
pub(crate) fn is_bye(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: std::borrow::Cow<'a, str>,
    }
    // A goodbye is short; an offer is not worth reading for it.
    text.len() <= 1024 && serde_json::from_str::<Typed<'_>>(text).is_ok_and(|typed| typed.r#type == "bye")
}

#[cfg(test)]
mod tests {
    use super::is_bye;

    #[test]
    fn a_goodbye_is_known_in_any_spacing_and_company() {
        for bye in [r#"{"type":"bye"}"#, "{ \"type\" :\n\"bye\" }\n", r#"{"reason":1,"type":"b\u0079e"}"#] {
            assert!(is_bye(bye), "{bye}");
        }
        for other in [r#"{"type":"offer","sdp":"bye"}"#, "bye", "[]", r#""bye""#, "", r#"{"type":["bye"]}"#] {
            assert!(!is_bye(other), "{other}");
        }
    }
}
