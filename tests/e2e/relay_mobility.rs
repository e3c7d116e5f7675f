//! Clients that keep their allocation when their address changes (RFC 8016).

use std::net::{SocketAddr, UdpSocket};

use stun::attributes::{ATTR_CHANNEL_NUMBER, ATTR_REQUESTED_TRANSPORT, ATTR_XOR_RELAYED_ADDRESS, AttrType};
use stun::message::{METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_REFRESH, Message};

use crate::harness::coturn::Coturn;
use crate::harness::settings::SECRET;
use crate::harness::stun_client::{Author, Peer, Raw, StunClient, error_code, xor_address};
use crate::harness::{Server, Settings};

const TICKET: AttrType = AttrType(0x8030);
const CHANNEL: [u8; 2] = [0x40, 0x07];

/// Half of the moves reach another worker than the one before.
fn settings() -> Settings {
    Settings::default().relay("mobility = true").relay("workers = 2").loopback_peers()
}

fn ticket(answer: &Message) -> Raw {
    assert_eq!(error_code(answer), None, "{answer}");
    let ticket = answer.get(TICKET).expect("MOBILITY-TICKET");
    Raw(TICKET, ticket)
}

fn allocate(client: &mut StunClient) -> Message {
    let udp = Raw(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0]);
    client.request(METHOD_ALLOCATE, &[&udp, &Raw(TICKET, Vec::new())])
}

fn bind_channel(client: &mut StunClient, peer: SocketAddr) {
    let number = Raw(ATTR_CHANNEL_NUMBER, [CHANNEL[0], CHANNEL[1], 0, 0].to_vec());
    let bound = client.request(METHOD_CHANNEL_BIND, &[&number, &Peer(peer)]);
    assert_eq!(error_code(&bound), None, "{bound}");
}

/// The same client at another port.
fn elsewhere(client: &StunClient) -> StunClient {
    let mut moved = StunClient::at(client.server.ip(), client.server);
    moved.author = client.author.elsewhere();
    moved
}

/// Ten packets each way; the peer sees them come from `relayed`.
fn exchange(client: &StunClient, peer: &UdpSocket, relayed: SocketAddr) {
    let mut buffer = [0; 64];
    for n in 0..10 {
        client.socket.send_to(&[CHANNEL[0], CHANNEL[1], 0, 4, b't', b'o', b' ', n], client.server).unwrap();
    }
    for n in 0..10 {
        let (len, from) = peer.recv_from(&mut buffer).expect("the client's packet");
        assert_eq!((&buffer[..len], from), (&[b't', b'o', b' ', n][..], relayed));
    }
    for n in 0..10 {
        peer.send_to(&[b'f', b'r', b'o', n], relayed).unwrap();
    }
    for n in 0..10 {
        let len = client.socket.recv(&mut buffer).expect("the peer's packet");
        assert_eq!(buffer[..len], [CHANNEL[0], CHANNEL[1], 0, 4, b'f', b'r', b'o', n]);
    }
}

#[test]
fn an_allocation_survives_every_move_of_its_client_and_no_packet_is_lost() {
    let server = Server::start(&settings());
    let peer = UdpSocket::bind("127.0.0.2:0").unwrap();
    let address = peer.local_addr().unwrap();
    peer.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut client = StunClient::at(server.relay.ip(), server.relay);
    let answer = allocate(&mut client);
    let relayed = xor_address(&answer, ATTR_XOR_RELAYED_ADDRESS).unwrap();
    bind_channel(&mut client, address);
    let mut last = ticket(&answer);
    // Kept open, so that no port comes twice.
    let mut been = Vec::new();
    for _ in 0..16 {
        let mut moved = elsewhere(&client);
        let answer = moved.request(METHOD_REFRESH, &[&last]);
        exchange(&client, &peer, relayed);
        exchange(&moved, &peer, relayed);
        let next = ticket(&answer);
        assert_ne!(next.1, last.1);
        been.push(std::mem::replace(&mut client, moved));
        last = next;
    }
}

#[test]
fn a_stolen_ticket_is_a_441_and_a_forged_one_a_400() {
    let server = Server::start(&settings());
    let mut client = StunClient::at(server.relay.ip(), server.relay);
    let stolen = ticket(&allocate(&mut client));
    let mut been = Vec::new();
    for _ in 0..8 {
        let mut thief = StunClient::at(server.relay.ip(), server.relay);
        thief.author = Author::named("mallory");
        assert_eq!(error_code(&thief.request(METHOD_REFRESH, &[&stolen])), Some(441));
        assert_eq!(error_code(&thief.request(METHOD_REFRESH, &[&Raw(TICKET, vec![b'A'; 32])])), Some(400));
        been.push(thief);
    }
    assert_eq!(error_code(&client.request(METHOD_REFRESH, &[])), None);
}

#[test]
fn where_it_is_off_as_it_is_by_default_a_ticket_is_a_405() {
    let server = Server::start(&Settings::default());
    let mut client = StunClient::at(server.relay.ip(), server.relay);
    assert_eq!(error_code(&allocate(&mut client)), Some(405));
    assert_eq!(error_code(&client.request(METHOD_REFRESH, &[&Raw(TICKET, vec![b'A'; 32])])), Some(405));
}

#[test]
fn coturns_client_loses_nothing_when_it_moves() {
    // Over TCP it hangs up without ending its allocations, which wait for it then.
    let Some(coturn) = Coturn::start(&settings().limits("allocations_per_user = 1000")) else { return };
    let relay = coturn.server.relay.port();
    // Each run draws by lot whether it closes the old place before it resumes, or after.
    for _ in 0..3 {
        for mode in [&["-c"][..], &["-c", "-s"]] {
            let mobile = [mode, &["-M", "-u", "bob", "-W", SECRET]].concat();
            coturn.relays_all(relay, &mobile);
            coturn.relays_all(relay, &[&["-t"][..], &mobile].concat());
        }
    }
}
