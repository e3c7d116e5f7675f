//! A client that moves from one server of a process to another, with its allocation.

use std::collections::VecDeque;

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;
use posthouse_turn::{AllocationId, Letter, Move, Settings, Shared};

use crate::mobility::{mobile, ticket, way};
use crate::world::{Answer, Client, Event, World, channel_data, peer};

/// Servers that share quotas and directory, and a shell that carries their letters.
struct Several {
    shared: Shared,
    worlds: Vec<World>,
    letters: VecDeque<(u8, Letter)>,
    /// What a shell that hands over sockets saw: from which server, what it was there.
    handed_over: Vec<(usize, AllocationId)>,
    /// Answers of servers that had to be asked.
    answers: Vec<Answer>,
    /// How many packets went through an allocation after it had arrived.
    replayed: Vec<Vec<u8>>,
    /// The name of the allocation that arrived last.
    arrived: Option<(usize, AllocationId)>,
}

impl Several {
    fn new(count: u8) -> Self {
        Self::with(count, |_| ())
    }

    fn with(count: u8, change: impl Fn(&mut Settings)) -> Self {
        let shared = Shared::new();
        let worlds = (0..count).map(|n| World::sharing(&shared, |s| (mobile(s), change(s)).1).numbered(n)).collect();
        Self {
            shared,
            worlds,
            letters: VecDeque::new(),
            handed_over: Vec::new(),
            answers: Vec::new(),
            replayed: Vec::new(),
            arrived: None,
        }
    }

    /// Takes the letters that servers wrote; none is delivered yet.
    fn collect(&mut self) {
        for (n, world) in self.worlds.iter_mut().enumerate() {
            while let Some(step) = world.server.poll_move() {
                match step {
                    Move::Moved { .. } => {}
                    Move::Tell { server, letter } => self.letters.push_back((server, letter)),
                    Move::HandOver { id, server, letter, .. } => {
                        self.handed_over.push((n, id));
                        self.letters.push_back((server, letter));
                    }
                }
            }
        }
    }

    /// Delivers letters until none is left.
    fn deliver(&mut self) {
        self.collect();
        while let Some((to, letter)) = self.letters.pop_front() {
            let world = &mut self.worlds[usize::from(to)];
            world.answers.clear();
            if let Some(id) = world.server.handle_letter(world.now, letter) {
                self.arrived = Some((to.into(), id));
            }
            world.drain();
            self.answers.append(&mut world.answers);
            while let Some((from, packet)) = world.server.poll_held() {
                let forward = world.server.handle_client(world.now, from, &packet);
                self.replayed.extend(forward.map(|f| packet[f.payload].to_vec()));
                world.drain();
                self.answers.append(&mut world.answers);
            }
            self.collect();
        }
    }

    /// A Refresh with a ticket at server `n`; the answer may be another server's.
    fn resume(&mut self, n: usize, client: &mut Client, ticket: &[u8]) -> Answer {
        let bytes = self.refresh_bytes(n, client, ticket);
        self.packet(n, client, &bytes);
        self.answers.pop().expect("an answer")
    }

    fn refresh_bytes(&mut self, n: usize, client: &mut Client, ticket: &[u8]) -> Vec<u8> {
        client.signed(&mut self.worlds[n], Method::REFRESH, |b| {
            b.attribute(AttributeType::MOBILITY_TICKET, ticket);
        })
    }

    /// A packet at server `n`, and all that follows.
    fn packet(&mut self, n: usize, client: &Client, bytes: &[u8]) {
        self.answers.clear();
        let forward = self.worlds[n].packet(client.at, bytes);
        assert!(forward.is_none(), "it must be asked for first");
        let own = self.worlds[n].answer();
        self.answers.extend(own);
        self.deliver();
    }

    fn data(&mut self, n: usize, client: &Client, payload: &[u8]) {
        self.packet(n, client, &channel_data(0x4000, payload));
    }
}

/// Two servers; the allocation is at the first, its client resumed at the second.
fn resumed() -> (Several, Client, Client, AllocationId, Vec<u8>) {
    let (mut all, mut old, mut new) = (Several::new(2), Client::new(1), Client::new(2));
    let (id, first) = old.allocate_mobile(&mut all.worlds[0]);
    let answer = all.resume(1, &mut new, &first);
    assert_eq!((answer.code(), answer.lifetime(), answer.to), (0, 600, new.at));
    assert_ne!(ticket(&answer), first);
    (all, old, new, id, ticket(&answer))
}

#[test]
fn until_the_client_uses_its_new_place_the_allocation_stays_at_the_old_server() {
    let (mut all, mut old, _, id, _) = resumed();
    assert_eq!(way(&mut all.worlds[0], id), Some(old.at));
    assert!(old.channel_data(&mut all.worlds[0], 0x4000, b"still here").is_some());
    assert_eq!((all.worlds[0].allocations(), all.worlds[1].allocations()), (1, 0));
    assert_eq!(all.handed_over, []);
}

#[test]
fn the_first_packet_brings_the_allocation_along_and_goes_through_it() {
    let (mut all, mut old, mut new, id, _) = resumed();
    all.data(1, &new, b"first");
    assert_eq!(all.handed_over, [(0, id)]);
    assert_eq!(all.replayed, [b"first"]);
    let (at, arrived) = all.arrived.unwrap();
    assert_eq!(at, 1);
    assert_eq!(way(&mut all.worlds[1], arrived), Some(new.at));
    assert!(new.channel_data(&mut all.worlds[1], 0x4000, b"second").is_some(), "no letter is needed any longer");
    assert!(old.channel_data(&mut all.worlds[0], 0x4000, b"old").is_none());
    assert_eq!(old.refresh(&mut all.worlds[0], None).code(), 437);
    assert_eq!((all.worlds[0].allocations(), all.worlds[1].allocations()), (0, 1));
    assert!(!all.worlds[0].events.contains(&Event::Closed(id)), "its sockets go with it, open");
}

#[test]
fn packets_that_come_meanwhile_keep_their_order() {
    let (mut all, _, new, _, _) = resumed();
    for n in 0..10 {
        assert!(all.worlds[1].packet(new.at, &channel_data(0x4000, &[n])).is_none());
    }
    all.deliver();
    assert_eq!(all.replayed, (0..10).map(|n| vec![n]).collect::<Vec<_>>());
    assert_eq!(all.handed_over.len(), 1, "it is claimed once");
}

#[test]
fn what_is_held_is_bounded() {
    let (mut all, _, new, _, _) = resumed();
    for _ in 0..1000 {
        assert!(all.worlds[1].packet(new.at, &channel_data(0x4000, &[7; 1200])).is_none());
    }
    all.deliver();
    let bytes: usize = all.replayed.iter().map(Vec::len).sum();
    assert!((32 << 10..=64 << 10).contains(&bytes), "{bytes}");
    assert_eq!(all.worlds[1].server.stats().drops.no_allocation, 1000 - all.replayed.len() as u64);
}

#[test]
fn a_request_at_the_new_place_is_answered_by_the_new_server() {
    let (mut all, _, mut new, _, _) = resumed();
    let bytes = new.signed(&mut all.worlds[1], Method::REFRESH, |_| ());
    all.packet(1, &new, &bytes);
    assert_eq!(all.answers.pop().unwrap().code(), 0);
    assert_eq!(all.worlds[1].allocations(), 1);
}

#[test]
fn a_retransmission_is_answered_the_same_before_and_after() {
    let (mut all, mut old, mut new) = (Several::new(2), Client::new(1), Client::new(2));
    let (_, first) = old.allocate_mobile(&mut all.worlds[0]);
    let bytes = all.refresh_bytes(1, &mut new, &first);
    all.packet(1, &new, &bytes);
    let answer = all.answers.pop().unwrap();
    all.packet(1, &new, &bytes);
    assert_eq!(all.answers.pop().unwrap(), answer);
    all.data(1, &new, b"here");
    all.packet(1, &new, &bytes);
    assert_eq!(all.answers.pop().unwrap(), answer);
}

#[test]
fn refusals_of_the_other_server_reach_the_client() {
    let (mut all, mut old, mut new) = (Several::new(2), Client::new(1), Client::new(2));
    let (_, first) = old.allocate_mobile(&mut all.worlds[0]);
    let mut thief = Client::new(3).user("bob", "builder");
    let refused = all.resume(1, &mut thief, &first);
    assert_eq!((refused.code(), refused.to), (441, thief.at));
    all.data(1, &thief, b"mine");
    assert_eq!(all.replayed, Vec::<Vec<u8>>::new());
    assert_eq!(old.refresh(&mut all.worlds[0], Some(0)).code(), 0);
    assert_eq!(all.resume(1, &mut new, &first).code(), 437);
}

#[test]
fn quotas_count_an_allocation_once_wherever_it_is() {
    let (mut all, mut old, mut new) = (Several::with(2, |s| s.quotas.per_user = 1), Client::new(1), Client::new(2));
    let (_, first) = old.allocate_mobile(&mut all.worlds[0]);
    let second = ticket(&all.resume(1, &mut new, &first));
    all.data(1, &new, b"here");
    assert_eq!(all.shared.allocations(), 1);
    for n in 0..2 {
        assert_eq!(Client::new(9).allocate_with(&mut all.worlds[n], |_| ()).code(), 486);
    }
    // And back, where another client of his may be next.
    let mut back = Client::new(3);
    assert_eq!(all.resume(0, &mut back, &second).code(), 0);
    all.data(0, &back, b"here");
    assert_eq!(all.shared.allocations(), 1);
    assert_eq!(back.refresh(&mut all.worlds[0], Some(0)).code(), 0);
    assert_eq!(all.shared.allocations(), 0);
}

#[test]
fn a_client_may_move_on_and_on_over_many_servers() {
    let (mut all, mut old) = (Several::new(5), Client::new(1));
    let (_, mut next) = old.allocate_mobile(&mut all.worlds[0]);
    for n in 2..40 {
        let (mut client, server) = (Client::new(n), usize::from(n) * 7 % 5);
        next = ticket(&all.resume(server, &mut client, &next));
        let here = all.worlds[server].allocations() == 1;
        if here {
            assert!(client.channel_data(&mut all.worlds[server], 0x4000, b"here").is_some());
            all.deliver();
        } else {
            all.data(server, &client, b"here");
            assert_eq!(all.replayed.pop().unwrap(), b"here");
        }
    }
    assert_eq!(all.worlds.iter().map(World::allocations).sum::<usize>(), 1);
}

#[test]
fn a_client_that_moved_on_before_its_answer_came_is_found_by_its_old_ticket() {
    let (mut all, mut old) = (Several::new(3), Client::new(1));
    let (_, first) = old.allocate_mobile(&mut all.worlds[0]);
    let (mut second, mut third) = (Client::new(2), Client::new(3));
    assert_eq!(all.resume(1, &mut second, &first).code(), 0);
    assert_eq!(all.resume(2, &mut third, &first).code(), 0);
    all.data(1, &second, b"too late");
    assert_eq!(all.replayed, Vec::<Vec<u8>>::new(), "it is expected elsewhere");
    all.data(2, &third, b"here");
    assert_eq!(all.replayed, [b"here"]);
}

#[test]
fn a_ticket_that_overtakes_its_allocation_is_passed_on() {
    let (mut all, mut new) = (Several::new(3), Client::new(2));
    let (_, first) = Client::new(1).allocate_mobile(&mut all.worlds[0]);
    let second = ticket(&all.resume(1, &mut new, &first));
    // The claim is written, but not yet delivered, when the client shows up at the third server.
    assert!(all.worlds[1].packet(new.at, &channel_data(0x4000, b"one")).is_none());
    all.collect();
    let mut third = Client::new(3);
    assert_eq!(all.resume(2, &mut third, &second).code(), 0);
    assert_eq!(all.replayed, [b"one"]);
    all.data(2, &third, b"two");
    assert_eq!(all.replayed, [&b"one"[..], b"two"]);
    assert_eq!(all.worlds[2].allocations(), 1);
}

#[test]
fn an_allocation_that_cannot_be_delivered_is_back_as_it_was() {
    let (mut all, mut old, new, _, _) = resumed();
    assert!(all.worlds[1].packet(new.at, &channel_data(0x4000, b"one")).is_none());
    all.collect();
    let (to, claim) = all.letters.pop_front().unwrap();
    assert_eq!(to, 0);
    let world = &mut all.worlds[0];
    assert!(world.server.handle_letter(world.now, claim).is_none());
    let Some(Move::HandOver { letter, .. }) = world.server.poll_move() else { panic!("it is handed over") };
    let id = world.server.handle_undelivered(world.now, letter).expect("it is back");
    assert_eq!(way(world, id), Some(old.at));
    assert!(old.channel_data(world, 0x4000, b"still here").is_some());
    // The client goes on sending; after a second it is claimed again.
    all.worlds.iter_mut().for_each(|world| world.pass(1));
    all.data(1, &new, b"two");
    assert_eq!(all.replayed, [b"one", b"two"]);
}

#[test]
fn what_was_held_for_an_allocation_that_ended_is_dropped() {
    let (mut all, mut old, new, _, _) = resumed();
    assert!(all.worlds[1].packet(new.at, &channel_data(0x4000, b"one")).is_none());
    assert_eq!(old.refresh(&mut all.worlds[0], Some(0)).code(), 0);
    all.deliver();
    all.data(1, &new, b"two");
    assert_eq!(all.replayed, Vec::<Vec<u8>>::new());
    assert_eq!(all.worlds[1].server.stats().drops.no_allocation, 2);
}

#[test]
fn an_allocation_is_judged_by_the_settings_of_the_server_it_comes_to() {
    let (mut all, _, new, _, _) = resumed();
    all.worlds[1].reload(|s| s.peer_policy.deny.push("9.9.9.9/32".parse().unwrap()));
    all.data(1, &new, b"denied since");
    assert_eq!(all.replayed, Vec::<Vec<u8>>::new());
    let (at, id) = all.arrived.unwrap();
    assert_eq!(way(&mut all.worlds[at], id), None);
    assert_eq!(peer().ip().to_string(), "9.9.9.9");
}

#[test]
fn a_handed_over_allocation_ends_in_time() {
    let (mut all, _, new, _, _) = resumed();
    all.data(1, &new, b"here");
    let (at, id) = all.arrived.unwrap();
    all.worlds[at].pass(600);
    assert!(all.worlds[at].events.contains(&Event::Closed(id)));
    assert_eq!(all.shared.allocations(), 0);
}

#[test]
fn a_client_whose_stream_broke_is_followed_to_another_server_at_once() {
    let mut all = Several::new(2);
    let mut old = Client::at("203.0.113.1:5000".parse().unwrap(), posthouse_turn::Transport::Tcp);
    let (_, first) = old.allocate_mobile(&mut all.worlds[0]);
    let now = all.worlds[0].now;
    all.worlds[0].server.handle_disconnect(now, old.at);
    let mut new = Client::new(2);
    assert_eq!(all.resume(1, &mut new, &first).code(), 0);
    let (at, id) = all.arrived.expect("it need not be asked for");
    assert_eq!(way(&mut all.worlds[at], id), Some(new.at));
}
