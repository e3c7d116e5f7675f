//! TCP and TLS: cutting the stream into messages (RFC 8489 §6.2.2, RFC 8656 §12.5), and losing it.

use super::Case;
use super::client::Client;
use super::wire::*;
use super::world::{World, is_alive};

/// Sends bytes after which the server must hang up, perhaps with answers before.
fn closes(client: &mut Client, bytes: &[u8]) {
    client.send(bytes);
    while client.hear_or_end().is_some() {}
}

/// One that has proved to speak STUN.
fn greeted(w: &World) -> Client {
    let mut client = w.client();
    is_alive(&mut client);
    client
}

pub(crate) const CASES: &[Case] = &[
    ("a request may be split at every byte", |w| {
        let mut client = w.client();
        let request = Request::new(BINDING).with(SOFTWARE, b"in two parts").fingerprint().bytes();
        for at in 1..request.len() {
            client.send(&request[..at]);
            client.send(&request[at..]);
            Answer::parse(&client.hear()).success();
        }
    }),
    ("a signed request may come byte by byte", |w| {
        let mut session = w.session();
        let request = session.signed(Request::new(ALLOCATE).udp());
        for byte in request.bytes() {
            session.client.send(&[byte]);
        }
        Answer::parse(&session.client.hear()).success();
    }),
    ("ChannelData may be split at every byte", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        let frame = [&channel_data(0x4000, b"12345")[..], &[0; 3]].concat();
        for at in 1..frame.len() {
            session.client.send(&frame[..at]);
            session.client.send(&frame[at..]);
            assert_eq!(peer.hear().0, b"12345", "split at {at}");
        }
    }),
    ("pipelined requests are answered in their order", |w| {
        let mut client = w.client();
        let requests: Vec<Request> = (0..50).map(|_| Request::new(BINDING)).collect();
        client.send(&requests.iter().flat_map(Request::bytes).collect::<Vec<u8>>());
        for request in &requests {
            assert_eq!(Answer::parse(&client.hear()).id(), request.id());
        }
    }),
    ("ChannelData and requests in one segment come apart", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        let request = session.signed(Request::new(REFRESH));
        let odd = [&channel_data(0x4000, b"odd")[..], &[0]].concat();
        session.client.send(&[&odd[..], &request.bytes(), &odd].concat());
        Answer::parse(&session.client.hear()).success();
        assert_eq!((peer.hear().0, peer.hear().0), (b"odd".to_vec(), b"odd".to_vec()));
    }),
    ("ChannelData to the client is padded to four bytes", |w| {
        let ((mut session, relayed), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        for len in 1..9 {
            peer.send(&vec![3; len], relayed);
        }
        // The client cuts at padded lengths: were one missing, the next would be garbage.
        for len in 1..9 {
            assert_eq!(session.client.hear(), channel_data(0x4000, &vec![3; len]));
        }
    }),
    ("ChannelData longer than any datagram is lost and the stream stays in step", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.bind(0x4000, peer.address());
        for len in [65_507, 65_508, 65_535] {
            session.client.send_padded(&channel_data(0x4000, &vec![1; len]));
        }
        session.client.send_padded(&channel_data(0x4000, b"after"));
        while peer.hear().0 != b"after" {}
        session.ask(REFRESH, |r| r).success();
    }),
    ("a Send indication longer than any datagram is lost and the stream stays in step", |w| {
        let ((mut session, _), peer) = (w.allocated(), w.peer());
        session.permit(peer.address());
        for len in [65_500, 65_508] {
            session.indicate(peer.address(), &vec![1; len]);
        }
        session.indicate(peer.address(), b"after");
        while peer.hear().0 != b"after" {}
        session.ask(REFRESH, |r| r).success();
    }),
    ("a request as long as its length field can say is read whole", |w| {
        let mut client = w.client();
        let request = Request::new(BINDING).with(SOFTWARE, &vec![b'x'; 65_528]);
        client.send(&request.bytes());
        Answer::parse(&client.hear()).success();
    }),
    ("a wrong cookie closes the connection", |w| {
        let mut bytes = Request::new(BINDING).bytes();
        bytes[4] ^= 0xff;
        closes(&mut w.client(), &bytes);
        closes(&mut greeted(w), &bytes);
    }),
    ("a length that is no multiple of four closes the connection", |w| {
        for length in [1_u16, 2, 3, 0xffff] {
            let mut bytes = Request::new(BINDING).with(SOFTWARE, &[0; 8]).bytes();
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            closes(&mut w.client(), &bytes);
            closes(&mut greeted(w), &bytes);
        }
    }),
    ("bytes of another protocol close the connection", |w| {
        for first in [0x00, 0x04, 0x16, 0x17, 0x3f, 0x80, 0xbf, 0xff] {
            closes(&mut greeted(w), &[&[first][..], &[0x55; 63]].concat());
        }
    }),
    ("garbage after an allocation ends it, and the server lives", |w| {
        let (mut session, _) = w.allocated();
        closes(&mut session.client, &[0xff; 64]);
        is_alive(&mut w.client());
    }),
    ("what was asked before the goodbye is answered", |w| {
        if w.transport == super::Transport::Tls {
            // Half of a TLS connection cannot be closed by the TCP below it.
            return;
        }
        let mut client = w.client();
        client.send(&Request::new(BINDING).bytes());
        client.finish();
        Answer::parse(&client.hear()).success();
        assert!(client.hear_or_end().is_none());
    }),
    ("a connection that closes frees the user's quota", |w| {
        let user = w.user();
        for _ in 0..3 {
            let mut sessions: Vec<_> = (0..10).map(|_| w.session_of(user.clone())).collect();
            for session in &mut sessions {
                // The server may still be busy with the goodbyes of the last round.
                let mut tries = 0;
                while session.ask(ALLOCATE, Request::udp).code() == Some(486) {
                    tries += 1;
                    assert!(tries < 500, "the quota of closed connections comes back");
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
            }
        }
    }),
];
