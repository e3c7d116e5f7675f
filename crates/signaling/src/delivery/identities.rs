//! Changes of identities, and all that follows from them until nothing follows any more.

use std::collections::VecDeque;

use posthouse_rooms::{
    Address, Dispatch, Identity, Incarnation, Letter, Limits, Message, Outcome, Parcel, Placed, Put, Socket, Timestamp,
    TopicId,
};
use tracing::debug;

use super::{Post, Trouble};

/// Something that follows from a change, and may have consequences of its own.
#[derive(Debug)]
pub(crate) enum Task {
    /// A message for somebody.
    Put(Address, Letter),
    /// A membership that is over.
    Leave(Address, Incarnation, TopicId),
    /// A message that found its socket gone.
    Back { address: Address, who: Incarnation, gone: Socket, message: Message },
}

impl Post {
    /// Changes an identity and carries out what follows. `change` may run twice.
    pub(crate) async fn change_identity<T: Send>(
        &self,
        address: &Address,
        change: impl FnMut(&mut Identity, &Limits, Timestamp) -> Outcome<T, Dispatch> + Send,
    ) -> Result<T, Trouble> {
        let mut tasks = VecDeque::new();
        let answer = self.change_one(address, change, &mut tasks).await;
        self.settle(tasks).await;
        answer
    }

    /// Does what is to be done, and what follows from that. Every membership ends once and every message is told back
    /// at most once, so it comes to an end.
    pub(crate) async fn settle(&self, tasks: impl IntoIterator<Item = Task, IntoIter: Send> + Send) {
        let mut tasks: VecDeque<Task> = tasks.into_iter().collect();
        while let Some(task) = tasks.pop_front() {
            let done = match task {
                Task::Put(to, letter) => self.put(&to, &letter, &mut tasks).await.map(drop),
                Task::Leave(address, who, topic) => {
                    let leave = |one: &mut posthouse_rooms::Topic, now| one.leave(now, &address.id, who);
                    self.change_topic_into(&topic, |one, _, now| leave(one, now), &mut tasks).await
                }
                Task::Back { address, who, gone, message } => {
                    let back = |one: &mut Identity, limits: &Limits, _| {
                        one.hand_back(limits, who, gone, vec![message.clone()])
                    };
                    self.change_one(&address, back, &mut tasks).await
                }
            };
            if let Err(trouble) = done {
                debug!(target: "rooms", ?trouble, "something that followed from a change was lost");
            }
        }
    }

    /// A message for an identity. One that meant an incarnation which is no longer there ends its memberships.
    pub(super) async fn put(&self, to: &Address, letter: &Letter, tasks: &mut VecDeque<Task>) -> Result<Put, Trouble> {
        self.change_one(to, |one, limits, now| one.put(limits, now, letter.clone()), tasks).await
    }

    pub(super) async fn change_one<T: Send>(
        &self,
        address: &Address,
        mut change: impl FnMut(&mut Identity, &Limits, Timestamp) -> Outcome<T, Dispatch> + Send,
        tasks: &mut VecDeque<Task>,
    ) -> Result<T, Trouble> {
        let (limits, now) = (&*self.bounds.load_full(), self.clock.now());
        let kept = self.store.apply_identity(address, |identity| change(identity, limits, now));
        let outcome = kept.await.map_err(Trouble::Store)?;
        self.dispatch(address, outcome.effects, tasks).await;
        outcome.answer.map_err(Trouble::Refused)
    }

    async fn dispatch(&self, address: &Address, dispatch: Dispatch, tasks: &mut VecDeque<Task>) {
        // This node's part first and without a pause: a caller that is dropped on the way leaves nothing half done here.
        let (near, far): (Vec<_>, Vec<_>) = dispatch.placed.into_iter().partition(|one| one.to.node == self.node);
        tasks.extend(near.into_iter().filter_map(|placed| self.place_here(address, placed).err()));
        let (closes, far_closes): (Vec<_>, Vec<_>) =
            dispatch.closes.into_iter().partition(|close| close.socket.node == self.node);
        closes.iter().for_each(|close| self.close_here(close));
        let free = dispatch.ended.into_iter().filter_map(|ended| {
            debug!(target: "rooms", why = ?ended.why, "a client is gone");
            Some((ended.label?, false))
        });
        let free = free.collect();
        tasks.extend(dispatch.returned.into_iter().map(|one| Task::Put(one.to, Letter::now(one.body))));
        tasks.extend(dispatch.left.into_iter().map(|(topic, who)| Task::Leave(address.clone(), who, topic)));
        self.free(free).await;
        let far = far.into_iter().map(|placed| (placed.to.node, Parcel::Place { address: address.clone(), placed }));
        let far_closes = far_closes.into_iter().map(|close| (close.socket.node, Parcel::Close(close)));
        for (node, parcel) in far.chain(far_closes) {
            if self.bus.publish(node, parcel).await.is_err() {
                debug!(target: "signaling", node = node.0, "a parcel for another node was lost");
            }
        }
    }

    pub(super) fn place_here(&self, address: &Address, placed: Placed) -> Result<(), Task> {
        let Placed { who, to, index, message } = placed;
        let delivered = match self.sessions.find(to.connection) {
            Some(outgoing) => outgoing.deliver(to.connection, index, message),
            None => Err(message),
        };
        delivered.map_err(|message| Task::Back { address: address.clone(), who, gone: to, message })
    }
}
