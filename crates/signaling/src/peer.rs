//! One client of a dialect on its socket, and the five verbs: attach, send-to, publish, presence, detach. All a dialect
//! adds is its codec.

use std::sync::Arc;

use posthouse_rooms::{
    Address, Attach, Attached, Audience, Body, Departure, Digest, Dispatch, Entry, Incarnation, Label, Letter, Message,
    Outcome, Put, Recipient, Refusal, Seated, Socket, Taken, TopicId,
};

use crate::{
    Signaling,
    delivery::{Post, Trouble},
    outgoing::Outgoing,
    sessions::Session,
};

/// A client's socket, and the name it has taken.
pub(crate) struct Peer {
    /// The house: configuration, ports, counters.
    pub(crate) signaling: Arc<Signaling>,
    session: Session,
    name: Option<(Address, Incarnation)>,
}

/// How a name is taken.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Who it wants to be.
    pub(crate) address: Address,
    /// What proves that it was that before.
    pub(crate) secret: Option<Digest>,
    /// Who gets a name that has an owner.
    pub(crate) taken: Taken,
    /// How long the name is kept when the socket is lost.
    pub(crate) grace: std::time::Duration,
    /// The name its relay credentials are made for; its allocations are freed when the identity ends.
    pub(crate) label: Option<Label>,
}

impl Claim {
    /// A name of our own making, that ends with its socket.
    pub(crate) fn fresh(address: Address) -> Self {
        Self { address, secret: None, taken: Taken::Refuse, grace: std::time::Duration::ZERO, label: None }
    }
}

impl Peer {
    pub(crate) fn new(signaling: Arc<Signaling>) -> Self {
        let session = signaling.post.sessions.enter();
        Self { signaling, session, name: None }
    }

    pub(crate) fn outgoing(&self) -> &Arc<Outgoing> {
        &self.session.outgoing
    }

    pub(crate) fn post(&self) -> &Arc<Post> {
        &self.signaling.post
    }

    /// Where it is, until it gives its name up.
    pub(crate) fn socket(&self) -> Socket {
        Socket { node: self.signaling.post.node, connection: self.session.id }
    }

    /// Who it is, once it has attached.
    pub(crate) fn address(&self) -> Option<&Address> {
        self.name.as_ref().map(|(address, _)| address)
    }

    /// Itself as a member of topics.
    pub(crate) fn recipient(&self) -> Result<Recipient, Trouble> {
        let (address, incarnation) = self.name.as_ref().ok_or(Trouble::Refused(Refusal::UnknownClient))?;
        Ok(Recipient { id: address.id.clone(), incarnation: *incarnation })
    }

    /// Attach: takes a name, or takes it back. What waited for it is written after what the dialect says in the same
    /// step. A second name on one socket ends the first.
    pub(crate) async fn attach(&mut self, claim: Claim) -> Result<Attached, Trouble> {
        if self.name.as_ref().is_some_and(|(address, _)| *address != claim.address) {
            self.release().await;
        }
        let Claim { address, secret, taken, grace, label } = claim;
        let attach = Attach { socket: self.socket(), secret, taken, grace, label };
        let attached = self.post().change_identity(&address, |one, _, now| one.attach(now, &attach)).await?;
        let older = attached.displaced.filter(|older| attached.again && older.node == self.signaling.post.node);
        let older = older.and_then(|older| self.post().sessions.find(older.connection));
        self.outgoing().open(older.map(|older| older.unwritten()).unwrap_or_default());
        self.name = Some((address, attached.incarnation));
        Ok(attached)
    }

    /// Send-to: a message for one identity, wherever it is.
    pub(crate) async fn send_to(&self, to: &Address, letter: Letter) -> Result<Put, Trouble> {
        let put = self.post().change_identity(to, |one, limits, now| one.put(limits, now, letter.clone())).await;
        match put {
            Ok(_) => self.signaling.counters.messages.add(),
            Err(Trouble::Refused(Refusal::QueueFull)) => self.signaling.counters.queue_overflows.add(),
            Err(_) => {}
        }
        put
    }

    /// Publish: a message for a topic's members; see [`Audience`] for who must be one.
    pub(crate) async fn publish(
        &self,
        topic: &TopicId,
        whom: Audience<'_>,
        body: impl FnOnce(usize) -> Body + Send,
    ) -> Result<usize, Trouble> {
        self.post().publish(topic, &self.recipient()?, whom, body).await
    }

    /// Presence: comes into a topic. The identity is told after the topic, and the seat given back if it ended between.
    pub(crate) async fn join(&self, topic: &TopicId, entry: Entry) -> Result<Seated, Trouble> {
        let who = entry.who.clone();
        let address = self.address().ok_or(Trouble::Refused(Refusal::UnknownClient))?;
        let seated = self.post().change_topic(topic, |one, limits, now| one.join(limits, now, entry.clone())).await?;
        let enter = |one: &mut posthouse_rooms::Identity, limits: &posthouse_rooms::Limits, _| {
            let answer = one.enter(limits, who.incarnation, topic);
            Outcome { answer, effects: Dispatch::default() }
        };
        if let Err(trouble) = self.post().change_identity(address, enter).await {
            let leave = self.post().change_topic(topic, |one, _, now| one.leave(now, &who.id, who.incarnation));
            leave.await.unwrap_or_default();
            return Err(trouble);
        }
        Ok(seated)
    }

    /// Presence: goes out of a topic. One that it is not in is left as it is.
    pub(crate) async fn leave(&self, topic: &TopicId) -> Result<(), Trouble> {
        let who = self.recipient()?;
        self.post().change_topic(topic, |one, _, now| one.leave(now, &who.id, who.incarnation)).await?;
        let exit = |one: &mut posthouse_rooms::Identity, _: &posthouse_rooms::Limits, _| {
            one.exit(who.incarnation, topic);
            Outcome { answer: Ok(()), effects: Dispatch::default() }
        };
        let address = topic.address(&who.id);
        self.post().change_identity(&address, exit).await
    }

    /// Detach on purpose: the name is free at once, its topics are left; the socket stays. A name that a newer socket of
    /// the same owner has taken over is that one's.
    pub(crate) async fn release(&mut self) {
        let Some((address, who)) = self.name.take() else { return };
        let socket = self.socket();
        let released = self.post().change_identity(&address, |one, _, now| {
            if one.socket().is_some_and(|newer| newer != socket) {
                return Outcome { answer: Ok(()), effects: Dispatch::default() };
            }
            let mut outcome = one.end(now, who, Departure::Left);
            // It is here to stay, for the dialect decides when it goes.
            outcome.effects.closes.retain(|close| close.socket != socket);
            outcome
        });
        released.await.unwrap_or_default();
        self.session.rename();
    }

    /// Detach because the socket is gone: the name is kept for its grace.
    pub(crate) async fn detach(&mut self, unwritten: Vec<Message>) {
        let Some(name) = self.name.take() else { return };
        detach(self.signaling.post.clone(), name, self.socket(), unwritten).await;
    }
}

/// A task that died on the way lets go of its name nevertheless.
impl Drop for Peer {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let (post, socket, unwritten) = (self.signaling.post.clone(), self.socket(), self.outgoing().unwritten());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(detach(post, name, socket, unwritten));
        }
    }
}

async fn detach(post: Arc<Post>, name: (Address, Incarnation), socket: Socket, unwritten: Vec<Message>) {
    let (address, who) = name;
    let gone = post
        .change_identity(&address, |one, limits, now| one.detach(limits, now, who, socket, unwritten.clone()))
        .await;
    if let Err(trouble) = gone {
        tracing::debug!(target: "rooms", ?trouble, "a lost socket could not be told");
    }
}
