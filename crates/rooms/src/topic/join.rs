//! Presence: `join` and `leave`.

use std::sync::Arc;

use super::{Attendee, Copies, Entrance, Recipient, Topic};
use crate::{Body, Incarnation, Limits, Outcome, Refusal, Timestamp};

/// Who wants in.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name and incarnation.
    pub who: Recipient,
    /// Members at most; the topic's own terms and [`Limits::members`] may be stricter.
    pub capacity: usize,
    /// What the others hear now.
    pub hello: Option<Body>,
    /// What the others hear when it goes, however it goes.
    pub farewell: Option<Body>,
    /// What the dialect notes about it.
    pub note: Option<Arc<str>>,
    /// What it knows at the door.
    pub entrance: Entrance,
    /// Does the topic forget its members as soon as the capacity is reached? Then it only told them of each other
    /// (matchbox's `?next=N`), and the next to come is the first again.
    pub seal: bool,
}

impl Entry {
    /// An entry without words, into a topic without a door.
    #[must_use]
    pub fn silent(who: Recipient) -> Self {
        let (hello, farewell, note) = (None, None, None);
        Self { who, capacity: usize::MAX, hello, farewell, note, entrance: Entrance::default(), seal: false }
    }
}

/// You are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seated {
    /// You were in before; nobody heard anything.
    pub again: bool,
    /// Your place among all who ever came; see [`Attendee::since`].
    pub since: u64,
    /// The longest-standing member, perhaps yourself.
    pub first: Arc<str>,
    /// Members now, you among them.
    pub occupancy: usize,
}

impl Topic {
    /// Takes a seat; the others hear the hello.
    pub fn join(&mut self, limits: &Limits, now: Timestamp, entry: Entry) -> Outcome<Seated, Vec<Copies>> {
        self.expire(now);
        let mut copies = Vec::new();
        let answer = self.seat(limits, entry, &mut copies);
        Outcome { answer, effects: copies }
    }

    fn seat(&mut self, limits: &Limits, entry: Entry, copies: &mut Vec<Copies>) -> Result<Seated, Refusal> {
        let Entry { who, capacity, hello, farewell, note, entrance, seal } = entry;
        if let Some(member) = self.members.get_mut(&who.id).filter(|member| member.incarnation == who.incarnation) {
            (member.farewell, member.note) = (farewell, note);
            let since = member.since;
            return Ok(self.seated(true, since, &who.id));
        }
        self.pass(&who, entrance)?;
        // A former owner of the name is gone, though nobody has told the topic yet.
        if self.members.contains_key(&who.id) {
            self.remove(&who.id, copies);
        }
        let terms = self.terms.as_deref_mut();
        let own = terms.as_ref().and_then(|terms| terms.capacity).unwrap_or(usize::MAX);
        let capacity = capacity.min(limits.members).min(own);
        if self.members.len() >= capacity {
            return Err(Refusal::Full);
        }
        if let Some(terms) = terms {
            terms.empty_until = None;
            terms.knocking.retain(|knock| knock.id != who.id);
        }
        let others = self.all_but(&who.id);
        copies.extend(hello.filter(|_| !others.is_empty()).map(|body| Copies { to: others, body }));
        let since = self.next;
        self.next += 1;
        self.standing.insert((since, who.id.clone()));
        self.members.insert(who.id.clone(), Attendee { incarnation: who.incarnation, since, note, farewell });
        let seated = self.seated(false, since, &who.id);
        if seal && self.members.len() >= capacity {
            self.members.clear();
            self.standing.clear();
        }
        Ok(seated)
    }

    fn seated(&self, again: bool, since: u64, own: &Arc<str>) -> Seated {
        let first = self.standing.first().map_or_else(|| own.clone(), |(_, id)| id.clone());
        Seated { again, since, first, occupancy: self.members.len() }
    }

    /// Gives a seat back, or a place at the door; the others hear the farewell. Another incarnation is left alone.
    pub fn leave(&mut self, now: Timestamp, id: &str, who: Incarnation) -> Outcome<(), Vec<Copies>> {
        let mut copies = Vec::new();
        if self.members.get(id).is_some_and(|member| member.incarnation == who) {
            self.remove(id, &mut copies);
        }
        if let Some(terms) = self.terms.as_deref_mut() {
            terms.knocking.retain(|knock| *knock.id != *id || knock.incarnation != who);
            if self.members.is_empty() && terms.empty_until.is_none() {
                terms.empty_until = Some(now.after(terms.keep));
            }
        }
        self.expire(now);
        Outcome { answer: Ok(()), effects: copies }
    }

    fn remove(&mut self, id: &str, copies: &mut Vec<Copies>) {
        let Some((id, gone)) = self.members.remove_entry(id) else { return };
        self.standing.remove(&(gone.since, id.clone()));
        let others = self.all_but(&id);
        copies.extend(gone.farewell.filter(|_| !others.is_empty()).map(|body| Copies { to: others, body }));
    }
}
