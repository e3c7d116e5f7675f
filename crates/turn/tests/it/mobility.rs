//! Mobility (RFC 8016): one test for each thing that a server must do.

use posthouse_stun::attribute::AttributeType;
use posthouse_stun::{Builder, Method};
use posthouse_turn::{AllocationId, FiveTuple, RelayedTransportAddress, Settings, TicketKey, Transport};

use crate::world::{Answer, Client, Event, World, address, channel_data, peer};

pub(crate) fn mobile(settings: &mut Settings) {
    settings.mobility = Some(TicketKey::new([5; 32]));
}

pub(crate) fn ticket(answer: &Answer) -> Vec<u8> {
    answer.message().mobility_ticket().expect("MOBILITY-TICKET").to_vec()
}

fn with_ticket(ticket: &[u8]) -> impl FnOnce(&mut Builder<'_>) {
    move |b| {
        b.attribute(AttributeType::MOBILITY_TICKET, ticket);
    }
}

impl Client {
    /// A mobile allocation with a channel to [`peer`], and its ticket.
    pub(crate) fn allocate_mobile(&mut self, world: &mut World) -> (AllocationId, Vec<u8>) {
        let answer = self.allocate_with(world, with_ticket(&[]));
        assert_eq!(answer.code(), 0);
        assert_eq!(self.bind(world, 0x4000, peer()), 0);
        let id = world.server.relayed(RelayedTransportAddress(answer.relayed())).expect("the allocation just made");
        (id, ticket(&answer))
    }

    pub(crate) fn resume(&mut self, world: &mut World, ticket: &[u8]) -> Answer {
        self.request(world, Method::REFRESH, with_ticket(ticket))
    }
}

/// Where the peer's next packet goes.
pub(crate) fn way(world: &mut World, id: AllocationId) -> Option<FiveTuple> {
    world.peer_sends(id, peer(), 100).map(|wrap| wrap.to)
}

fn moving() -> (World, Client, Client, AllocationId, Vec<u8>) {
    let (mut world, mut old, new) = (World::with(mobile), Client::new(1), Client::new(2));
    let (id, ticket) = old.allocate_mobile(&mut world);
    (world, old, new, id, ticket)
}

#[test]
fn where_it_is_forbidden_it_is_405() {
    let (mut world, mut client) = (World::new(), Client::new(1));
    assert_eq!(client.allocate_with(&mut world, with_ticket(&[])).code(), 405);
    assert_eq!(world.allocations(), 0);
    assert_eq!(client.allocate_with(&mut world, |_| ()).code(), 0);
    assert_eq!(client.resume(&mut world, &[b'A'; 32]).code(), 405);
    assert_eq!(world.allocations(), 1);
}

#[test]
fn a_reload_that_forbids_it_is_405_from_then_on_and_ends_nothing() {
    let (mut world, mut old, mut new, _, ticket) = moving();
    world.reload(|s| s.mobility = None);
    assert_eq!(new.resume(&mut world, &ticket).code(), 405);
    assert_eq!(old.refresh(&mut world, None).code(), 0);
}

#[test]
fn an_allocate_with_a_ticket_is_400() {
    let (mut world, mut client) = (World::with(mobile), Client::new(1));
    for value in [&[0][..], &[b'A'; 32]] {
        assert_eq!(client.allocate_with(&mut world, with_ticket(value)).code(), 400);
    }
    assert_eq!(world.allocations(), 0);
}

#[test]
fn who_asks_gets_a_ticket_and_nobody_else() {
    let (mut world, mut client) = (World::with(mobile), Client::new(1));
    let bytes = client.signed(&mut world, Method::ALLOCATE, |b| {
        b.attribute(AttributeType::REQUESTED_TRANSPORT, &[17, 0, 0, 0]).attribute(AttributeType::MOBILITY_TICKET, &[]);
    });
    world.packet(client.at, &bytes);
    let answer = world.answer().unwrap();
    assert_eq!(ticket(&answer).len(), 32);
    world.packet(client.at, &bytes);
    assert_eq!(world.answer().unwrap(), answer, "the retransmission has the same");
    assert!(!client.refresh(&mut world, None).has(AttributeType::MOBILITY_TICKET));
    assert!(!Client::new(2).allocate_with(&mut world, |_| ()).has(AttributeType::MOBILITY_TICKET));
}

#[test]
fn a_ticket_that_was_tampered_with_is_400() {
    let (mut world, _, mut new, id, ticket) = moving();
    for at in 0..ticket.len() {
        let mut wrong = ticket.clone();
        wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(new.resume(&mut world, &wrong).code(), 400, "letter {at}");
    }
    for wrong in [&[][..], &ticket[..31], &[0; 32]] {
        assert_eq!(new.resume(&mut world, wrong).code(), 400);
    }
    let mut elsewhere = World::with(|s| s.mobility = Some(TicketKey::new([6; 32])));
    assert_eq!(Client::new(2).resume(&mut elsewhere, &ticket).code(), 400, "another key");
    assert_eq!(way(&mut world, id), Some(Client::new(1).at));
}

#[test]
fn a_ticket_from_where_the_client_is_anyway_is_400() {
    let (mut world, mut old, mut new, _, ticket) = moving();
    assert_eq!(old.resume(&mut world, &ticket).code(), 400);
    let next = super::mobility::ticket(&new.resume(&mut world, &ticket));
    assert!(new.channel_data(&mut world, 0x4000, b"here").is_some());
    assert_eq!(new.resume(&mut world, &next).code(), 400);
}

#[test]
fn a_stolen_ticket_is_of_no_use_to_another_user() {
    let (mut world, old, _, id, ticket) = moving();
    let mut thief = Client::new(3).user("bob", "builder");
    assert_eq!(thief.resume(&mut world, &ticket).code(), 441);
    let mut liar = Client::new(3).user("alice", "guessed");
    assert_eq!(liar.resume(&mut world, &ticket).code(), 401);
    assert!(thief.channel_data(&mut world, 0x4000, b"mine").is_none());
    assert_eq!(way(&mut world, id), Some(old.at));
}

#[test]
fn the_new_ticket_differs_from_the_old_one() {
    let (mut world, _, mut new, _, first) = moving();
    let second = ticket(&new.resume(&mut world, &first));
    assert_ne!(first, second);
    let third = ticket(&Client::new(3).resume(&mut world, &second));
    assert!(third != first && third != second);
}

#[test]
fn data_goes_the_old_way_until_the_client_uses_the_new_one() {
    type Use = fn(&mut Client, &mut World) -> bool;
    let uses: [(&str, Use); 4] = [
        ("ChannelData", |c, w| c.channel_data(w, 0x4000, b"here").is_some()),
        ("Send", |c, w| c.send(w, peer(), b"here").is_some()),
        ("CreatePermission", |c, w| c.permit(w, &[peer()]) == 0),
        ("Refresh", |c, w| c.refresh(w, None).code() == 0),
    ];
    for (name, used) in uses {
        let (mut world, mut old, mut new, id, ticket) = moving();
        let answer = new.resume(&mut world, &ticket);
        assert_eq!((answer.code(), answer.lifetime()), (0, 600));
        assert_eq!(way(&mut world, id), Some(old.at), "{name}: before");
        assert!(old.channel_data(&mut world, 0x4000, b"still here").is_some());
        assert_eq!(old.permit(&mut world, &[peer()]), 0);
        assert!(used(&mut new, &mut world), "{name}");
        assert_eq!(way(&mut world, id), Some(new.at), "{name}: after");
        assert!(old.channel_data(&mut world, 0x4000, b"still here").is_none(), "{name}");
        assert_eq!(old.refresh(&mut world, None).code(), 437, "{name}");
        assert_eq!(world.server.stats().allocations_moved, 1);
    }
}

#[test]
fn nothing_that_nobody_resumed_at_moves_an_allocation() {
    let (mut world, old, mut new, id, ticket) = moving();
    assert_eq!(new.resume(&mut world, &ticket).code(), 0);
    let mut stranger = Client::new(3);
    assert!(stranger.channel_data(&mut world, 0x4000, b"here").is_none());
    assert_eq!(stranger.refresh(&mut world, None).code(), 437);
    assert_eq!(way(&mut world, id), Some(old.at));
}

#[test]
fn a_retransmitted_refresh_is_answered_the_same() {
    let (mut world, _, mut new, id, ticket) = moving();
    let bytes = new.signed(&mut world, Method::REFRESH, with_ticket(&ticket));
    world.packet(new.at, &bytes);
    let answer = world.answer().unwrap();
    world.pass(5);
    world.packet(new.at, &bytes);
    assert_eq!(world.answer().unwrap(), answer);
    assert!(new.channel_data(&mut world, 0x4000, b"here").is_some());
    world.packet(new.at, &bytes);
    assert_eq!(world.answer().unwrap(), answer, "it was on its way for long");
    assert_eq!(way(&mut world, id), Some(new.at));
}

#[test]
fn an_old_ticket_is_good_until_the_move_is_completed_and_never_again() {
    let (mut world, _, mut new, id, first) = moving();
    let second = ticket(&new.resume(&mut world, &first));
    // The answer was lost, and the client has moved on since.
    let mut third = Client::new(3);
    assert_eq!(third.resume(&mut world, &first).code(), 0);
    assert_eq!(Client::new(4).resume(&mut world, &second).code(), 437, "superseded");
    assert!(new.channel_data(&mut world, 0x4000, b"here").is_none(), "nobody is expected here any longer");
    assert!(third.channel_data(&mut world, 0x4000, b"here").is_some());
    for old in [&first, &second] {
        assert_eq!(Client::new(4).resume(&mut world, old).code(), 437);
    }
    assert_eq!(way(&mut world, id), Some(third.at));
}

#[test]
fn relayed_address_channels_permissions_and_quota_survive_many_moves() {
    let (mut world, mut at, _, id, mut ticket) = moving();
    let other = address("8.8.4.4:9");
    assert_eq!(at.permit(&mut world, &[other]), 0);
    for n in 2..30 {
        let mut next = Client::new(n);
        ticket = super::mobility::ticket(&next.resume(&mut world, &ticket));
        let forward = next.channel_data(&mut world, 0x4000, b"on the road").expect("relayed");
        assert_eq!((forward.from, forward.to.0), (id, peer()));
        assert!(next.send(&mut world, other, b"on the road").is_some());
        assert_eq!(way(&mut world, id), Some(next.at));
    }
    assert_eq!(world.allocations(), 1);
    assert_eq!(Client::new(30).resume(&mut world, &ticket).code(), 0);
}

#[test]
fn a_five_tuple_that_has_an_allocation_is_437() {
    let (mut world, old, mut new, id, ticket) = moving();
    new.allocate(&mut world);
    assert_eq!(new.resume(&mut world, &ticket).code(), 437);
    assert_eq!(way(&mut world, id), Some(old.at));
}

#[test]
fn a_five_tuple_where_another_allocation_is_expected_is_437() {
    let (mut world, _, mut new, first_id, first) = moving();
    let mut other = Client::new(3);
    let (_, second) = other.allocate_mobile(&mut world);
    assert_eq!(new.resume(&mut world, &first).code(), 0);
    assert_eq!(new.resume(&mut world, &second).code(), 437);
    assert_eq!(new.allocate_with(&mut world, |_| ()).code(), 437, "and so is an Allocate there");
    assert_eq!(way(&mut world, first_id), Some(new.at));
}

#[test]
fn the_ticket_of_an_allocation_that_ended_is_437() {
    let (mut world, mut old, mut new, _, ticket) = moving();
    assert_eq!(old.refresh(&mut world, Some(0)).code(), 0);
    assert_eq!(new.resume(&mut world, &ticket).code(), 437);
    // Another allocation in the same place of the table.
    let (_, next) = old.allocate_mobile(&mut world);
    assert_eq!(new.resume(&mut world, &ticket).code(), 437);
    world.pass(601);
    assert_eq!(new.resume(&mut world, &next).code(), 438, "the nonce is old by now");
    new.greet(&mut world);
    assert_eq!(new.resume(&mut world, &next).code(), 437);
}

#[test]
fn a_client_that_never_uses_its_new_place_stays_where_it_was() {
    let (mut world, mut old, mut new, id, ticket) = moving();
    assert_eq!(new.resume(&mut world, &ticket).code(), 0);
    world.pass(599);
    old.greet(&mut world);
    assert_eq!(old.refresh(&mut world, None).code(), 0);
    world.pass(2);
    assert_eq!(old.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(way(&mut world, id), Some(old.at));
    assert!(new.channel_data(&mut world, 0x4000, b"late").is_none(), "the promise was for its lifetime");
}

#[test]
fn a_move_may_prolong_or_end_the_allocation() {
    let (mut world, _, mut new, _, first) = moving();
    let ask = |seconds, ticket: Vec<u8>| {
        move |b: &mut Builder<'_>| {
            b.number(AttributeType::LIFETIME, seconds).attribute(AttributeType::MOBILITY_TICKET, &ticket);
        }
    };
    let answer = new.request(&mut world, Method::REFRESH, ask(3600, first));
    assert_eq!((answer.code(), answer.lifetime()), (0, 3600));
    world.pass(3599);
    assert_eq!(world.allocations(), 1);
    let mut third = Client::new(3);
    let answer = third.request(&mut world, Method::REFRESH, ask(0, ticket(&answer)));
    assert_eq!((answer.code(), answer.lifetime()), (0, 0));
    assert!(!answer.has(AttributeType::MOBILITY_TICKET));
    assert_eq!(world.allocations(), 0);
}

#[test]
fn an_allocation_moves_between_transports() {
    let (mut world, _, _, id, mut ticket) = moving();
    for (n, transport) in [(2, Transport::Tcp), (3, Transport::Tls), (4, Transport::Udp), (5, Transport::Tls)] {
        let mut next = Client::at(([203, 0, 113, n], 5000).into(), transport);
        ticket = super::mobility::ticket(&next.resume(&mut world, &ticket));
        assert!(next.channel_data(&mut world, 0x4000, b"here").is_some());
        let wrap = world.peer_sends(id, peer(), 5).unwrap();
        assert_eq!((wrap.to, wrap.padding), (next.at, if transport.is_stream() { 3 } else { 0 }));
    }
}

#[test]
fn an_ipv4_client_may_move_to_ipv6() {
    let (mut world, _, _, id, ticket) = moving();
    let mut next = Client::at(address("[2001:db8:7::1]:5000"), Transport::Udp);
    assert_eq!(next.resume(&mut world, &ticket).code(), 0);
    assert!(next.channel_data(&mut world, 0x4000, b"here").is_some());
    assert_eq!(way(&mut world, id), Some(next.at));
}

fn on_a_stream() -> (World, Client, AllocationId, Vec<u8>) {
    let (mut world, mut old) = (World::with(mobile), Client::at(address("203.0.113.1:5000"), Transport::Tcp));
    let (id, ticket) = old.allocate_mobile(&mut world);
    (world, old, id, ticket)
}

#[test]
fn a_stream_that_breaks_leaves_a_mobile_allocation_for_its_client_to_come_back_to() {
    let (mut world, mut old, id, ticket) = on_a_stream();
    world.server.handle_disconnect(world.now, old.at);
    world.drain();
    assert_eq!(world.allocations(), 1);
    assert!(old.channel_data(&mut world, 0x4000, b"who?").is_none(), "the next connection from there is somebody else");
    assert_eq!(way(&mut world, id).map(|to| to.client.port()), Some(0), "nobody is sent what is for the client");
    let mut new = Client::new(2);
    assert_eq!(new.resume(&mut world, &ticket).code(), 0);
    assert_eq!(way(&mut world, id), Some(new.at), "the old way is gone already");
    assert!(new.channel_data(&mut world, 0x4000, b"here").is_some());
}

#[test]
fn a_client_whose_stream_broke_may_come_back_from_the_same_port() {
    let (mut world, mut old, id, ticket) = on_a_stream();
    world.server.handle_disconnect(world.now, old.at);
    world.drain();
    assert_eq!(old.resume(&mut world, &ticket).code(), 0);
    assert_eq!(way(&mut world, id), Some(old.at));
}

#[test]
fn a_broken_stream_ends_what_is_not_mobile_or_no_longer_may_be() {
    let (mut world, old, _, _) = on_a_stream();
    world.reload(|s| s.mobility = None);
    world.server.handle_disconnect(world.now, old.at);
    assert_eq!(world.allocations(), 0);
    let (mut world, mut still) = (World::with(mobile), Client::at(address("203.0.113.1:5000"), Transport::Tcp));
    still.allocate(&mut world);
    world.server.handle_disconnect(world.now, still.at);
    assert_eq!(world.allocations(), 0);
}

#[test]
fn an_allocation_whose_client_does_not_come_back_ends_with_its_lifetime() {
    let (mut world, old, id, _) = on_a_stream();
    world.server.handle_disconnect(world.now, old.at);
    world.pass(600);
    assert_eq!(world.allocations(), 0);
    assert!(world.events.contains(&Event::Closed(id)));
}

#[test]
fn closing_the_old_stream_completes_the_move() {
    let (mut world, old, id, ticket) = on_a_stream();
    let mut new = Client::at(address("203.0.113.2:5000"), Transport::Tls);
    assert_eq!(new.resume(&mut world, &ticket).code(), 0);
    assert_eq!(way(&mut world, id), Some(old.at));
    world.server.handle_disconnect(world.now, old.at);
    world.drain();
    assert_eq!(way(&mut world, id), Some(new.at));
}

#[test]
fn an_expired_credential_may_move_what_it_made_until_the_session_is_over() {
    for strict in [false, true] {
        let mut world = World::with(|s| (mobile(s), s.strict_expiry = strict).0);
        let (mut old, mut new) = (Client::new(1).minted("carol", 100), Client::new(2).minted("carol", 100));
        new.nonce = Client::new(2).greeted(&mut world);
        let (_, ticket) = old.allocate_mobile(&mut world);
        world.pass(99);
        if strict {
            assert_eq!(new.resume(&mut world, &ticket).lifetime(), 1);
            continue;
        }
        world.pass(100);
        assert_eq!(new.resume(&mut world, &ticket).code(), 0);
        assert_eq!(new.bind(&mut world, 0x4000, peer()), 0, "and use it there");
        assert_eq!(Client::new(3).minted("carol", 100).resume(&mut world, &[b'A'; 32]).code(), 401);
    }
    let mut world = World::with(|s| (mobile(s), s.max_session = std::time::Duration::from_secs(150)).0);
    let (_, ticket) = Client::new(1).minted("carol", 100).allocate_mobile(&mut world);
    world.pass(150);
    assert_eq!(Client::new(2).minted("carol", 100).resume(&mut world, &ticket).code(), 401);
}

impl Client {
    fn greeted(mut self, world: &mut World) -> Option<Vec<u8>> {
        self.greet(world);
        self.nonce
    }
}

#[test]
fn a_path_outside_hears_of_the_channel_at_its_new_place() {
    let (mut world, old, mut new, _, ticket) = moving();
    assert_eq!(new.resume(&mut world, &ticket).code(), 0);
    world.events.clear();
    assert!(new.channel_data(&mut world, 0x4000, b"here").is_some());
    let [Event::Removed(removed), Event::Installed(installed)] = &world.events[..] else {
        panic!("{:?}", world.events);
    };
    assert_eq!((removed.client, installed.client), (old.at, new.at));
    assert_eq!(removed.peer, installed.peer);
}

#[test]
fn without_a_ticket_no_packet_is_held_or_looked_for() {
    let (mut world, _, _, _, _) = moving();
    let stranger = Client::new(9).at;
    for _ in 0..3 {
        assert!(world.packet(stranger, &channel_data(0x4000, b"hello")).is_none());
    }
    assert_eq!(world.server.stats().drops.no_allocation, 3);
    assert!(world.server.poll_move().is_none() && world.server.poll_held().is_none());
}
