//! What the dashboard asks, and what its buttons do: everything that lives, looked at from the side.
//!
//! The relay's workers are asked with bounded messages, rooms are read one shard at a time; counters were published
//! anyway. Nothing here is on the way of a packet or a message.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use posthouse_relay::{Relay, WorkerStats};
use posthouse_signaling::{Asked, Signaling, Undone};
use posthouse_turn::AllocationId;

use super::View;
use super::history::{EVERY, History, Sample};
use super::holdings::{Books, Holdings};
use super::metrics::{edge_refusals, signaling_refusals};
use super::status::{Dialect, Moved, Rooms, Server, Status, Totals, User, Users, Worker, engine};
use crate::streams::Served;

/// Rooms, and users, on one page.
pub(super) const PAGE: usize = 50;
/// The largest page that is handed out.
const LARGEST_PAGE: usize = 200;

/// The parts of the house that the dashboard shows.
pub(crate) struct Dashboard {
    pub(crate) relay: Arc<Relay>,
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) streams: Served,
    pub(crate) config: Option<PathBuf>,
    own: Own,
}

/// What it keeps of its own.
struct Own {
    begun: Instant,
    history: History,
    books: Books,
}

/// Which part of everything is to be shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// Rooms and users whose name contains this.
    pub(super) find: String,
    /// Rooms behind this one: name and dialect.
    pub(super) after: Option<(String, String)>,
    /// Users behind this one.
    pub(super) after_user: Option<String>,
    /// So many of each; `None`: [`PAGE`].
    pub(super) most: Option<usize>,
}

impl Dashboard {
    pub(crate) fn new(relay: Arc<Relay>, signaling: Arc<Signaling>, streams: Served, config: Option<PathBuf>) -> Self {
        let own = Own { begun: Instant::now(), history: History::default(), books: Books::default() };
        Self { relay, signaling, streams, config, own }
    }

    /// Takes samples for the plots.
    pub(super) async fn remember(&self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.own.history.push(sample(&self.totals(&self.relay.stats())));
        }
    }

    pub(super) fn history(&self) -> Vec<Sample> {
        self.own.history.all()
    }

    pub(super) async fn status(&self, question: Question, view: &dyn View, token: bool) -> Result<Status, Undone> {
        let holdings = self.own.books.read(&self.relay).await;
        let Question { find, after, after_user, most } = question;
        let most = most.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        let labels = holdings.keys().cloned().collect();
        let asked = Asked { containing: find.clone(), after, most, labels };
        let found = self.signaling.rooms_seen(&asked).await.map_err(|_| Undone::Unavailable)?;
        let is_wanted = |user: &str| !found.seated.contains(user) && user.contains(&find);
        let workers = self.relay.stats();
        let totals = self.totals(&workers);
        Ok(Status {
            server: Server {
                version: env!("CARGO_PKG_VERSION"),
                uptime: self.own.begun.elapsed().as_secs(),
                config: self.config.as_ref().map(|file| file.display().to_string()),
                engine: engine(self.relay.engine()),
                healthy: view.healthy(),
                ready: view.ready(),
                token,
            },
            sample: sample(&totals),
            totals,
            refusals: self.refusals(&workers),
            workers: workers.iter().enumerate().map(|(number, worker)| Worker::of(number, worker)).collect(),
            certificates: self.streams.certificates.expiries().into_iter().map(Into::into).collect(),
            users: users(&holdings, is_wanted, after_user.as_deref(), most),
            rooms: Rooms::page(found.total, found.matching, found.more, found.rooms, &holdings),
            dialects: self
                .signaling
                .tallies()
                .into_iter()
                .filter_map(|(name, tally)| Dialect::of(name, tally))
                .collect(),
        })
    }

    /// Ends a membership, and what it holds on the relay.
    pub(super) async fn kick(&self, dialect: &str, room: &str, member: &str) -> Result<(), Undone> {
        let kicked = self.signaling.kick(dialect, room, member).await;
        self.own.books.forget().await;
        kicked
    }

    /// Ends a room.
    pub(super) async fn close_room(&self, dialect: &str, room: &str) -> Result<(), Undone> {
        let closed = self.signaling.close_room(dialect, room).await;
        self.own.books.forget().await;
        closed
    }

    /// Ends one allocation; false when there is none of this name (any more).
    pub(super) async fn end_allocation(&self, name: &str) -> bool {
        let Some((worker, id)) = allocation(name) else { return false };
        let relay = Arc::clone(&self.relay);
        let ended = tokio::task::spawn_blocking(move || relay.end_allocation(worker, id)).await;
        self.own.books.forget().await;
        ended.unwrap_or(false)
    }

    fn totals(&self, workers: &[WorkerStats]) -> Totals {
        let signaling = self.signaling.stats();
        let (mut to_peers, mut to_clients) = (Moved::default(), Moved::default());
        for worker in workers {
            to_peers += worker.turn.forwarded.into();
            to_clients += worker.turn.wrapped.into();
        }
        Totals {
            rooms: signaling.rooms,
            members: signaling.members,
            websockets: signaling.sockets,
            allocations: workers.iter().map(|worker| worker.allocations).sum(),
            streams: workers.iter().map(|worker| worker.streams).sum(),
            to_peers,
            to_clients,
        }
    }

    fn refusals(&self, workers: &[WorkerStats]) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
        let mut groups = BTreeMap::new();
        for worker in workers {
            add(&mut groups, "relay_refusals", worker.turn.refusals.iter());
            add(&mut groups, "relay_denied_peers", worker.turn.denied_peers.iter());
            add(&mut groups, "relay_drops", worker.turn.drops.iter());
        }
        let signaling = self.signaling.stats();
        let joins = [("full", signaling.joins_full), ("failed", signaling.joins_failed)];
        add(&mut groups, "room_joins", joins.into_iter());
        add(&mut groups, "signaling_refusals", signaling_refusals(&signaling).into_iter());
        add(&mut groups, "edge_refusals", edge_refusals(&self.streams.edge.stats()).into_iter());
        groups
    }
}

fn add(
    groups: &mut BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    group: &'static str,
    counters: impl Iterator<Item = (&'static str, u64)>,
) {
    let group = groups.entry(group).or_default();
    for (reason, count) in counters.filter(|(_, count)| *count > 0) {
        *group.entry(reason).or_default() += count;
    }
}

fn users(holdings: &Holdings, is_wanted: impl Fn(&str) -> bool, after: Option<&str>, most: usize) -> Users {
    let mut wanted: Vec<_> = holdings.iter().filter(|(user, _)| is_wanted(user)).collect();
    wanted.sort_unstable_by_key(|(user, _)| *user);
    let total = wanted.len();
    wanted.retain(|(user, _)| after.is_none_or(|after| &***user > after));
    let more = wanted.len() > most;
    wanted.truncate(most);
    let next = wanted.last().filter(|_| more).map(|(user, _)| user.to_string());
    Users { total, list: wanted.into_iter().map(|(user, held)| User::of(user, held)).collect(), next }
}

fn sample(totals: &Totals) -> Sample {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let Totals { to_peers, to_clients, allocations, rooms, members, .. } = totals;
    let at = u64::try_from(now).unwrap_or(u64::MAX);
    Sample(at, to_peers.bytes(), to_clients.bytes(), *allocations, *rooms, *members)
}

/// `WORKER-INDEX-GENERATION`, as `status` writes it.
fn allocation(name: &str) -> Option<(usize, AllocationId)> {
    let (worker, id) = name.split_once('-')?;
    let (index, generation) = id.split_once('-')?;
    let id = AllocationId { index: index.parse().ok()?, generation: generation.parse().ok()? };
    Some((worker.parse().ok()?, id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::holdings::Held;

    fn holders(names: impl IntoIterator<Item = String>) -> Holdings {
        names.into_iter().map(|name| (name.into_boxed_str(), Held { count: 1, ..Held::default() })).collect()
    }

    #[test]
    fn users_come_page_by_page_and_each_once() {
        let holdings = holders((0..120).map(|n| format!("user-{n:03}")));
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = users(&holdings, |user| user != "user-007", after.as_deref(), 50);
            assert!(page.list.len() <= 50);
            assert_eq!(page.total, 119);
            let page = serde_json::to_value(page).unwrap();
            seen.extend(page["list"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        let expected: Vec<_> = (0..120).filter(|n| *n != 7).map(|n| format!("user-{n:03}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn only_a_whole_name_is_an_allocation() {
        assert_eq!(allocation("1-20-3"), Some((1, AllocationId { index: 20, generation: 3 })));
        for other in ["", "1", "1-2", "1-2-3-4", "-1-2-3", "a-b-c", "1-2-", "1-4294967296-0"] {
            assert_eq!(allocation(other), None, "{other}");
        }
    }
}
