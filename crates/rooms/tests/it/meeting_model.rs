//! Random lives of a meeting, held against a naive model: a list of who is in, and for each a list of what it must read.
//!
//! The parlour itself asserts that every client reads its events once, in order and without a gap; here it is asserted that
//! they are the right ones.

use std::{collections::HashMap, time::Duration};

use posthouse_rooms::{
    Departure, Refusal,
    meeting::{Request, Seen},
};
use proptest::prelude::*;

use crate::{parlour::Parlour, random};

#[derive(Clone, Debug)]
enum Act {
    Join(u8),
    Say(u8),
    Whisper(u8, u8),
    /// The last request again, as after an answer that was lost.
    Repeat(u8),
    Lose(u8),
    Resume(u8),
    /// Comes back, but the answer is lost with that socket too.
    ResumeUnheard(u8),
    Read(u8, usize),
    Acknowledge(u8),
    Leave(u8),
    Kick(u8, u8),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 0..6u8;
    prop_oneof![
        4 => who().prop_map(Act::Join),
        6 => who().prop_map(Act::Say),
        3 => (who(), who()).prop_map(|(from, to)| Act::Whisper(from, to)),
        2 => who().prop_map(Act::Repeat),
        3 => who().prop_map(Act::Lose),
        3 => who().prop_map(Act::Resume),
        1 => who().prop_map(Act::ResumeUnheard),
        4 => (who(), 0..5usize).prop_map(|(who, most)| Act::Read(who, most)),
        2 => who().prop_map(Act::Acknowledge),
        1 => who().prop_map(Act::Leave),
        1 => (who(), who()).prop_map(|(by, whom)| Act::Kick(by, whom)),
        2 => (0..30_000u64).prop_map(Act::Pass),
    ]
}

/// What one membership should come to read: what was said since it came.
#[derive(Default)]
struct Life {
    expected: Vec<String>,
    read: Vec<String>,
    last: Option<(u64, Request, Result<(), Refusal>)>,
    /// Has its client a socket that it believes in?
    connected: bool,
}

struct Model {
    parlour: Parlour,
    lives: HashMap<String, Life>,
    /// In the order they came.
    present: Vec<String>,
    /// The newest membership of each of the six people.
    current: HashMap<u8, String>,
    /// Who was told to be polite towards whom.
    polite: HashMap<(String, String), bool>,
    counter: u64,
    ended: usize,
}

impl Model {
    fn new(capacity: usize) -> Self {
        Self {
            parlour: Parlour::of(capacity),
            lives: HashMap::new(),
            present: Vec::new(),
            current: HashMap::new(),
            polite: HashMap::new(),
            counter: 0,
            ended: 0,
        }
    }

    fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The newest membership of a person, if it ever had one.
    fn name(&self, who: u8) -> Option<String> {
        self.current.get(&who).cloned()
    }

    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Join(who) => self.join(who),
            Act::Say(who) => self.say(who, None),
            Act::Whisper(from, to) => self.say(from, self.name(to).as_deref()),
            Act::Repeat(who) => self.repeat(who),
            Act::Lose(who) => self.lose(who),
            Act::Resume(who) => self.resume(who, true),
            Act::ResumeUnheard(who) => self.resume(who, false),
            Act::Read(who, most) => self.read(who, most),
            Act::Acknowledge(who) => drop(self.name(who).map(|name| self.parlour.acknowledge(&name))),
            Act::Leave(who) => {
                let _ = self.ask(who, &Request::Leave);
            }
            Act::Kick(by, whom) => {
                if let Some(whom) = self.name(whom) {
                    let _ = self.ask(by, &Request::Kick(whom.into()));
                }
            }
            Act::Pass(ms) => self.parlour.pass(Duration::from_millis(ms)),
        }
        self.bury();
        assert!(self.parlour.ids().len() <= self.parlour.rules.capacity, "never one too many");
        assert_eq!(self.parlour.ids(), self.present, "in the order they came");
    }

    fn join(&mut self, who: u8) {
        let name = format!("{who}-{}", self.fresh());
        let joined = self.parlour.join(&name);
        self.bury();
        let full = self.present.len() >= self.parlour.rules.capacity;
        assert_eq!(joined.is_err(), full, "the room is full exactly when all seats are kept");
        let Ok(welcome) = joined else { return };
        self.check_manners(&name, &welcome.members);
        self.lives.insert(name.clone(), Life { connected: true, ..Life::default() });
        self.present.push(name.clone());
        self.current.insert(who, name);
    }

    /// The later of two is polite, however often they are told.
    fn check_manners(&mut self, own: &str, members: &[Seen]) {
        for seen in members {
            let id = seen.id.to_string();
            let told = *self.polite.entry((own.to_owned(), id.clone())).or_insert(seen.polite);
            assert_eq!(told, seen.polite, "a role is stable");
            // Whoever was there is told of the newcomer that it need not be polite.
            let other = *self.polite.entry((id, own.to_owned())).or_insert(!seen.polite);
            assert_ne!(told, other, "exactly one of two is polite");
        }
    }

    fn ask(&mut self, who: u8, request: &Request) -> Option<Result<(), Refusal>> {
        let name = self.name(who).filter(|name| self.lives[name].connected)?;
        let answer = self.parlour.ask(&name, request);
        let number = self.parlour.clients[&name].next_request;
        self.bury();
        self.lives.get_mut(&name)?.last = Some((number, request.clone(), answer));
        Some(answer)
    }

    fn say(&mut self, who: u8, to: Option<&str>) {
        let text = format!("m{}", self.fresh());
        let request = Request::Send { to: to.map(Into::into), data: text.as_str().into() };
        let Some(answer) = self.ask(who, &request) else { return };
        let from = self.current[&who].clone();
        let hears = |other: &String| to.map_or(*other != from, |to| to == other);
        let present = self.present.contains(&from);
        assert_eq!(answer.is_ok(), present && to.is_none_or(|to| self.present.iter().any(|id| id == to)));
        if answer.is_err() {
            return;
        }
        let mark = if to.is_some() { ">" } else { ":" };
        for other in self.present.iter().filter(|other| hears(other)) {
            self.lives.get_mut(other).unwrap().expected.push(format!("{from}{mark} {text}"));
        }
    }

    fn repeat(&mut self, who: u8) {
        let Some(name) = self.name(who).filter(|name| self.lives[name].connected) else { return };
        let Some((number, request, answer)) = self.lives[&name].last.clone() else { return };
        let again = self.parlour.ask_as(&name, number, &request);
        self.bury();
        if self.present.contains(&name) {
            assert_eq!(again, answer, "the same answer, and nobody hears it twice");
        }
    }

    fn lose(&mut self, who: u8) {
        let Some(name) = self.name(who) else { return };
        self.parlour.lose(&name);
        self.lives.get_mut(&name).unwrap().connected = false;
    }

    fn resume(&mut self, who: u8, heard: bool) {
        let Some(name) = self.name(who) else { return };
        let fresh = format!("unheard {}", self.fresh());
        let resumed = if heard { self.parlour.resume(&name) } else { self.parlour.resume_unheard(&name, &fresh) };
        self.bury();
        assert_eq!(resumed.is_ok(), self.present.contains(&name), "a seat that is kept is given back, and no other");
        let Ok(welcome) = resumed else { return };
        self.check_manners(&name, &welcome.members);
        self.lives.get_mut(&name).unwrap().connected = heard;
        if !heard {
            self.parlour.lose(&name);
        }
    }

    fn read(&mut self, who: u8, most: usize) {
        let Some(name) = self.name(who) else { return };
        self.parlour.read(&name, most);
        self.compare(&name);
    }

    /// What was read of what others said is the beginning of what was to be read.
    fn compare(&mut self, name: &str) {
        let client = self.parlour.clients.get_mut(name).unwrap();
        let life = self.lives.get_mut(name).unwrap();
        let said = |text: &String| text.contains(": m") || text.contains("> m");
        life.read.extend(std::mem::take(&mut client.heard).into_iter().filter(said));
        assert!(life.expected.starts_with(&life.read), "{name} read {:?} of {:?}", life.read, life.expected);
    }

    /// Memberships that ended since.
    fn bury(&mut self) {
        for (name, why) in self.parlour.ended.split_off(self.ended) {
            assert!(self.present.contains(&name), "a membership ends once");
            assert_ne!(why, Departure::Evicted);
            self.present.retain(|present| *present != name);
        }
        self.ended = self.parlour.ended.len();
    }

    /// In the end everybody whose seat was kept comes back and has read everything.
    fn settle(&mut self) {
        for name in self.present.clone() {
            let welcome = self.parlour.resume(&name).expect("a seat that is kept is given back");
            self.check_manners(&name, &welcome.members);
            self.parlour.read(&name, usize::MAX);
            self.compare(&name);
            assert_eq!(self.lives[&name].read, self.lives[&name].expected, "{name} has read everything");
        }
    }
}

#[test]
fn random_lives_of_a_meeting_agree_with_the_model() {
    let lives = (2..5usize, prop::collection::vec(act(), 1..100));
    random::hold(&lives, |(capacity, acts)| {
        let mut model = Model::new(capacity);
        acts.iter().for_each(|act| model.perform(act));
        model.settle();
    });
}
