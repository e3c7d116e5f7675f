//! A `WebTorrent` tracker on `/announce`: peers of one torrent are brought together by their offers (`bittorrent-tracker`,
//! Trystero's `torrent`). `?key=KEY` is a name space of its own.
//!
//! ```text
//! → {"action":"announce","info_hash":H,"peer_id":P,"left":1,"event":"started","numwant":5,"offers":[{"offer":{},"offer_id":O}]}
//! ← {"action":"announce","info_hash":H,"interval":30,"complete":0,"incomplete":2}
//! ← {"action":"announce","info_hash":H,"peer_id":P,"offer":{},"offer_id":O}       to another peer, each offer to one
//! → {"action":"announce","info_hash":H,"peer_id":Q,"to_peer_id":P,"offer_id":O,"answer":{}}    ← the same, to P
//! → {"action":"scrape","info_hash":[H]}   ← {"action":"scrape","files":{H:{"complete":0,"incomplete":2,"downloaded":0}}}
//! ```
//! Hashes are 20 bytes as 20 characters up to U+00FF. One socket serves many torrents, with a peer id for each, so its
//! own name is one that nobody hears; its parts are topics: one for the torrent's seeders or its leechers, and one with
//! a single seat for each peer id, which is also where answers to it go.

mod frame;
mod problem;
mod swarm;

use std::{collections::HashMap, pin::Pin, sync::Arc};

use hyper::StatusCode;
use posthouse_rooms::{Audience, Body, Letter, Message, Refusal, Tenant};
use tracing::debug;

use self::{
    frame::{Announce, Answer, ClientFrame, Event, Hash},
    problem::{Problem, failure},
    swarm::{Part, Swarm},
};
use super::{Dialect, Entry, Hello, Opened, Step, Steps};
use crate::{
    delivery::Trouble,
    outgoing::Outgoing,
    peer::{Claim, Peer},
    random, respond,
};

pub(crate) static ENTRY: Entry = Entry { name: "tracker", takes, recognises, open, http: None };

fn takes(path: &[&str]) -> bool {
    path == ["announce"]
}

fn recognises(first: &str) -> bool {
    ClientFrame::parse(first).is_ok()
}

fn open(peer: Peer, hello: &Hello) -> Opened {
    let key = hello.visit.query.get("key").unwrap_or_default();
    match Tenant::new(ENTRY.name, key) {
        Ok(tenant) => Ok(Box::new(Tracker { peer, tenant, parts: HashMap::new() })),
        Err(problem) => Err(respond::text(StatusCode::BAD_REQUEST, format!("key: {problem}\n"))),
    }
}

/// One client.
struct Tracker {
    peer: Peer,
    tenant: Tenant,
    /// Its part in each torrent; as many as it may be in topics.
    parts: HashMap<Hash, Part>,
}

impl Tracker {
    async fn step(&mut self, text: &str) -> Step {
        let said = match ClientFrame::parse(text) {
            Ok(ClientFrame::Announce(announce)) => match self.announce(&announce).await {
                Ok(said) => said,
                Err(problem) => Some(failure(problem, Some(&announce.info_hash))),
            },
            Ok(ClientFrame::Scrape(hashes)) => match self.scrape(&hashes).await {
                Ok(said) => Some(said),
                Err(problem) => Some(failure(problem, None)),
            },
            Err(problem) => Some(failure(problem, None)),
        };
        said.map_or(Step::Continue, Step::Say)
    }

    async fn announce(&mut self, announce: &Announce<'_>) -> Result<Option<String>, Problem> {
        self.known().await?;
        let swarm = Swarm::of(&self.tenant, &announce.info_hash)?;
        if announce.event == Event::Stopped {
            self.stop(&swarm, announce).await?;
            return Ok(Some(announce.reply(swarm.counts(&self.peer).await?)));
        }
        self.take_part(&swarm, announce).await?;
        if let Some(answer) = &announce.answer {
            return self.answer(&swarm, announce, answer).await.map(|()| None);
        }
        let counts = swarm.counts(&self.peer).await?;
        self.offer(&swarm, announce).await?;
        Ok(Some(announce.reply(counts)))
    }

    /// Clients are reached by a name of our making.
    async fn known(&mut self) -> Result<(), Problem> {
        if self.peer.address().is_none() {
            let address = self.tenant.address(&random::uuid()).map_err(|_| Problem::Busy)?;
            self.peer.attach(Claim::fresh(address)).await.map_err(|trouble| refused(&trouble))?;
        }
        Ok(())
    }

    /// The first word about a torrent takes a part in it, whatever the event; who has all of it moves to the seeders,
    /// and stays there.
    async fn take_part(&mut self, swarm: &Swarm, announce: &Announce<'_>) -> Result<(), Problem> {
        let seeds = announce.is_complete();
        match self.parts.get_mut(&announce.info_hash) {
            Some(part) if part.peer_id != announce.peer_id => Err(Problem::OtherPeerId),
            Some(part) if !part.seeds && seeds => {
                swarm.complete(&self.peer).await.map_err(|trouble| refused(&trouble))?;
                part.seeds = true;
                Ok(())
            }
            Some(_) => Ok(()),
            None => {
                let part = Part { peer_id: announce.peer_id.clone(), seeds };
                swarm.enter(&self.peer, &part).await.map_err(|trouble| refused(&trouble))?;
                self.parts.insert(announce.info_hash.clone(), part);
                Ok(())
            }
        }
    }

    async fn stop(&mut self, swarm: &Swarm, announce: &Announce<'_>) -> Result<(), Problem> {
        if let Some(part) = self.parts.get(&announce.info_hash).filter(|part| part.peer_id == announce.peer_id) {
            swarm.exit(&self.peer, part).await.map_err(|trouble| refused(&trouble))?;
            self.parts.remove(&announce.info_hash);
        }
        Ok(())
    }

    /// Each offer to one other peer of the torrent, from a random one on; what is left over is dropped.
    async fn offer(&self, swarm: &Swarm, announce: &Announce<'_>) -> Result<(), Problem> {
        let offers = announce.offers();
        if offers.is_empty() {
            return Ok(());
        }
        let others = swarm.sample(&self.peer, offers.len()).await.map_err(|trouble| refused(&trouble))?;
        for (offer, (address, who)) in offers.iter().zip(others) {
            let body = Body::Text(announce.relay_offer(offer).into());
            heard(self.peer.send_to(&address, Letter::copy(body, who)).await);
        }
        Ok(())
    }

    /// To the one peer who made the offer, if it is still there.
    async fn answer(&self, swarm: &Swarm, announce: &Announce<'_>, answer: &Answer<'_>) -> Result<(), Problem> {
        let body = Body::Text(announce.relay_answer(answer).into());
        heard(self.peer.publish(&swarm.seat(&answer.to)?, Audience::All, |_| body).await);
        Ok(())
    }

    async fn scrape(&mut self, hashes: &[Hash]) -> Result<String, Problem> {
        self.known().await?;
        let mut files = Vec::with_capacity(hashes.len());
        for hash in hashes {
            files.push((hash, Swarm::of(&self.tenant, hash)?.counts(&self.peer).await?));
        }
        Ok(frame::scraped(&files))
    }
}

/// A peer that did not hear is nobody else's concern.
fn heard<T>(said: Result<T, Trouble>) {
    let dropped = |trouble| debug!(target: "rooms", ?trouble, "an offer or answer was dropped");
    said.map_or_else(dropped, drop);
}

fn refused(trouble: &Trouble) -> Problem {
    match trouble {
        Trouble::Refused(Refusal::Full) => Problem::Full,
        Trouble::Refused(Refusal::IdTaken) => Problem::PeerIdTaken,
        Trouble::Refused(Refusal::TooManyTopics) => Problem::TooManyTorrents,
        Trouble::Refused(_) | Trouble::Store(_) => Problem::Busy,
    }
}

impl Dialect for Tracker {
    fn outgoing(&self) -> &Arc<Outgoing> {
        self.peer.outgoing()
    }

    fn handle<'a>(&'a mut self, text: &'a str) -> Steps<'a> {
        Box::pin(self.step(text))
    }

    fn is_registered(&self) -> bool {
        self.peer.address().is_some()
    }

    fn gone(&mut self, unwritten: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.peer.detach(unwritten))
    }
}
