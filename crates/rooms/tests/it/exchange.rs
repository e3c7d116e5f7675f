//! Random attaches, joins, words, losses and returns, held against a naive model: nobody reads what was not for it, and
//! what it reads it reads once and in order. Deliveries of racing changes are handed over in any order, as by a bus.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use posthouse_rooms::{
    Address, Attach, Audience, Body, ConnectionId, Digest, Dispatch, Entry, Identity, Incarnation, Keep, Letter,
    Limits, Message, NodeId, Recipient, Socket, Taken, Tenant, Timestamp, Topic, TopicId,
};
use proptest::prelude::*;

use crate::random;

const NAMES: u8 = 3;
const TOPICS: u8 = 3;
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
enum Act {
    /// A person (its secret) comes under a name on a new socket.
    Attach {
        name: u8,
        person: u8,
    },
    /// The name's socket is lost, the last so many frames unwritten.
    Lose(u8, usize),
    Join(u8, u8),
    Leave(u8, u8),
    Publish(u8, u8, u64),
    Send(u8, u8),
    Pass(u64),
    /// What a replaced socket had not written comes back, long after the newer one was there.
    Return(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let (name, topic) = (0..NAMES, 0..TOPICS);
    prop_oneof![
        3 => (name.clone(), 0..2u8).prop_map(|(name, person)| Act::Attach { name, person }),
        2 => (name.clone(), 0..4usize).prop_map(|(name, unsent)| Act::Lose(name, unsent)),
        3 => (name.clone(), topic.clone()).prop_map(|(name, topic)| Act::Join(name, topic)),
        1 => (name.clone(), topic.clone()).prop_map(|(name, topic)| Act::Leave(name, topic)),
        5 => (name.clone(), topic, any::<u64>()).prop_map(|(name, topic, order)| Act::Publish(name, topic, order)),
        3 => (name.clone(), name).prop_map(|(name, to)| Act::Send(name, to)),
        2 => (0..9_000u64).prop_map(Act::Pass),
        2 => (0..3usize).prop_map(Act::Return),
    ]
}

/// A socket as the shell has it: frames by index, read without gaps.
#[derive(Default)]
struct Wire {
    early: BTreeMap<u64, Message>,
    next: u64,
    written: Vec<Message>,
    over: bool,
}

/// What one owner of a name should come to read, and the sockets it reads on.
#[derive(Default)]
struct Life {
    expected: Vec<String>,
    sockets: Vec<Socket>,
    /// Something came back too late to be read in order, and may be lost.
    lossy: bool,
}

/// A name in one owner's time.
type Who = (u8, Incarnation);

#[derive(Default)]
struct World {
    now: u64,
    sockets: u64,
    words: u64,
    identities: HashMap<Address, Identity>,
    topics: HashMap<TopicId, Topic>,
    wires: HashMap<Socket, Wire>,
    /// The model: the person on each name, in which of its lives, and its socket if it has one.
    owners: HashMap<u8, (u8, Incarnation, Option<Socket>)>,
    lives: HashMap<Who, Life>,
    members: HashMap<u8, BTreeSet<Who>>,
    /// Replaced sockets that have not been told to be gone.
    replaced: Vec<(Who, Socket)>,
}

fn tenant() -> Tenant {
    Tenant::new("test", "").unwrap()
}

fn address(name: u8) -> Address {
    tenant().address(&name.to_string()).unwrap()
}

fn topic_id(topic: u8) -> TopicId {
    tenant().topic(&format!("t{topic}")).unwrap()
}

impl World {
    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Attach { name, person } => self.attach(name, person),
            Act::Lose(name, unsent) => self.lose(name, unsent),
            Act::Join(name, topic) => self.join(name, topic),
            Act::Leave(name, topic) => self.leave(name, topic),
            Act::Publish(name, topic, order) => self.publish(name, topic, order),
            Act::Send(name, to) => self.send(name, to),
            Act::Pass(ms) => self.pass(ms),
            Act::Return(unsent) => self.come_back(unsent),
        }
        self.check();
    }

    fn identity(&mut self, name: u8) -> &mut Identity {
        self.identities.entry(address(name)).or_default()
    }

    fn topic(&mut self, topic: u8) -> &mut Topic {
        self.topics.entry(topic_id(topic)).or_default()
    }

    /// Who is on a name with a live socket.
    fn live(&self, name: u8) -> Option<(u8, Incarnation, Socket)> {
        let (person, who, socket) = *self.owners.get(&name)?;
        Some((person, who, socket?))
    }

    fn attach(&mut self, name: u8, person: u8) {
        self.sockets += 1;
        let socket = Socket { node: NodeId(1), connection: ConnectionId(self.sockets) };
        let secret = Some(Digest::of(&person.to_string()));
        let attach = Attach { socket, secret, taken: Taken::Owner, grace: GRACE, label: None };
        self.wires.insert(socket, Wire::default());
        let (now, owner) = (Timestamp(self.now), self.owners.get(&name).copied());
        let outcome = self.identity(name).attach(now, &attach);
        assert_eq!(outcome.answer.is_ok(), owner.is_none_or(|(owner, ..)| owner == person), "the owner alone");
        let Ok(attached) = outcome.answer else { return };
        assert_eq!(attached.again, owner.is_some());
        let who = attached.incarnation;
        self.lives.entry((name, who)).or_default().sockets.push(socket);
        self.owners.insert(name, (person, who, Some(socket)));
        self.carry(name, outcome.effects, 0);
        self.replaced.extend(attached.displaced.map(|older| ((name, who), older)));
    }

    fn come_back(&mut self, unsent: usize) {
        let Some(((name, who), older)) = self.replaced.pop() else { return };
        self.lives.get_mut(&(name, who)).unwrap().lossy |= unsent > 0;
        self.gone(name, who, older, unsent);
    }

    /// The client has not read the last `unsent` frames of a socket, which is told to be gone.
    fn gone(&mut self, name: u8, who: Incarnation, socket: Socket, unsent: usize) {
        let wire = self.wires.get_mut(&socket).unwrap();
        let read = wire.written.len().saturating_sub(unsent);
        let unwritten: Vec<Message> = wire.written.drain(read..).collect();
        wire.over = true;
        let now = Timestamp(self.now);
        let detached = self.identity(name).detach(&Limits::default(), now, who, socket, unwritten);
        self.carry(name, detached.effects, 0);
    }

    fn lose(&mut self, name: u8, unsent: usize) {
        let Some((person, who, socket)) = self.live(name) else { return };
        self.owners.insert(name, (person, who, None));
        self.gone(name, who, socket, unsent);
    }

    fn join(&mut self, name: u8, topic: u8) {
        let Some((_, incarnation, _)) = self.live(name) else { return };
        let entry = Entry::silent(Recipient { id: address(name).id, incarnation });
        let now = Timestamp(self.now);
        let again = self.topic(topic).join(&Limits::default(), now, entry).answer.unwrap().again;
        assert_eq!(again, !self.members.entry(topic).or_default().insert((name, incarnation)));
        assert_eq!(self.identity(name).enter(&Limits::default(), incarnation, &topic_id(topic)), Ok(()));
    }

    fn leave(&mut self, name: u8, topic: u8) {
        let Some((_, who, _)) = self.live(name) else { return };
        let now = Timestamp(self.now);
        assert!(self.topic(topic).leave(now, &address(name).id, who).answer.is_ok());
        self.identity(name).exit(who, &topic_id(topic));
        self.members.entry(topic).or_default().remove(&(name, who));
    }

    fn publish(&mut self, name: u8, topic: u8, order: u64) {
        let Some((_, incarnation, _)) = self.live(name) else { return };
        let from = Recipient { id: address(name).id, incarnation };
        let to = self.topic(topic).audience(&from, Audience::All).unwrap();
        let word = self.word();
        let members = self.members.entry(topic).or_default().clone();
        let heard = to.iter().map(|to| (to.id.parse().unwrap(), to.incarnation)).collect::<BTreeSet<Who>>();
        assert_eq!(heard, members, "the members hear it, and nobody else");
        for one in members {
            self.lives.get_mut(&one).unwrap().expected.push(word.clone());
        }
        for Recipient { id, incarnation } in to {
            self.put(id.parse().unwrap(), Letter::copy(word.as_str().into(), incarnation), order);
        }
    }

    fn send(&mut self, name: u8, to: u8) {
        if self.live(name).is_none() {
            return;
        }
        let word = self.word();
        if let Some((_, who, _)) = self.owners.get(&to) {
            self.lives.get_mut(&(to, *who)).unwrap().expected.push(word.clone());
        }
        self.put(to, Letter { body: word.as_str().into(), keep: Keep::ForOwner, returned: None, only: None }, 0);
    }

    fn put(&mut self, name: u8, letter: Letter, order: u64) {
        let now = Timestamp(self.now);
        let put = self.identity(name).put(&Limits::default(), now, letter);
        assert!(put.answer.is_ok());
        self.carry(name, put.effects, order);
    }

    fn word(&mut self) -> String {
        self.words += 1;
        format!("w{}", self.words)
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms;
        for name in 0..NAMES {
            let now = Timestamp(self.now);
            let expired = self.identity(name).expire(now);
            self.carry(name, expired, 0);
        }
    }

    /// What the shell does. With an odd `order` the frames of one change come in the wrong order.
    fn carry(&mut self, name: u8, dispatch: Dispatch, order: u64) {
        let mut placed = dispatch.placed;
        if !order.is_multiple_of(2) {
            placed.reverse();
        }
        for one in placed {
            let wire = self.wires.get_mut(&one.to).unwrap();
            assert!(!wire.over, "nothing is placed on a socket that was told to be gone");
            wire.early.insert(one.index, one.message);
            while let Some(message) = wire.early.remove(&wire.next) {
                wire.next += 1;
                wire.written.push(message);
            }
        }
        for (topic, who) in dispatch.left {
            let now = Timestamp(self.now);
            let left = self.topics.entry(topic).or_default().leave(now, &address(name).id, who);
            assert!(left.answer.is_ok());
        }
        if !dispatch.ended.is_empty() {
            let (_, who, _) = self.owners.remove(&name).expect("an owner ends once");
            for members in self.members.values_mut() {
                members.remove(&(name, who));
            }
        }
    }

    fn check(&self) {
        for ((name, who), life) in &self.lives {
            // In the order of the sockets it is also the order in which the client read.
            let wires = life.sockets.iter().map(|socket| &self.wires[socket]);
            let read: Vec<String> = wires.flat_map(|wire| &wire.written).map(|message| text(&message.body)).collect();
            let mut expected = life.expected.iter();
            assert!(read.iter().all(|word| expected.any(|one| one == word)), "{name} read {read:?}, once and in order");
            assert!(life.lossy || life.expected.starts_with(&read), "{name} read {read:?} of {:?}", life.expected);
            if !life.lossy && self.live(*name).is_some_and(|(_, present, _)| present == *who) {
                assert_eq!(read, life.expected, "who is there has read everything");
            }
        }
        for topic in 0..TOPICS {
            let occupancy = self.topics.get(&topic_id(topic)).map_or(0, Topic::occupancy);
            assert_eq!(occupancy, self.members.get(&topic).map_or(0, BTreeSet::len), "no ghosts");
        }
    }
}

fn text(body: &Body) -> String {
    match body {
        Body::Text(text) => text.to_string(),
        Body::Bye | Body::Event(_) => String::new(),
    }
}

#[test]
fn random_exchanges_agree_with_the_model() {
    random::hold(&prop::collection::vec(act(), 1..80), |acts| {
        let mut world = World::default();
        acts.iter().for_each(|act| world.perform(act));
    });
}
