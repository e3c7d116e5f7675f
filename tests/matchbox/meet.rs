//! matchbox's rooms through the real binary, by its own client: crate `matchbox_socket` as it is, told a URL.

#[path = "../e2e/harness/folder.rs"]
mod folder;
mod peer;
#[path = "../e2e/harness/ports.rs"]
mod ports;
mod server;

use matchbox_socket::{PeerId, PeerState};
use peer::{Peer, RELIABLE, UNRELIABLE};
use server::Server;

/// Every byte there is, so many of them, no two packets the same.
fn packet(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at + number) as u8).collect()
}

/// Both tell each other that they are there.
async fn meet(one: &mut Peer, other: &mut Peer) {
    assert_eq!(one.told(PeerState::Connected).await, other.id());
    assert_eq!(other.told(PeerState::Connected).await, one.id());
}

/// What one says on both channels, the other hears byte for byte: all of it and in order where that is promised.
async fn converse(one: &mut Peer, other: &mut Peer) {
    let (from, to) = (one.id(), other.id());
    let said: Vec<Vec<u8>> = (0..64).map(|number| packet(number, 1 + number * 250)).collect();
    for packet in &said {
        one.say(RELIABLE, packet, to);
    }
    let heard = other.hear(RELIABLE, said.len()).await;
    assert!(heard.iter().all(|(sender, _)| *sender == from));
    assert!(heard.iter().map(|(_, packet)| &packet[..]).eq(said.iter().map(|packet| &packet[..])));
    // One that may be lost is said until it is heard.
    let said = packet(7, 1000);
    let (sender, heard) = loop {
        one.say(UNRELIABLE, &said, to);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if let Some(heard) = other.socket.channel_mut(UNRELIABLE).receive().pop() {
            break heard;
        }
    };
    assert_eq!((sender, &heard[..]), (from, &said[..]));
}

fn sorted(mut ids: [PeerId; 2]) -> [PeerId; 2] {
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn two_peers_meet_and_hear_each_other_byte_for_byte_and_one_who_leaves_is_missed() {
    let server = Server::start();
    for room in ["game", "duel?next=2"] {
        let mut ada = Peer::arrive(server.room(room)).await;
        let mut bob = Peer::arrive(server.room(room)).await;
        meet(&mut ada, &mut bob).await;
        converse(&mut ada, &mut bob).await;
        converse(&mut bob, &mut ada).await;
        let gone = bob.id();
        drop(bob);
        assert_eq!(ada.told(PeerState::Disconnected).await, gone, "{room}");
        assert!(ada.connected().is_empty(), "{room}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mesh_is_one_in_which_everybody_hears_everybody() {
    let server = Server::start();
    let mut ada = Peer::arrive(server.room("mesh")).await;
    let mut bob = Peer::arrive(server.room("mesh")).await;
    meet(&mut ada, &mut bob).await;
    let mut eve = Peer::arrive(server.room("mesh")).await;
    assert_eq!(ada.told(PeerState::Connected).await, eve.id());
    assert_eq!(bob.told(PeerState::Connected).await, eve.id());
    let both = sorted([ada.id(), bob.id()]);
    eve.until("both of the others", |socket| {
        socket.update_peers();
        (socket.connected_peers().count() == 2).then_some(())
    })
    .await;
    assert_eq!(eve.connected(), both);
    converse(&mut ada, &mut eve).await;
    converse(&mut eve, &mut bob).await;
    converse(&mut bob, &mut ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_sees_nobody_of_another_room_and_nobody_of_another_pair() {
    let server = Server::start();
    // Each pair comes after one who waits elsewhere: whom that one sees first is the partner who comes last.
    for (theirs, other) in [("home", "away"), ("duel?next=2", "duel"), ("duel?next=2", "duel?next=3")] {
        let mut alone = Peer::arrive(server.room(other)).await;
        let mut ada = Peer::arrive(server.room(theirs)).await;
        let mut bob = Peer::arrive(server.room(theirs)).await;
        meet(&mut ada, &mut bob).await;
        let mut partner = Peer::arrive(server.room(other)).await;
        meet(&mut alone, &mut partner).await;
        assert_eq!(alone.connected(), [partner.id()], "{other} beside {theirs}");
        assert_eq!(ada.connected(), [bob.id()], "{theirs} beside {other}");
        assert_eq!(bob.connected(), [ada.id()], "{theirs} beside {other}");
    }
    // `?next=2`: the third and the fourth are a pair of their own.
    let mut four = Vec::new();
    for _ in 0..4 {
        four.push(Peer::arrive(server.room("queue?next=2")).await);
    }
    for pair in four.chunks_mut(2) {
        let [one, other] = pair else { unreachable!("four are two pairs") };
        meet(one, other).await;
        assert_eq!((one.connected(), other.connected()), (vec![other.id()], vec![one.id()]));
    }
}
