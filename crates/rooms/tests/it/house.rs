//! A room under test, with a clock that the test moves and sockets that remember what they heard.

use std::{collections::HashMap, time::Duration};

use posthouse_rooms::{
    Body, ClientId, Closing, ConnectionId, Departure, Effects, Joined, Joining, Label, Message, NodeId, Outcome,
    Policy, Refusal, Registered, Role, Room, Sent, Socket, Timestamp,
};

pub(crate) const BYE: &str = r#"{"type":"bye"}"#;

/// What a socket hears of a goodbye that nobody spoke.
pub(crate) const SYNTHETIC: &str = "<bye>";

#[derive(Default)]
pub(crate) struct House {
    pub(crate) room: Room,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
    pub(crate) heard: HashMap<u64, Vec<String>>,
    pub(crate) closed: Vec<(u64, Closing)>,
    pub(crate) ended: Vec<(String, Departure)>,
    /// The same as `heard`, as messages.
    pub(crate) messages: HashMap<u64, Vec<Message>>,
    next: HashMap<u64, u64>,
}

impl House {
    pub(crate) fn of(capacity: usize) -> Self {
        Self { policy: Policy { capacity, ..Policy::default() }, ..Self::default() }
    }

    /// A Collider of its own: nobody needs to join.
    pub(crate) fn collider() -> Self {
        Self { policy: Policy { require_join: false, ..Policy::default() }, ..Self::default() }
    }

    /// Alice initiates on socket 1, bob answers on socket 2.
    pub(crate) fn in_a_call() -> Self {
        let mut house = Self::default();
        house.join("alice").unwrap();
        house.join("bob").unwrap();
        house.register("alice", 1).unwrap();
        house.register("bob", 2).unwrap();
        house
    }

    pub(crate) fn join(&mut self, id: &str) -> Result<Joined, Refusal> {
        self.join_as(id, false)
    }

    pub(crate) fn join_loopback(&mut self, id: &str) -> Result<Joined, Refusal> {
        self.join_as(id, true)
    }

    fn join_as(&mut self, id: &str, loopback: bool) -> Result<Joined, Refusal> {
        let joining = Joining { client: client(id), label: Some(Label(id.into())), loopback };
        let outcome = self.room.join(&self.policy, self.now, joining);
        self.carry_out(outcome)
    }

    pub(crate) fn register(&mut self, id: &str, at: u64) -> Result<Registered, Refusal> {
        self.next.insert(at, 0);
        let outcome = self.room.register(&self.policy, self.now, &client(id), socket(at));
        self.carry_out(outcome)
    }

    pub(crate) fn send(&mut self, id: &str, text: &str) -> Result<Sent, Refusal> {
        let outcome = self.room.send(&self.policy, self.now, &client(id), &Body::from(text), text == BYE);
        self.carry_out(outcome)
    }

    pub(crate) fn post(&mut self, id: &str, text: &str) -> Result<Sent, Refusal> {
        let outcome = self.room.post(&self.policy, self.now, &client(id), &Body::from(text), text == BYE);
        self.carry_out(outcome)
    }

    pub(crate) fn leave(&mut self, id: &str) {
        let outcome = self.room.leave(&self.policy, self.now, &client(id));
        self.carry_out(outcome).unwrap();
    }

    pub(crate) fn delete(&mut self, id: &str) {
        let outcome = self.room.delete(&self.policy, self.now, &client(id));
        self.carry_out(outcome).unwrap();
    }

    /// The operator sends somebody away, by public name.
    pub(crate) fn kick(&mut self, name: &str) -> Result<(), Refusal> {
        let outcome = self.room.kick(&self.policy, self.now, name);
        self.carry_out(outcome)
    }

    pub(crate) fn close(&mut self) -> Result<(), Refusal> {
        let outcome = self.room.close(&self.policy, self.now);
        self.carry_out(outcome)
    }

    pub(crate) fn lose(&mut self, id: &str, at: u64) {
        self.lose_unsent(id, at, 0);
    }

    /// The socket is lost, and its last `unsent` messages were never written.
    pub(crate) fn lose_unsent(&mut self, id: &str, at: u64, unsent: usize) {
        let messages = self.messages.entry(at).or_default();
        let written = messages.len().saturating_sub(unsent);
        let unsent = messages.split_off(written);
        self.heard.entry(at).or_default().truncate(written);
        let outcome = self.room.deregister(&self.policy, self.now, &client(id), socket(at), unsent);
        self.carry_out(outcome).unwrap();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        let effects = self.room.expire(&self.policy, self.now);
        self.remember(effects);
    }

    pub(crate) fn heard(&self, at: u64) -> Vec<&str> {
        self.heard.get(&at).map(|heard| heard.iter().map(String::as_str).collect()).unwrap_or_default()
    }

    pub(crate) fn initiators(&self) -> usize {
        self.room.members().iter().filter(|member| member.role == Role::Initiator).count()
    }

    fn carry_out<T>(&mut self, outcome: Outcome<T>) -> Result<T, Refusal> {
        self.remember(outcome.effects);
        outcome.answer
    }

    fn remember(&mut self, effects: Effects) {
        for delivery in effects.deliveries {
            let at = delivery.to.connection.0;
            let next = self.next.entry(at).or_default();
            assert_eq!(delivery.index, *next, "deliveries of a socket are numbered without a gap");
            *next += 1;
            self.messages.entry(at).or_default().push(delivery.message.clone());
            let text = match delivery.message.body {
                Body::Text(text) => text.to_string(),
                Body::Bye | Body::Event(_) => SYNTHETIC.to_owned(),
            };
            self.heard.entry(at).or_default().push(text);
        }
        self.closed.extend(effects.closes.into_iter().map(|close| (close.socket.connection.0, close.why)));
        let ended =
            effects.ended.into_iter().map(|ended| (ended.label.map_or(String::new(), |l| l.0.to_string()), ended.why));
        self.ended.extend(ended);
    }
}

pub(crate) fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

pub(crate) fn socket(at: u64) -> Socket {
    Socket { node: NodeId(1), connection: ConnectionId(at) }
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);
