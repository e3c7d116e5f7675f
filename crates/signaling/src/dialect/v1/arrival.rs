//! `join` and `resume`: how a client gets its seat, at once, after waiting, or back.

use std::{sync::Arc, time::Duration};

use posthouse_rooms::{
    Digest, Refusal, RoomId,
    meeting::{Entered, Join, Making, Resume, Welcome},
};
use tokio::time::Instant;

use super::{
    Seat, Step, Ticket, V1,
    fault::{Code, Fault},
    frame,
    maker::Maker,
    seat,
    words::{self, Arriving},
};
use crate::{IceConfig, access::Grants, delivery::Trouble, random};

impl V1 {
    pub(super) async fn join(&mut self, id: u64, join: frame::Join) -> Step {
        match self.enter(id, join).await {
            Ok(text) => Step::Say(text),
            Err(fault) => self.refused(id, &fault),
        }
    }

    /// The client may try again on the same socket, until its time to register is over.
    fn refused(&self, id: u64, fault: &Fault) -> Step {
        let counters = &self.peer.signaling.counters;
        if fault.code == Code::RoomFull {
            counters.joins_full.add();
        } else {
            counters.joins_failed.add();
        }
        Step::Say(fault.frame(Some(id)))
    }

    async fn enter(&mut self, id: u64, mut asked: frame::Join) -> Result<String, Fault> {
        self.may_arrive()?;
        self.may_guess(&asked)?;
        let guesses = asked.passphrase.is_some();
        let room = RoomId::parse(&asked.room)
            .map_err(|_| Fault::bad("expected a room of 1 to 128 letters, digits, '-' and '_'"))?;
        let (mut grants, is_vouched_for) = self.grants(&room, &asked)?;
        self.fits(&asked)?;
        let maker = Maker { signaling: &self.peer.signaling, source: self.source.peer, is_vouched_for };
        let is_early = grants.create && !maker.may();
        grants.create &= !is_early;
        asked.create.empty_for = asked.create.empty_for.map(|seconds| maker.keep(seconds).as_secs());
        let ticket = Ticket { room, member: random::label().0 };
        let (token, secret) = (ticket.token(&random::secret()), random::secret());
        let join = self.request(id, asked, grants, &ticket, &token, &secret)?;
        let entered = match self.try_to_enter(&ticket.room, &join, guesses).await {
            Err(Trouble::Refused(Refusal::UnknownRoom)) if is_early => return Err(maker.too_fast()),
            // Too many wait at the door: for a newcomer that is as good as full.
            Err(Trouble::Refused(Refusal::QueueFull)) => {
                return Err(Fault::new(Code::RoomFull, "too many wait to be admitted"));
            }
            other => other?,
        };
        if matches!(&entered, Entered::In(welcome) if welcome.made) {
            maker.has_made();
        }
        self.peer.outgoing().open(Vec::new());
        Ok(match entered {
            Entered::Waiting => {
                self.seat = Seat::Door(Box::new(seat::Waiting { ticket, id, token }));
                format!(r#"{{"type":"waiting","id":{id}}}"#)
            }
            Entered::In(welcome) => self.seated(id, ticket, &token, Some(&secret), &welcome, false),
        })
    }

    /// A wrong passphrase counts, whoever tried it.
    async fn try_to_enter(&self, room: &RoomId, join: &Join, guesses: bool) -> Result<Entered, Trouble> {
        let entered = self.peer.post().change_meeting(room, |one, rules, now| one.join(rules, now, join)).await;
        let limits = &self.peer.signaling.limits;
        if guesses && matches!(entered, Err(Trouble::Refused(Refusal::WrongPassphrase))) {
            limits.allow(&limits.guess, self.source.peer);
        }
        entered
    }

    /// What its token grants, and whether that is to make the room. Without one: nothing but what everybody may.
    fn grants(&self, room: &RoomId, asked: &frame::Join) -> Result<(Grants, bool), Fault> {
        let access = &self.peer.signaling.current.load().config.access;
        let open = Grants { create: !access.create_needs_key, ..Grants::default() };
        match &asked.token {
            Some(token) if access.knows_tokens() => {
                let grants = access.grants(token, room.as_str(), self.peer.post().clock.now()).map_err(Fault::from)?;
                let is_vouched_for = grants.create;
                Ok((Grants { create: is_vouched_for || open.create, ..grants }, is_vouched_for))
            }
            _ if access.join_needs_token => Err(Fault::new(Code::Unauthorized, "expected a token for this room")),
            _ => Ok((open, false)),
        }
    }

    /// Is nothing longer than it may be?
    fn fits(&self, asked: &frame::Join) -> Result<(), Fault> {
        let policy = self.peer.post().policy.load();
        let longer = |text: Option<&Arc<str>>, most: usize| text.is_some_and(|text| text.len() > most);
        if longer(asked.name.as_ref(), policy.meetings.name) || longer(asked.data.as_ref(), policy.meetings.presence) {
            return Err(Fault::new(Code::TooLarge, "a name has at most 128 bytes, presence at most 1 KiB"));
        }
        Ok(())
    }

    fn request(
        &self,
        id: u64,
        asked: frame::Join,
        grants: Grants,
        ticket: &Ticket,
        token: &str,
        secret: &str,
    ) -> Result<Join, Fault> {
        let terms = asked.create.terms()?;
        let keep = Duration::from_secs(asked.create.empty_for.unwrap_or(0));
        Ok(Join {
            id: ticket.member.clone(),
            token: Digest::of(token),
            socket: self.peer.socket(),
            request: id,
            name: grants.name.map(Into::into).or(asked.name),
            data: asked.data,
            passphrase: asked.passphrase,
            secret: asked.secret,
            owner: grants.owner,
            making: grants.create.then(|| Making { owner: Digest::of(secret), keep, terms }),
        })
    }

    /// The owner let it in.
    pub(super) fn admitted(&mut self, welcome: &Welcome) -> String {
        match std::mem::replace(&mut self.seat, Seat::None) {
            Seat::Door(waiting) => self.seated(waiting.id, waiting.ticket, &waiting.token, None, welcome, false),
            // Only who waits is admitted.
            seat => {
                self.seat = seat;
                String::new()
            }
        }
    }

    /// The door stays closed: the answer to its `join`.
    pub(super) fn turned_away(&mut self, fault: &Fault) -> String {
        let id = if let Seat::Door(waiting) = &self.seat { Some(waiting.id) } else { None };
        fault.frame(id)
    }

    pub(super) async fn resume(&mut self, id: u64, token: &str, seen: u64) -> Step {
        match self.come_back(id, token, seen).await {
            Ok(text) => Step::Say(text),
            Err(fault) => Step::Say(fault.frame(Some(id))),
        }
    }

    async fn come_back(&mut self, id: u64, token: &str, seen: u64) -> Result<String, Fault> {
        if !matches!(self.seat, Seat::None) {
            return Err(Fault::bad("this socket has a seat already"));
        }
        let ticket = Ticket::of(token).ok_or(Fault::bad("expected the token of `joined` or `resumed`"))?;
        let fresh = ticket.token(&random::secret());
        let resume = Resume {
            member: ticket.member.clone(),
            token: Digest::of(token),
            fresh: Digest::of(&fresh),
            socket: self.peer.socket(),
            seen,
        };
        let post = self.peer.post();
        let welcome = post.change_meeting(&ticket.room, |one, rules, now| one.resume(rules, now, &resume)).await?;
        self.peer.outgoing().open(Vec::new());
        Ok(self.seated(id, ticket, &fresh, None, &welcome, true))
    }

    /// A seat is taken: relay credentials for it, and the first frame it reads.
    fn seated(
        &mut self,
        id: u64,
        ticket: Ticket,
        token: &str,
        owner: Option<&str>,
        welcome: &Welcome,
        again: bool,
    ) -> String {
        let ice = self.mint(&ticket.member);
        self.renew_after(&ice);
        let resume_for = self.peer.post().policy.load().meetings.resume.as_secs();
        let arriving = Arriving { id, room: ticket.room.as_str(), resume: token, resume_for, owner, ice: &ice, again };
        let text = words::arrival(&arriving, welcome);
        self.seat = Seat::Taken(ticket);
        if !again {
            self.peer.signaling.counters.joins.add();
        }
        text
    }

    /// May this source try to come in once more? A resume is not asked: its token cannot be guessed, and after an
    /// outage a whole office comes back at once.
    fn may_arrive(&self) -> Result<(), Fault> {
        if !matches!(self.seat, Seat::None) {
            return Err(Fault::bad("this socket has a seat already"));
        }
        let signaling = &self.peer.signaling;
        if signaling.limits.allow(&signaling.limits.join, self.source.peer) {
            return Ok(());
        }
        signaling.counters.refused_rate.add();
        Err(Fault::new(Code::TooFast, "more joins than one network may make in a second"))
    }

    /// May this source try one more passphrase? Only wrong ones count.
    fn may_guess(&self, asked: &frame::Join) -> Result<(), Fault> {
        let signaling = &self.peer.signaling;
        if asked.passphrase.is_none() || signaling.limits.would_allow(&signaling.limits.guess, self.source.peer) {
            return Ok(());
        }
        signaling.counters.refused_rate.add();
        Err(Fault::new(Code::TooFast, "more wrong passphrases than one network may try"))
    }

    pub(super) fn mint(&self, member: &str) -> IceConfig {
        self.peer.signaling.mint(member, &self.source.context())
    }

    /// Renewed after 70 % of their life: early enough to be there before 80 % of it are over.
    pub(super) fn renew_after(&mut self, ice: &IceConfig) {
        let wait = Duration::from_secs(ice.lifetime).mul_f64(0.7);
        self.renew = (!wait.is_zero()).then(|| Instant::now() + wait);
    }
}
