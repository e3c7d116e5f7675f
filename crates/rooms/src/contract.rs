//! What every store and every bus must pass. An engine's crate calls these from its own tests; each panics with the law
//! that was broken.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread,
};

use crate::{
    Address, Attach, Bus, ClientId, Close, Closing, ConnectionId, Departure, Digest, Due, Entry, Identity, Joining,
    Kept, Label, Limits, Meeting, NodeId, Parcel, Placed, Policy, Recipient, Role, Room, RoomId, RoomStore, Socket,
    Taken, Tenant, Timestamp, Topic, TopicId,
    meeting::{Caller, Change, Entered, Join, Making, Request, Rules},
};

/// All laws of a store. `store` must be empty and bounded to no fewer than 100 rooms.
///
/// # Panics
/// When a law is broken.
pub fn store(store: &dyn RoomStore) {
    an_update_sees_what_the_last_one_left(store);
    a_room_nobody_is_in_is_not_kept(store);
    rooms_come_due_in_order_and_only_then(store);
    of_many_who_join_at_once_one_is_the_initiator(store);
    identities_and_topics_are_kept_until_they_are_empty(store);
    of_many_who_want_a_name_at_once_one_gets_it(store);
    a_topic_is_never_fuller_than_it_may_be(store);
    a_meeting_is_never_fuller_than_it_may_be(store);
    a_meeting_is_kept_until_it_is_over(store);
    a_walk_shows_every_room_once(store);
}

/// All laws of a bus.
///
/// # Panics
/// When a law is broken.
pub fn bus(bus: &dyn Bus) {
    let (here, there, elsewhere) = (NodeId(1), NodeId(2), NodeId(3));
    let heard: [Arc<Mutex<Vec<Parcel>>>; 3] = Default::default();
    for (node, heard) in [here, there, elsewhere].into_iter().zip(&heard) {
        let heard = heard.clone();
        bus.subscribe(node, Arc::new(move |parcel| lock(&heard).push(parcel)));
    }
    let sent: Vec<Parcel> = (0..100).map(parcel).collect();
    for parcel in &sent {
        assert_eq!(block_on(bus.publish(there, parcel.clone())), Ok(()), "a node that listens is reached");
    }
    wait_until(|| lock(&heard[1]).len() >= sent.len());
    assert_eq!(*lock(&heard[1]), sent, "parcels arrive once and in order");
    assert!(lock(&heard[0]).is_empty() && lock(&heard[2]).is_empty(), "no other node hears them");
    let news = Parcel::Free { label: Label("somebody".into()), revoke: true };
    assert_eq!(block_on(bus.announce(there, news.clone())), Ok(()), "all nodes that listen are reached");
    wait_until(|| [0, 2].iter().all(|&at: &usize| !lock(&heard[at]).is_empty()));
    assert_eq!(
        [0, 2].map(|at: usize| lock(&heard[at]).clone()),
        [vec![news.clone()], vec![news]],
        "each hears it once"
    );
    assert_eq!(*lock(&heard[1]), sent, "and not the one it comes from");
}

fn parcel(number: u64) -> Parcel {
    let socket = Socket { node: NodeId(2), connection: ConnectionId(number) };
    if number.is_multiple_of(2) {
        return Parcel::Close(Close { socket, why: Closing::Left });
    }
    let message = crate::Message { seq: number, body: "said".into() };
    Parcel::Place { address: address("away"), placed: Placed { who: socket, to: socket, index: number, message } }
}

fn an_update_sees_what_the_last_one_left(store: &dyn RoomStore) {
    let room = room("sees");
    assert_eq!(join(store, &room, "1"), Some(Role::Initiator), "the first is the initiator");
    assert_eq!(join(store, &room, "2"), Some(Role::Joiner), "the second sees the first");
    assert_eq!(join(store, &room, "3"), None, "the third sees both");
    assert_eq!(occupancy(store, &room), 2);
    leave(store, &room, "1");
    assert_eq!(occupancy(store, &room), 1, "a leave is kept");
    leave(store, &room, "2");
    expire(store, &room);
}

fn a_room_nobody_is_in_is_not_kept(store: &dyn RoomStore) {
    let before = store.census().rooms;
    for number in 0..1000 {
        assert_eq!(occupancy(store, &room(&format!("nobody-{number}"))), 0);
    }
    assert_eq!(store.census().rooms, before, "to look at a room does not make it");
}

fn rooms_come_due_in_order_and_only_then(store: &dyn RoomStore) {
    let names = ["due-c", "due-a", "due-b"].map(room);
    for (at, name) in names.iter().enumerate() {
        let deadline = Timestamp(1_000_000 + at as u64);
        block_on(store.apply(name, |room| {
            let outcome = room.join(&Policy::default(), Timestamp(0), joining("1"));
            (outcome.answer.is_ok(), Some(deadline))
        }))
        .expect("the store answers");
    }
    assert_eq!(due(store, 999_999, 9), [], "nothing is due before its time");
    assert_eq!(due(store, 1_000_001, 9), names[..2], "the earliest comes first");
    assert_eq!(due(store, 2_000_000, 1), names[..1], "no more than asked for");
    for name in &names {
        leave(store, name, "1");
    }
    assert_eq!(due(store, u64::MAX, 9), [], "a room that is gone is never due");
}

fn of_many_who_join_at_once_one_is_the_initiator(store: &dyn RoomStore) {
    const RACERS: usize = 4;
    for round in 0..50 {
        let room = room(&format!("race-{round}"));
        let roles: Vec<Option<Role>> = thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS)
                .map(|n| {
                    scope.spawn({
                        let room = &room;
                        move || join(store, room, &n.to_string())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().expect("a racer does not panic")).collect()
        });
        let count = |role| roles.iter().filter(|got| **got == role).count();
        assert_eq!(count(Some(Role::Initiator)), 1, "exactly one initiator");
        assert_eq!(count(Some(Role::Joiner)), 1, "exactly one joiner");
        (0..RACERS).for_each(|n| leave(store, &room, &n.to_string()));
        expire(store, &room);
    }
}

fn identities_and_topics_are_kept_until_they_are_empty(store: &dyn RoomStore) {
    let (address, topic) = (address("kept"), topic("kept"));
    let before = store.census();
    let who = attach(store, &address, 1).expect("a free name is taken");
    assert_eq!(attach(store, &address, 2), None, "a store keeps whose a name is");
    enter(store, &topic, who).expect("an empty topic takes anybody");
    let now = store.census();
    assert_eq!((now.identities, now.topics), (before.identities + 1, before.topics + 1));
    let tally = |store: &dyn RoomStore| store.tallies().remove(topic.tenant.dialect()).unwrap_or_default();
    assert!(tally(store).identities >= 1 && tally(store).topics >= 1, "each is counted with its dialect");
    let lost = |one: &mut Identity| one.detach(&Limits::default(), Timestamp(0), who, who, Vec::new()).answer;
    block_on(store.apply_identity(&address, lost)).expect("the store answers").unwrap_or_default();
    let is_due = |due: &Due| matches!(due, Due::Identity(one) if *one == address);
    let due = |at| block_on(store.due(Timestamp(at), 9)).expect("the store answers").iter().any(is_due);
    assert!(!due(9_999) && due(10_000), "a name that is held comes due in its time, and only then");
    let expire = |one: &mut Identity| one.expire(Timestamp(10_000)).ended.len();
    assert_eq!(block_on(store.apply_identity(&address, expire)), Ok(1));
    block_on(store.apply_topic(&topic, |one| one.leave(Timestamp(0), "kept", who).answer))
        .expect("the store answers")
        .unwrap_or_default();
    assert_eq!(store.census(), before, "what is empty is not kept");
    assert!(!due(u64::MAX), "what is gone is never due");
}

fn of_many_who_want_a_name_at_once_one_gets_it(store: &dyn RoomStore) {
    for round in 0..50 {
        let address = address(&format!("race-{round}"));
        let owners = race(|n| attach(store, &address, n));
        assert_eq!(owners.len(), 1, "exactly one owner");
        let who = owners[0];
        let end = |one: &mut Identity| one.end(Timestamp(0), who, Departure::Left).answer;
        block_on(store.apply_identity(&address, end)).expect("the store answers").unwrap_or_default();
    }
}

fn a_topic_is_never_fuller_than_it_may_be(store: &dyn RoomStore) {
    for round in 0..50 {
        let topic = topic(&format!("race-{round}"));
        let seated = race(|n| enter(store, &topic, socket(n)));
        assert_eq!(seated.len(), 2, "as many as it takes");
        for n in 0..RACERS {
            block_on(store.apply_topic(&topic, |one| one.leave(Timestamp(0), &n.to_string(), socket(n)).answer))
                .expect("the store answers")
                .unwrap_or_default();
        }
    }
}

fn a_meeting_is_never_fuller_than_it_may_be(store: &dyn RoomStore) {
    for round in 0..50 {
        let name = room(&format!("meeting-race-{round}"));
        let seated = race(|n| meet(store, &name, n).map(|_| n));
        assert_eq!(seated.len(), 2, "as many as it takes");
        let order =
            block_on(store.apply_meeting(&name, |one| one.members().iter().map(|m| m.since).collect::<Vec<_>>()));
        assert_eq!(order, Ok(vec![0, 1]), "each has a place of its own");
        seated.into_iter().for_each(|n| depart(store, &name, n));
    }
}

fn a_meeting_is_kept_until_it_is_over(store: &dyn RoomStore) {
    let (name, before) = (room("meeting-kept"), store.census());
    meet(store, &name, 1).expect("whoever comes first makes it");
    let now = store.census();
    assert_eq!((now.rooms, now.members), (before.rooms + 1, before.members + 1), "a meeting counts as a room");
    let rules = Rules::default();
    let lost = |one: &mut Meeting| one.lose(&rules, Timestamp(0), "1", socket(1)).answer;
    block_on(store.apply_meeting(&name, lost)).expect("the store answers").unwrap_or_default();
    let is_due = |due: &Due| matches!(due, Due::Meeting(one) if *one == name);
    let due = |at| block_on(store.due(Timestamp(at), 9)).expect("the store answers").iter().any(is_due);
    assert!(!due(9_999) && due(10_000), "a seat that is held comes due in its time, and only then");
    let ended = |one: &mut Meeting| one.expire(&rules, Timestamp(10_000)).ended.len();
    assert_eq!(block_on(store.apply_meeting(&name, ended)), Ok(1));
    assert_eq!(store.census(), before, "what is over is not kept");
    assert!(!due(u64::MAX), "what is gone is never due");
}

fn a_walk_shows_every_room_once(store: &dyn RoomStore) {
    let (name, before) = (room("walked"), walked(store));
    assert_eq!(join(store, &name, "1"), Some(Role::Initiator));
    meet(store, &name, 1).expect("a meeting is not the room of that name");
    let after = walked(store);
    assert_eq!(after.len(), before.len() + 2, "both are there");
    for sign in ["room walked 1", "meeting walked 1"] {
        assert_eq!(after.iter().filter(|one| *one == sign).count(), 1, "{sign} in {after:?}");
    }
    depart(store, &name, 1);
    leave(store, &name, "1");
    expire(store, &name);
    assert_eq!(walked(store), before, "what is gone is not shown");
}

/// What a walk shows, sorted.
fn walked(store: &dyn RoomStore) -> Vec<String> {
    let mut seen = Vec::new();
    let mut look = |kept: Kept<'_>| {
        seen.push(match kept {
            Kept::Room(id, room) => format!("room {} {}", id.as_str(), room.occupancy()),
            Kept::Meeting(id, meeting) => format!("meeting {} {}", id.as_str(), meeting.members().len()),
        });
    };
    block_on(store.walk(&mut look)).expect("the store answers");
    seen.sort_unstable();
    seen
}

/// Into a meeting for two, under the number of the socket.
fn meet(store: &dyn RoomStore, name: &RoomId, number: u64) -> Option<Entered> {
    let digest = Digest::of("contract");
    let join = Join {
        id: number.to_string().into(),
        token: digest,
        socket: socket(number),
        request: 1,
        name: None,
        data: None,
        passphrase: None,
        secret: None,
        owner: false,
        making: Some(Making { owner: digest, keep: std::time::Duration::ZERO, terms: Change::default() }),
    };
    let joined = |one: &mut Meeting| one.join(&Rules::default(), Timestamp(0), &join).answer;
    block_on(store.apply_meeting(name, joined)).expect("the store answers").ok()
}

fn depart(store: &dyn RoomStore, name: &RoomId, number: u64) {
    let id = number.to_string();
    let caller = Caller { member: &id, socket: socket(number), id: 2 };
    let left = |one: &mut Meeting| one.request(&Rules::default(), Timestamp(0), &caller, &Request::Leave).answer;
    block_on(store.apply_meeting(name, left)).expect("the store answers").unwrap_or_default();
}

const RACERS: u64 = 4;

/// Those of the racers who got something.
fn race<T: Send>(run: impl Fn(u64) -> Option<T> + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let run = &run;
        let racers: Vec<_> = (0..RACERS).map(|n| scope.spawn(move || run(n))).collect();
        racers.into_iter().filter_map(|racer| racer.join().expect("a racer does not panic")).collect()
    })
}

fn socket(number: u64) -> Socket {
    Socket { node: NodeId(1), connection: ConnectionId(number) }
}

fn tenant() -> Tenant {
    Tenant::new("contract", "").expect("a short key")
}

fn address(id: &str) -> Address {
    tenant().address(id).expect("a short name")
}

fn topic(name: &str) -> TopicId {
    tenant().topic(name).expect("a short name")
}

fn attach(store: &dyn RoomStore, address: &Address, number: u64) -> Option<Socket> {
    let grace = std::time::Duration::from_secs(10);
    let attach = Attach { socket: socket(number), secret: None, taken: Taken::Owner, grace, label: None };
    let attached = block_on(store.apply_identity(address, |one| one.attach(Timestamp(0), &attach).answer));
    attached.expect("the store answers").ok().map(|attached| attached.incarnation)
}

/// Into a topic for two, under the number of the socket, or `kept` where there is one alone.
fn enter(store: &dyn RoomStore, topic: &TopicId, who: Socket) -> Option<()> {
    let id = if *topic.name == *"kept" { "kept".into() } else { who.connection.0.to_string().into() };
    let entry = Entry { capacity: 2, ..Entry::silent(Recipient { id, incarnation: who }) };
    let join = |one: &mut Topic| one.join(&Limits::default(), Timestamp(0), entry.clone()).answer;
    block_on(store.apply_topic(topic, join)).expect("the store answers").ok().map(drop)
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("a plain name")
}

fn client(id: &str) -> ClientId {
    ClientId::parse(id).expect("a plain id")
}

fn joining(id: &str) -> Joining {
    Joining { client: client(id), label: None, loopback: false }
}

fn change<T: Send>(store: &dyn RoomStore, room: &RoomId, mut change: impl FnMut(&mut Room) -> T + Send) -> T {
    let applied = store.apply(room, |room| {
        let answer = change(room);
        (answer, room.poll_timeout(&Policy::default()))
    });
    block_on(applied).expect("the store answers")
}

fn join(store: &dyn RoomStore, room: &RoomId, id: &str) -> Option<Role> {
    let joined = change(store, room, |room| room.join(&Policy::default(), Timestamp(0), joining(id)).answer);
    joined.ok().map(|joined| joined.role)
}

fn leave(store: &dyn RoomStore, room: &RoomId, id: &str) {
    change(store, room, |room| room.leave(&Policy::default(), Timestamp(0), &client(id)).answer).unwrap_or_default();
}

fn expire(store: &dyn RoomStore, room: &RoomId) {
    change(store, room, |room| room.expire(&Policy::default(), Timestamp(u64::MAX)));
}

fn occupancy(store: &dyn RoomStore, room: &RoomId) -> usize {
    change(store, room, |room| room.occupancy())
}

fn due(store: &dyn RoomStore, now: u64, most: usize) -> Vec<RoomId> {
    let due = block_on(store.due(Timestamp(now), most)).expect("the store answers");
    due.into_iter().filter_map(|due| if let Due::Room(room) = due { Some(room) } else { None }).collect()
}

/// Waits for an engine's own threads, without a runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let (mut future, signal) = (pin!(future), Arc::new(Signal::default()));
    let waker = Waker::from(signal.clone());
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        let woken = signal.woken.wait_while(lock(&signal.state), |woken| !*woken);
        *woken.unwrap_or_else(PoisonError::into_inner) = false;
    }
}

#[derive(Default)]
struct Signal {
    state: Mutex<bool>,
    woken: Condvar,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *lock(&self.state) = true;
        self.woken.notify_one();
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if condition() {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
