use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use super::address::RawAddress;
use super::control::{Control, Told};
use super::epoll::{Epoll, Event};
use super::receive::{Read, Receiver};
use super::ring::Ring;
use super::send::{Message, Piece, Sender};
use super::sockopt;
use super::wake::Wake;

fn socket(address: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    let local = socket.local_addr().unwrap();
    (socket, local)
}

/// Waits until there is something, then reads it with up to `n` buffers.
fn receive(socket: &UdpSocket, n: usize) -> Vec<(Read, Vec<u8>)> {
    let mut epoll = Epoll::new(4).unwrap();
    epoll.add(socket.as_fd(), 7).unwrap();
    assert_eq!(epoll.wait(Duration::from_secs(10)).unwrap().map(|e| e.data).collect::<Vec<_>>(), [7]);
    let mut memory = vec![0; n * 65536];
    let mut receiver = Receiver::new(n);
    let filled = receiver.receive(socket.as_fd(), memory.chunks_mut(65536)).unwrap();
    let read = |i: usize| {
        let read = receiver.get(i).unwrap();
        (read, memory[i * 65536..][..read.len].to_vec())
    };
    (0..filled).map(read).collect()
}

fn message(to: SocketAddr, pieces: std::ops::Range<usize>, segment: u16) -> Message {
    Message { to, from: None, pieces, segment }
}

fn pieces(lens: &[u32]) -> Vec<Piece> {
    let starts = lens.iter().scan(0, |start, len| Some(std::mem::replace(start, *start + len)));
    starts.zip(lens).map(|(start, &len)| Piece { start, len }).collect()
}

#[test]
fn a_run_is_cut_and_joined_again_without_a_byte_changed() {
    let ((from, source), (to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    sockopt::join_datagrams(&to).unwrap();
    let memory: Vec<u8> = (0..64 * 1000).map(|i| (i * 7 / 3) as u8).collect();
    // Each datagram of 1000 bytes in two pieces, as header and payload are.
    let pieces = pieces(&[[4, 996]; 64].concat());
    let sent = Sender::new().send(from.as_fd(), &memory, &pieces, &[message(target, 0..128, 1000)]).unwrap();
    assert_eq!(sent, 1);
    let mut whole = Vec::new();
    while whole.len() < memory.len() {
        for (read, bytes) in receive(&to, 64) {
            assert_eq!(read.from, source);
            assert!(read.told.segment == 1000 || bytes.len() == 1000);
            whole.extend(bytes);
        }
    }
    assert_eq!(whole, memory);
}

#[test]
fn a_socket_that_joins_nothing_gets_single_datagrams() {
    let ((from, _), (to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let memory = [b'x'; 25];
    Sender::new().send(from.as_fd(), &memory, &pieces(&[25]), &[message(target, 0..1, 10)]).unwrap();
    let read = receive(&to, 8);
    assert_eq!(read.iter().map(|(r, b)| (r.told.segment, b.len())).collect::<Vec<_>>(), [(0, 10), (0, 10), (0, 5)]);
}

#[test]
fn one_call_sends_to_many() {
    let (from, _) = socket("::1");
    let targets: Vec<_> = (0..20).map(|_| socket("::1")).collect();
    let memory: Vec<u8> = (0..20).collect();
    let messages: Vec<_> = targets.iter().enumerate().map(|(i, (_, a))| message(*a, i..i + 1, 0)).collect();
    assert_eq!(Sender::new().send(from.as_fd(), &memory, &pieces(&[1; 20]), &messages).unwrap(), 20);
    for (i, (target, _)) in targets.iter().enumerate() {
        assert_eq!(receive(target, 1)[0].1, [i as u8]);
    }
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    let cases: [(&str, IpAddr); 2] =
        [("0.0.0.0", Ipv4Addr::new(127, 0, 0, 2).into()), ("::", Ipv6Addr::LOCALHOST.into())];
    for (wildcard, asked) in cases {
        let (server, address) = socket(wildcard);
        sockopt::tell_local_address(&server, address.ip()).unwrap();
        let client = UdpSocket::bind((if asked.is_ipv4() { "127.0.0.9" } else { "::1" }, 0)).unwrap();
        let target = SocketAddr::new(asked, address.port());
        client.send_to(b"question", target).unwrap();
        let (read, bytes) = receive(&server, 1).remove(0);
        assert_eq!((read.told.local, bytes.as_slice()), (Some(asked), &b"question"[..]));
        let answer = Message { from: Some(asked), ..message(read.from, 0..1, 0) };
        Sender::new().send(server.as_fd(), b"answer", &pieces(&[6]), &[answer]).unwrap();
        assert_eq!(receive(&client, 1)[0].0.from, target);
    }
}

#[test]
fn a_refused_message_is_named_by_the_count_before_it() {
    let ((from, _), (_to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let nowhere = SocketAddr::new(target.ip(), 0);
    let messages = [message(target, 0..1, 0), message(nowhere, 1..2, 0), message(target, 2..3, 0)];
    let (memory, pieces, mut sender) = ([0; 3], pieces(&[1; 3]), Sender::new());
    assert_eq!(sender.send(from.as_fd(), &memory, &pieces, &messages).unwrap(), 1);
    let refused = sender.send(from.as_fd(), &memory, &pieces, &messages[1..]).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    assert_eq!(sender.send(from.as_fd(), &memory, &pieces, &messages[2..]).unwrap(), 1);
}

#[test]
fn what_is_too_long_is_refused() {
    let ((from, _), (_to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let memory = vec![0; 65_508];
    let refused = Sender::new().send(from.as_fd(), &memory, &pieces(&[65_508]), &[message(target, 0..1, 0)]);
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EMSGSIZE));
}

#[test]
fn nothing_to_read_is_no_wait() {
    let (socket, _) = socket("127.0.0.1");
    let mut memory = [0; 100];
    let nothing = Receiver::new(1).receive(socket.as_fd(), memory.chunks_mut(100));
    assert_eq!(nothing.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn datagrams_lost_to_a_full_buffer_are_counted() {
    let ((from, _), (to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    sockopt::receive_buffer(&to, 4096).unwrap();
    sockopt::count_overflow(&to).unwrap();
    for _ in 0..100 {
        from.send_to(&[0; 1000], target).unwrap();
    }
    let read = receive(&to, 64);
    from.send_to(b"later", target).unwrap();
    let later = receive(&to, 64);
    assert_eq!(later[0].0.told.overflow, Some(100 - read.len() as u32));
}

#[test]
fn a_wake_lasts_until_it_is_cleared() {
    let wake = Wake::new().unwrap();
    let mut epoll = Epoll::new(1).unwrap();
    epoll.add(wake.as_fd(), 3).unwrap();
    assert_eq!(epoll.wait(Duration::ZERO).unwrap().count(), 0);
    wake.wake();
    wake.wake();
    assert_eq!(epoll.wait(Duration::ZERO).unwrap().map(|e| e.data).collect::<Vec<_>>(), [3]);
    wake.clear();
    assert_eq!(epoll.wait(Duration::ZERO).unwrap().count(), 0);
}

#[test]
fn addresses_survive_the_kernels_form() {
    for text in ["192.0.2.1:1", "[2001:db8::1]:65535", "[fe80::1%7]:9"] {
        let address: SocketAddr = text.parse().unwrap();
        assert_eq!(RawAddress::new(address).0.get(), Some(address));
    }
    let mapped: SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
    assert_eq!(RawAddress::new(mapped).0.get(), Some("192.0.2.1:5".parse().unwrap()));
    assert_eq!(RawAddress::unspecified().get(), None);
}

#[test]
fn control_messages_cut_short_tell_nothing_and_break_nothing() {
    let mut control = Control::new();
    control.from(Ipv6Addr::LOCALHOST.into());
    control.segment(1200);
    for len in 0..=Control::CAPACITY + 10 {
        let told = control.read(len);
        assert!(len >= 36 || told == Told::default(), "{len}: {told:?}");
    }
    assert_eq!(control.read(control.len()).local, Some(Ipv6Addr::LOCALHOST.into()));
}

#[test]
fn only_who_wants_room_is_told_of_it() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    let mut epoll = Epoll::new(4).unwrap();
    epoll.add(far.as_fd(), 9).unwrap();
    let told = |epoll: &mut Epoll| epoll.wait(Duration::ZERO).unwrap().collect::<Vec<_>>();
    assert_eq!(told(&mut epoll), []);
    epoll.want_room(far.as_fd(), 9, true).unwrap();
    assert_eq!(told(&mut epoll), [Event { data: 9, readable: false, failed: false, writable: true }]);
    near.write_all(b"x").unwrap();
    epoll.want_room(far.as_fd(), 9, false).unwrap();
    assert_eq!(
        epoll.wait(Duration::from_secs(10)).unwrap().collect::<Vec<_>>(),
        [Event { data: 9, readable: true, failed: false, writable: false }]
    );
}

/// `None` where the kernel refuses it, which `tests/run` does not accept.
fn ring() -> Option<Ring> {
    let ring = Ring::new();
    assert!(ring.is_ok() || std::env::var_os("POSTHOUSE_REQUIRE_TOOLS").is_none(), "the kernel refuses io_uring");
    ring.ok()
}

#[test]
fn a_ring_sends_over_many_sockets_in_order_and_reads_them() {
    let Some(mut ring) = ring() else { return };
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..300).map(|_| (socket("127.0.0.1"), socket("127.0.0.1"))).unzip();
    let memory: Vec<u8> = (0..1200u32).map(|i| (i / 2) as u8).collect();
    // Two messages by each socket, the second in two pieces.
    let pieces = pieces(&[[2, 1, 1]; 300].concat());
    let twice = |i: usize| {
        let to = receivers[i].1;
        [message(to, 3 * i..3 * i + 1, 0), message(to, 3 * i + 1..3 * i + 3, 0)]
    };
    let messages: Vec<_> = (0..300).flat_map(twice).collect();
    let sockets = senders.iter().flat_map(|(socket, _)| [socket.as_fd(); 2]);
    ring.send(&mut Sender::new(), &memory, &pieces, &messages, sockets).unwrap();
    assert!((0..600).all(|i| matches!(ring.result(i), Ok(2))));

    let mut rooms = vec![0; 300 * 64];
    let mut receiver = Receiver::new(300);
    for which in 0..2 {
        let reads = receivers.iter().map(|(socket, _)| socket.as_fd()).zip(rooms.chunks_mut(64));
        assert_eq!(ring.receive(&mut receiver, reads).unwrap(), 300);
        for i in 0..300 {
            let read = receiver.get(i).unwrap();
            assert_eq!((read.from, read.len), (senders[i].1, 2));
            assert_eq!(rooms[64 * i..64 * i + 2], memory[4 * i + 2 * which..][..2]);
        }
    }
    let reads = receivers.iter().map(|(socket, _)| socket.as_fd()).zip(rooms.chunks_mut(64));
    assert_eq!(ring.receive(&mut receiver, reads).unwrap(), 300);
    assert!((0..300).all(|i| ring.result(i).unwrap_err().kind() == std::io::ErrorKind::WouldBlock));
}

#[test]
fn one_refused_message_of_a_ring_costs_no_other_one() {
    let Some(mut ring) = ring() else { return };
    let ((from, _), (to, target)) = (socket("127.0.0.1"), socket("127.0.0.1"));
    let memory = [b'x'; 9];
    let nowhere = "[::1]:9".parse().unwrap();
    let messages = [message(target, 0..1, 0), message(nowhere, 1..2, 0), message(target, 0..2, 3)];
    let sockets = [from.as_fd(); 3].into_iter();
    ring.send(&mut Sender::new(), &memory, &pieces(&[6, 3]), &messages, sockets).unwrap();
    assert_eq!((ring.result(0).unwrap(), ring.result(2).unwrap()), (6, 9));
    assert_eq!(ring.result(1).unwrap_err().raw_os_error(), Some(libc::EAFNOSUPPORT));
    assert_eq!(receive(&to, 8).iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>(), [6, 3, 3, 3]);
}
