//! A socket is lost, a member comes back on another, a client says what it has read.

use std::sync::Arc;

use super::{Effects, Event, Meeting, Rules, Seat, Welcome, member::Line};
use crate::{Close, Closing, Digest, Outcome, Refusal, Socket, Timestamp};

/// Who wants its seat back.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The member's id.
    pub member: Arc<str>,
    /// What proves it.
    pub token: Digest,
    /// What will prove it the next time.
    pub fresh: Digest,
    /// Where it is now.
    pub socket: Socket,
    /// The `seq` of the last event it has read.
    pub seen: u64,
}

impl Meeting {
    /// Comes back. Every event after `seen` is told again, on the new socket; an older socket that still lives closes.
    pub fn resume(&mut self, rules: &Rules, now: Timestamp, resume: &Resume) -> Outcome<Welcome, Effects> {
        let mut effects = self.expire(rules, now);
        let answer = self.come_back(rules, resume, &mut effects);
        self.settle(rules, now, &mut effects);
        Outcome { answer, effects }
    }

    fn come_back(&mut self, rules: &Rules, resume: &Resume, effects: &mut Effects) -> Result<Welcome, Refusal> {
        let at = self.position(&resume.member).ok_or(Refusal::ResumeExpired)?;
        let member = &mut self.members[at];
        let proven = member.token == resume.token || member.former == Some(resume.token);
        if !proven || !member.mailbox.reaches_back_to(resume.seen) {
            return Err(Refusal::ResumeExpired);
        }
        // The answer may be lost with this socket too: then the client knows only the token it has just shown.
        (member.former, member.token) = (Some(resume.token), resume.fresh);
        member.proven = true;
        let older = member.socket();
        effects.closes.extend(older.map(|socket| Close { socket, why: Closing::Displaced }));
        let mut line = Line::new(resume.socket);
        member.mailbox.acknowledge(resume.seen);
        for message in member.mailbox.waiting() {
            effects.tell(&mut line, message.clone());
        }
        member.seat = Seat::Live(line);
        let knocks = if self.members[at].owner { self.knocks() } else { Vec::new() };
        let welcome = Welcome { knocks, ..self.welcome(at, false) };
        if older.is_none() {
            self.tell_others(rules, &resume.member, Event::Back(resume.member.clone()), effects);
        }
        Ok(welcome)
    }

    /// The socket of a member or a guest is gone. A member's seat is kept; a guest waits no longer. A socket that was
    /// replaced changes nothing.
    pub fn lose(&mut self, rules: &Rules, now: Timestamp, id: &str, socket: Socket) -> Outcome<(), Effects> {
        let mut effects = self.expire(rules, now);
        self.forget_guest(rules, id, socket, &mut effects);
        if let Some(at) = self.position(id).filter(|at| self.members[*at].socket() == Some(socket)) {
            let member = &mut self.members[at];
            let keep = if member.proven { rules.resume } else { rules.resume.min(rules.unproven) };
            member.seat = Seat::Held { until: now.after(keep) };
            let away = Event::Away(member.id.clone());
            self.tell_others(rules, id, away, &mut effects);
        }
        self.end_overdue(rules, now, &mut effects);
        self.settle(rules, now, &mut effects);
        Outcome { answer: Ok(()), effects }
    }

    /// The client has read every event up to `seq`.
    pub fn acknowledge(&mut self, id: &str, socket: Socket, seq: u64) -> Outcome<(), Effects> {
        if let Some(at) = self.position(id).filter(|at| self.members[*at].socket() == Some(socket)) {
            self.members[at].mailbox.acknowledge(seq);
            self.members[at].prove();
        }
        Outcome { answer: Ok(()), effects: Effects::default() }
    }
}
