//! ConnectionBind (RFC 6062 §5.4) and what becomes of data connections (§5.5).

use std::time::Duration;

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;
use posthouse_turn::{ConnectionId, Direction, Transport};

use crate::tcp_client::{bob, client, world, world_with};
use crate::world::{Client, Event, World, address, peer};

#[test]
fn a_connection_bind_joins_the_connection_it_came_on() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let (mut world, mut control, mut data) = (world(), client(1), client(2));
        data.at.transport = transport;
        let at = control.allocate_tcp(&mut world);
        control.permit(&mut world, &[peer()]);
        let connected = control.connected(&mut world, peer());
        assert_eq!(data.bind_connection(&mut world, connected), 0);
        assert_eq!(world.news().last(), Some(&Event::Joined(connected, data.at)));
        let accepted = world.peer_connects(at, "9.9.9.9:777").unwrap();
        let mut second = client(3);
        assert_eq!(second.bind_connection(&mut world, accepted), 0);
        assert_eq!(world.news().last(), Some(&Event::Joined(accepted, second.at)));
    }
}

#[test]
fn nobody_binds_a_connection_that_does_not_wait() {
    let (mut world, mut control, mut data) = (world(), client(1), client(2));
    control.allocate_tcp(&mut world);
    let under_way = control.connect(&mut world, peer());
    assert_eq!(data.bind_connection(&mut world, under_way), 400, "not made yet");
    assert_eq!(data.bind_connection(&mut world, ConnectionId(under_way.0 ^ 1)), 400, "never heard of");
    assert_eq!(data.code(&mut world, Method::CONNECTION_BIND, |_| ()), 400, "no CONNECTION-ID");
    world.connected(under_way, true);
    assert_eq!(data.bind_connection(&mut world, under_way), 0);
    assert_eq!(client(3).bind_connection(&mut world, under_way), 400, "bound already");
}

#[test]
fn a_connection_waits_thirty_seconds_for_its_bind_and_no_longer() {
    let (mut world, mut control) = (world(), client(1));
    let at = control.allocate_tcp(&mut world);
    control.permit(&mut world, &[peer()]);
    let first = control.connected(&mut world, address("9.9.9.9:1"));
    let second = world.peer_connects(at, "9.9.9.9:2").unwrap();
    let third = control.connected(&mut world, address("9.9.9.9:3"));
    world.pass(29);
    assert_eq!(client(2).bind_connection(&mut world, third), 0);
    world.news();
    world.pass(1);
    let mut closed = [first, second];
    closed.sort_unstable();
    assert_eq!(world.news(), closed.map(Event::ClosedPeer));
    assert_eq!(client(3).bind_connection(&mut world, first), 400);
    assert_eq!(world.server.stats().connections.unbound, 2);
    world.pass(500);
    assert_eq!(world.news(), [], "what is bound lives as long as its allocation");
}

#[test]
fn a_connection_is_too_late_to_the_second_even_when_nobody_wakes_the_server() {
    let (mut world, mut control, mut data) = (world(), client(1), client(2));
    control.allocate_tcp(&mut world);
    data.greet(&mut world);
    let id = control.connected(&mut world, peer());
    world.pass_asleep(30);
    assert_eq!(data.bind_connection(&mut world, id), 400);
}

#[test]
fn only_the_user_of_the_allocation_binds_its_connections() {
    let (mut world, mut control) = (world(), client(1));
    control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(bob(2).bind_connection(&mut world, id), 441);
    let mut stranger = client(3).user("alice", "guessed");
    assert_eq!(stranger.bind_connection(&mut world, id), 401);
    assert_eq!(client(4).bind_connection(&mut world, id), 0, "nothing of that has touched it");
}

#[test]
fn a_connection_bind_over_udp_is_400() {
    let (mut world, mut control) = (world(), client(1));
    control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(Client::new(2).bind_connection(&mut world, id), 400);
}

#[test]
fn a_control_connection_becomes_no_data_connection() {
    let (mut world, mut control) = (world(), client(1));
    control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(control.bind_connection(&mut world, id), 400);
    assert_eq!(client(2).bind_connection(&mut world, id), 0);
}

#[test]
fn connection_id_is_an_unknown_attribute_elsewhere() {
    let (mut world, mut client) = (world(), client(1));
    let code = client.code(&mut world, Method::REFRESH, |b| {
        b.number(AttributeType::CONNECTION_ID, 1);
    });
    assert_eq!(code, 420);
}

#[test]
fn a_connection_of_another_server_is_bound_there() {
    let (mut world, mut control, mut data) = (world(), client(1), client(2));
    world.server = world.server.numbered(1).among(4);
    control.allocate_tcp(&mut world);
    let own = control.connected(&mut world, peer());
    let others = ConnectionId(own.0 + 2);
    let bytes = data.signed(&mut world, Method::CONNECTION_BIND, |b| {
        b.number(AttributeType::CONNECTION_ID, others.0);
    });
    world.packet(data.at, &bytes);
    assert_eq!(world.answers, [], "the other one answers");
    assert_eq!(world.news().last(), Some(&Event::Moved(data.at, 3)));
    assert_eq!(world.server.stats().requests.connection_bind, 0, "and counts");
    // Not for somebody who cannot prove himself.
    let mut stranger = client(3).user("alice", "guessed");
    assert_eq!(stranger.bind_connection(&mut world, others), 401);
}

#[test]
fn a_credential_that_expired_binds_the_connections_of_what_it_made() {
    let mut world = world();
    let (mut control, mut data) = (client(1).minted("carol", 60), client(2).minted("carol", 60));
    control.allocate_tcp(&mut world);
    world.pass(50);
    data.greet(&mut world);
    world.pass(20);
    let id = control.connected(&mut world, peer());
    assert_eq!(data.bind_connection(&mut world, ConnectionId(id.0 ^ 1)), 401, "nothing that it may go on with");
    assert_eq!(data.bind_connection(&mut world, id), 0);
}

#[test]
fn bytes_of_data_connections_count_for_the_allocation() {
    let (mut world, mut control) = (world(), client(1));
    let at = control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(client(2).bind_connection(&mut world, id), 0);
    assert_eq!(world.server.handle_data(world.now, id, Direction::ToPeer, 60_000), 60_000);
    assert_eq!(world.server.handle_data(world.now, id, Direction::ToClient, 7), 7);
    let view = world.server.allocations(world.now).find(|a| a.id == at).unwrap();
    assert_eq!((view.forwarded.bytes, view.wrapped.bytes, view.connections), (60_000, 7, Some(1)));
    let stats = world.server.stats();
    assert_eq!((stats.forwarded.bytes, stats.wrapped.bytes), (60_000, 7));
}

#[test]
fn data_connections_keep_to_the_bandwidth_and_lose_nothing() {
    let rate = 100_000;
    let mut world = world_with(|settings| settings.bandwidth.per_allocation = rate);
    let mut control = client(1);
    control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(client(2).bind_connection(&mut world, id), 0);
    let mut passed = 0;
    for _ in 0..1000 {
        passed += world.server.handle_data(world.now, id, Direction::ToPeer, 65_536);
        world.now = world.now.after(Duration::from_millis(10));
    }
    // Ten seconds and one second's burst, less what headers are charged.
    let most = 11 * rate as usize;
    assert!(passed <= most && passed > most * 9 / 10, "{passed} of {most}");
}

#[test]
fn a_data_connection_that_ended_is_forgotten_and_its_allocation_lives_on() {
    let (mut world, mut control) = (world(), client(1));
    let at = control.allocate_tcp(&mut world);
    let id = control.connected(&mut world, peer());
    assert_eq!(client(2).bind_connection(&mut world, id), 0);
    world.news();
    world.server.handle_connection_closed(id);
    world.drain();
    assert_eq!(world.news(), [], "the shell has closed it");
    assert_eq!(world.server.handle_data(world.now, id, Direction::ToPeer, 1), 0);
    let view = world.server.allocations(world.now).find(|a| a.id == at).unwrap();
    assert_eq!(view.connections, Some(0));
    assert_eq!(control.refresh(&mut world, None).code(), 0);
}

#[test]
fn asking_again_in_the_same_words_is_asking_again() {
    // Over TCP nothing is retransmitted: the same Connect twice is two.
    let (mut world, mut control): (World, _) = (world(), client(1));
    control.allocate_tcp(&mut world);
    let bytes = control.signed(&mut world, Method::CONNECT, |b| {
        b.xor_address(AttributeType::XOR_PEER_ADDRESS, peer());
    });
    world.packet(control.at, &bytes);
    assert_eq!(world.answers, []);
    world.packet(control.at, &bytes);
    assert_eq!(world.answer().unwrap().code(), 446);
}
