//! One client over three transports, which writes down what it sends and gets.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::harness::certificate::server_name;

/// An answer that is not there after this long never comes; a busy machine needs less.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// What was said since a case began.
pub(crate) type Transcript = Rc<RefCell<String>>;

/// The client's end of one of the transports: whole messages out, whole messages in.
pub(crate) trait Wire {
    fn send(&mut self, bytes: &[u8]);
    /// The next message, or `None` when the server has closed the connection.
    fn next(&mut self) -> Option<Vec<u8>>;
    fn local(&self) -> SocketAddr;
    /// Nothing more will be sent.
    fn finish(&mut self) {}
}

/// A client of a case.
pub(crate) struct Client {
    wire: Box<dyn Wire>,
    transcript: Transcript,
    stream: bool,
}

impl Client {
    pub(crate) fn connect(
        transport: Transport,
        to: SocketAddr,
        tls: &Arc<ClientConfig>,
        transcript: &Transcript,
    ) -> Self {
        let wire: Box<dyn Wire> = match transport {
            Transport::Udp => Box::new(Datagrams::connect(to)),
            Transport::Tcp => Box::new(Frames::new(tcp(to), |stream| stream)),
            Transport::Tls => {
                let connection = ClientConnection::new(Arc::clone(tls), server_name()).expect("a TLS client");
                Box::new(Frames::new(StreamOwned::new(connection, tcp(to)), |stream| &stream.sock))
            }
        };
        Self { wire, transcript: Rc::clone(transcript), stream: transport != Transport::Udp }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.stream
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        note(&self.transcript, "sent", bytes);
        self.wire.send(bytes);
    }

    /// Sends ChannelData, padded on streams as it must be there.
    pub(crate) fn send_padded(&mut self, bytes: &[u8]) {
        let mut padded = bytes.to_vec();
        if self.stream {
            padded.resize(bytes.len().next_multiple_of(4), 0);
        }
        self.send(&padded);
    }

    /// The next message.
    pub(crate) fn hear(&mut self) -> Vec<u8> {
        self.hear_or_end().expect("a message, but the server closed the connection")
    }

    /// The next message, or `None` at the end of the stream.
    pub(crate) fn hear_or_end(&mut self) -> Option<Vec<u8>> {
        let heard = self.wire.next();
        match &heard {
            Some(bytes) => note(&self.transcript, "got", bytes),
            None => self.transcript.borrow_mut().push_str("    the server closed the connection\n"),
        }
        heard
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    pub(crate) fn finish(&mut self) {
        self.wire.finish();
    }
}

fn note(transcript: &Transcript, what: &str, bytes: &[u8]) {
    let mut text = transcript.borrow_mut();
    let shown = &bytes[..bytes.len().min(400)];
    let _ = write!(text, "    {what} {} bytes: ", bytes.len());
    for byte in shown {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str(if shown.len() < bytes.len() { "...\n" } else { "\n" });
}

fn tcp(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).expect("a TCP connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a read timeout");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

struct Datagrams(UdpSocket);

impl Datagrams {
    fn connect(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a UDP socket");
        socket.connect(to).expect("a route");
        socket.set_read_timeout(Some(LIMIT)).expect("a read timeout");
        Self(socket)
    }
}

impl Wire for Datagrams {
    fn send(&mut self, bytes: &[u8]) {
        self.0.send(bytes).expect("sent");
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 65_536];
        let len = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("no answer: {error}"));
        Some(buffer[..len].to_vec())
    }

    fn local(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }
}

/// A byte stream cut into messages.
struct Frames<S> {
    stream: S,
    socket: fn(&S) -> &TcpStream,
    read: Vec<u8>,
}

impl<S: Read + Write> Frames<S> {
    fn new(stream: S, socket: fn(&S) -> &TcpStream) -> Self {
        Self { stream, socket, read: Vec::new() }
    }

    fn cut(&mut self) -> Option<Vec<u8>> {
        let &[first, _, high, low] = self.read.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let len = if first < 4 { 20 + length } else { 4 + length };
        let padded = len.next_multiple_of(4);
        if self.read.len() < padded {
            return None;
        }
        let rest = self.read.split_off(padded);
        let mut frame = std::mem::replace(&mut self.read, rest);
        frame.truncate(len);
        Some(frame)
    }
}

impl<S: Read + Write> Wire for Frames<S> {
    fn send(&mut self, bytes: &[u8]) {
        // A server that hung up already is what some cases are about; the next read tells.
        drop(self.stream.write_all(bytes).and_then(|()| self.stream.flush()));
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(frame) = self.cut() {
                return Some(frame);
            }
            let mut buffer = [0; 16_384];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(len) => self.read.extend(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer: {error}"),
                Err(_) => return None,
            }
        }
    }

    fn local(&self) -> SocketAddr {
        (self.socket)(&self.stream).local_addr().expect("an address")
    }

    fn finish(&mut self) {
        (self.socket)(&self.stream).shutdown(Shutdown::Write).expect("half of it closed");
    }
}
