//! Random lives of rooms, held against a naive model that only counts: who is in, what each should have read.

use std::{collections::HashMap, time::Duration};

use posthouse_rooms::Seat;
use proptest::prelude::*;

use crate::{
    house::{BYE, House, SYNTHETIC},
    random,
};

#[derive(Clone, Debug)]
enum Act {
    Join(u8),
    Register(u8),
    Send(u8),
    Bye(u8),
    Leave(u8),
    Delete(u8),
    Lose(u8, usize),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..6u8).prop_map(Act::Join),
        3 => (0..6u8).prop_map(Act::Register),
        6 => (0..6u8).prop_map(Act::Send),
        1 => (0..6u8).prop_map(Act::Bye),
        1 => (0..6u8).prop_map(Act::Leave),
        1 => (0..6u8).prop_map(Act::Delete),
        2 => (0..6u8, 0..4usize).prop_map(|(who, unsent)| Act::Lose(who, unsent)),
        2 => (0..15_000u64).prop_map(Act::Pass),
    ]
}

/// What one membership should have come to know.
#[derive(Default)]
struct Life {
    /// Messages it should read, in order.
    expected: Vec<String>,
    sockets: Vec<u64>,
    stored: Vec<String>,
    departures: usize,
}

struct Model {
    house: House,
    /// By name of the membership: each join is a new one.
    lives: HashMap<String, Life>,
    present: Vec<String>,
    /// The present membership of each of the six people.
    current: HashMap<u8, String>,
    counter: u64,
    ended: usize,
}

impl Model {
    fn new(capacity: usize) -> Self {
        let (lives, current) = (HashMap::new(), HashMap::new());
        Self { house: House::of(capacity), lives, present: Vec::new(), current, counter: 0, ended: 0 }
    }

    fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn name(&self, who: u8) -> String {
        self.current.get(&who).cloned().unwrap_or_else(|| format!("stranger-{who}"))
    }

    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Join(who) => self.join(who),
            Act::Register(who) => self.register(who),
            Act::Send(who) => self.send(who),
            Act::Bye(who) => drop(self.house.send(&self.name(who), BYE)),
            Act::Leave(who) => self.house.leave(&self.name(who)),
            Act::Delete(who) => self.house.delete(&self.name(who)),
            Act::Lose(who, unsent) => self.lose(who, unsent),
            Act::Pass(ms) => self.house.pass(Duration::from_millis(ms)),
        }
        self.bury();
        self.check();
    }

    fn join(&mut self, who: u8) {
        let name = format!("{who}-{}", self.fresh());
        let joined = self.house.join(&name);
        self.bury();
        let Ok(joined) = joined else { return };
        let at_join: Vec<String> = joined.messages.iter().map(ToString::to_string).collect();
        let stored =
            self.present.iter().flat_map(|other| std::mem::take(&mut self.lives.get_mut(other).unwrap().stored));
        assert_eq!(at_join, stored.collect::<Vec<_>>(), "the joiner reads what was stored, once");
        self.lives.insert(name.clone(), Life::default());
        self.present.push(name.clone());
        self.current.insert(who, name);
    }

    fn register(&mut self, who: u8) {
        let (name, socket) = (self.name(who), self.fresh());
        let registered = self.house.register(&name, socket);
        self.bury();
        assert_eq!(registered.is_ok(), self.present.contains(&name), "members register, strangers do not");
        if registered.is_ok() {
            self.lives.get_mut(&name).unwrap().sockets.push(socket);
        }
    }

    fn send(&mut self, who: u8) {
        let (name, text) = (self.name(who), format!("m{}", self.fresh()));
        let sent = self.house.send(&name, &text);
        self.bury();
        assert_eq!(sent.is_ok(), self.present.contains(&name), "members send, strangers do not");
        if sent.is_err() {
            return;
        }
        if self.present.len() == 1 {
            self.lives.get_mut(&name).unwrap().stored.push(text);
            return;
        }
        for other in self.present.iter().filter(|other| **other != name) {
            self.lives.get_mut(other).unwrap().expected.push(text.clone());
        }
    }

    fn lose(&mut self, who: u8, unsent: usize) {
        let name = self.name(who);
        if let Some(socket) = self.lives.get(&name).and_then(|life| life.sockets.last().copied()) {
            let live = self.house.room.members().iter().any(|m| m.id.expose() == name && m.socket().is_some());
            self.house.lose_unsent(&name, socket, if live { unsent } else { 0 });
        }
    }

    /// Memberships that ended since: everybody still present should hear of it once.
    fn bury(&mut self) {
        for (name, _) in self.house.ended.split_off(self.ended) {
            assert!(self.present.contains(&name), "a membership ends once");
            self.present.retain(|present| *present != name);
            for other in &self.present {
                self.lives.get_mut(other).unwrap().departures += 1;
            }
        }
        self.ended = self.house.ended.len();
    }

    fn check(&self) {
        let room = &self.house.room;
        assert!(room.occupancy() <= self.house.policy.capacity, "never one too many");
        assert_eq!(self.house.initiators(), usize::from(room.occupancy() > 0), "exactly one initiator");
        assert_eq!(room.occupancy(), self.present.len());
        for (name, life) in &self.lives {
            let (read, byes) = self.read(life);
            assert!(life.expected.starts_with(&read), "{name} read {read:?} of {:?}", life.expected);
            assert!(byes <= life.departures, "{name} heard {byes} goodbyes of {} departures", life.departures);
        }
    }

    /// In the end everybody who listens has read everything, and heard of every departure once.
    fn settle(&mut self) {
        self.house.pass(self.house.policy.linger);
        self.bury();
        self.check();
        for member in self.house.room.members().iter().filter(|m| matches!(m.seat, Seat::Live(_))) {
            let life = &self.lives[member.id.expose()];
            let (read, byes) = self.read(life);
            assert_eq!((read, byes), (life.expected.clone(), life.departures));
        }
    }

    fn read(&self, life: &Life) -> (Vec<String>, usize) {
        let heard = life.sockets.iter().flat_map(|socket| self.house.heard(*socket));
        let (byes, read): (Vec<&str>, Vec<&str>) = heard.partition(|text| [BYE, SYNTHETIC].contains(text));
        (read.into_iter().map(str::to_owned).collect(), byes.len())
    }
}

#[test]
fn random_lives_of_a_room_agree_with_the_model() {
    let lives = (2..5usize, prop::collection::vec(act(), 1..80));
    random::hold(&lives, |(capacity, acts)| {
        let mut model = Model::new(capacity);
        acts.iter().for_each(|act| model.perform(act));
        model.settle();
    });
}
