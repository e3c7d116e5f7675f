//! A meeting under test: clients that write down every event they read, by `seq`, over all their sockets.

use std::{collections::HashMap, sync::Arc, time::Duration};

use posthouse_rooms::{
    Body, Closing, ConnectionId, Departure, Digest, Meeting, NodeId, Outcome, Refusal, Socket, Timestamp,
    meeting::{
        Authority, Caller, Change, Effects, Entered, Event, Gone, Join, Making, Over, Request, Resume, Rules, Welcome,
    },
};

pub(crate) const OWNER: &str = "the owner's secret";

/// What one client knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) socket: u64,
    pub(crate) token: String,
    /// The last event it has read, and all of them as text.
    pub(crate) seen: u64,
    pub(crate) heard: Vec<String>,
    pub(crate) next_request: u64,
}

#[derive(Default)]
pub(crate) struct Parlour {
    pub(crate) meeting: Meeting,
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    pub(crate) clients: HashMap<String, Client>,
    /// What was put on each socket, and not read yet.
    pub(crate) wires: HashMap<u64, Vec<(u64, u64, Arc<Event>)>>,
    pub(crate) closed: Vec<(u64, Closing)>,
    pub(crate) ended: Vec<(String, Departure)>,
    sockets: u64,
    tokens: u64,
}

impl Parlour {
    pub(crate) fn of(capacity: usize) -> Self {
        Self { rules: Rules { capacity, ..Rules::default() }, ..Self::default() }
    }

    pub(crate) fn entry(&mut self, id: &str) -> Join {
        self.sockets += 1;
        let token = format!("token of {id}");
        let client = Client { socket: self.sockets, token, next_request: 1, ..Client::default() };
        self.clients.insert(id.to_owned(), client.clone());
        Join {
            id: id.into(),
            token: Digest::of(&client.token),
            socket: socket(client.socket),
            request: 1,
            name: Some(format!("{id}'s name").into()),
            data: None,
            passphrase: None,
            secret: None,
            owner: false,
            making: Some(Making { owner: Digest::of(OWNER), keep: Duration::ZERO, terms: Change::default() }),
        }
    }

    pub(crate) fn join(&mut self, id: &str) -> Result<Welcome, Refusal> {
        let join = self.entry(id);
        match self.enter(&join)? {
            Entered::In(welcome) => Ok(welcome),
            Entered::Waiting => panic!("{id} waits at the door"),
        }
    }

    pub(crate) fn enter(&mut self, join: &Join) -> Result<Entered, Refusal> {
        let outcome = self.meeting.join(&self.rules, self.now, join);
        self.carry_out(outcome)
    }

    pub(crate) fn ask(&mut self, id: &str, request: &Request) -> Result<(), Refusal> {
        let client = self.clients.get_mut(id).unwrap();
        client.next_request += 1;
        let number = client.next_request;
        self.ask_as(id, number, request)
    }

    pub(crate) fn ask_as(&mut self, id: &str, number: u64, request: &Request) -> Result<(), Refusal> {
        let at = socket(self.clients[id].socket);
        let caller = Caller { member: id, socket: at, id: number };
        let outcome = self.meeting.request(&self.rules, self.now, &caller, request);
        self.carry_out(outcome)
    }

    pub(crate) fn send(&mut self, from: &str, to: Option<&str>, text: &str) -> Result<(), Refusal> {
        self.ask(from, &Request::Send { to: to.map(Into::into), data: text.into() })
    }

    pub(crate) fn command(&mut self, authority: Authority, request: &Request) -> Result<(), Refusal> {
        let outcome = self.meeting.command(&self.rules, self.now, authority, request);
        self.carry_out(outcome)
    }

    /// The socket dies; what was on it and not read is gone with it.
    pub(crate) fn lose(&mut self, id: &str) {
        let at = self.clients[id].socket;
        self.wires.remove(&at);
        let outcome = self.meeting.lose(&self.rules, self.now, id, socket(at));
        self.carry_out(outcome).unwrap();
    }

    /// Comes back on a new socket, with the newest token it knows.
    pub(crate) fn resume(&mut self, id: &str) -> Result<Welcome, Refusal> {
        self.tokens += 1;
        let fresh = format!("fresh {}", self.tokens);
        let welcome = self.resume_unheard(id, &fresh)?;
        self.clients.get_mut(id).unwrap().token = fresh;
        Ok(welcome)
    }

    /// Comes back, but the answer is lost on the way: it never learns of the fresh token.
    pub(crate) fn resume_unheard(&mut self, id: &str, fresh: &str) -> Result<Welcome, Refusal> {
        self.sockets += 1;
        let (at, client) = (self.sockets, self.clients.get_mut(id).unwrap());
        let resume = Resume {
            member: id.into(),
            token: Digest::of(&client.token),
            fresh: Digest::of(fresh),
            socket: socket(at),
            seen: client.seen,
        };
        let outcome = self.meeting.resume(&self.rules, self.now, &resume);
        let welcome = self.carry_out(outcome)?;
        let client = self.clients.get_mut(id).unwrap();
        // The older socket, if there still is one, is not read any more.
        self.wires.remove(&client.socket);
        client.socket = at;
        Ok(welcome)
    }

    /// Reads up to `most` events from its socket.
    pub(crate) fn read(&mut self, id: &str, most: usize) {
        let client = self.clients.get_mut(id).unwrap();
        let wire = self.wires.entry(client.socket).or_default();
        for (_, seq, event) in wire.drain(..most.min(wire.len())) {
            if seq > 0 {
                assert_eq!(seq, client.seen + 1, "{id} reads every event, once and in order: {event:?}");
                client.seen = seq;
            }
            client.heard.push(words(&event));
        }
    }

    pub(crate) fn acknowledge(&mut self, id: &str) {
        let (at, seen) = (self.clients[id].socket, self.clients[id].seen);
        let outcome = self.meeting.acknowledge(id, socket(at), seen);
        self.carry_out(outcome).unwrap();
    }

    /// All it has read so far, after reading all there is.
    pub(crate) fn heard(&mut self, id: &str) -> Vec<String> {
        self.read(id, usize::MAX);
        std::mem::take(&mut self.clients.get_mut(id).unwrap().heard)
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        let effects = self.meeting.expire(&self.rules, self.now);
        self.remember(effects);
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.meeting.members().iter().map(|member| member.id.to_string()).collect()
    }

    fn carry_out<T>(&mut self, outcome: Outcome<T, Effects>) -> Result<T, Refusal> {
        self.remember(outcome.effects);
        outcome.answer
    }

    fn remember(&mut self, effects: Effects) {
        for tell in effects.tells {
            let Body::Event(event) = tell.message.body else { panic!("a meeting tells events") };
            self.wires.entry(tell.to.connection.0).or_default().push((tell.index, tell.message.seq, event));
        }
        self.closed.extend(effects.closes.into_iter().map(|close| (close.socket.connection.0, close.why)));
        let ended = effects.ended.into_iter().map(|ended| (ended.label.unwrap().0.to_string(), ended.why));
        self.ended.extend(ended);
    }
}

pub(crate) fn socket(at: u64) -> Socket {
    Socket { node: NodeId(1 + at % 2), connection: ConnectionId(at) }
}

/// An event in few words.
pub(crate) fn words(event: &Event) -> String {
    match event {
        Event::Said { from, all, data } => format!("{from}{} {data}", if *all { ":" } else { ">" }),
        Event::Joined { member, .. } => format!("+{member}"),
        Event::Left { member, how: Gone::Left } => format!("-{member}"),
        Event::Left { member, how } => format!("-{member} {how:?}"),
        Event::Away(member) => format!("away {member}"),
        Event::Back(member) => format!("back {member}"),
        Event::Changed { member, data } => format!("{member}={}", data.as_deref().unwrap_or("nothing")),
        Event::Knock { guest, .. } => format!("knock {guest}"),
        Event::KnockGone(guest) => format!("gone {guest}"),
        Event::State(state) => format!("locked={} knock={} of {}", state.locked, state.knock, state.capacity),
        Event::Private(news) => format!("news {news}"),
        Event::Closed(Over::Kicked) => "kicked".to_owned(),
        Event::Closed(over) => format!("over: {over:?}"),
        Event::Admitted(welcome) => format!("admitted among {}", welcome.members.len()),
        Event::Denied => "denied".to_owned(),
    }
}
