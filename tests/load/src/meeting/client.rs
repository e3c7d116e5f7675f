//! One member of a room on its WebSocket, without blocking; and `POST /join`, which blocks.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

/// For a connection, a handshake, a join.
const PATIENCE: Duration = Duration::from_secs(30);
const HANDSHAKE: &str = "Host: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Who somebody is in a room.
#[derive(Debug, Clone)]
pub struct Seat {
    room: String,
    client: String,
}

/// A socket of a member.
#[derive(Debug)]
pub struct Client {
    /// For epoll.
    pub socket: TcpStream,
    arrived: Vec<u8>,
    waiting: Vec<u8>,
}

/// A connection that joins one after the other, as long as the server keeps it.
pub struct Joins {
    web: SocketAddrV4,
    connection: Option<BufReader<TcpStream>>,
}

impl Joins {
    /// Joins at this server.
    #[must_use]
    pub fn new(web: SocketAddrV4) -> Self {
        Self { web, connection: None }
    }

    /// Takes a seat.
    ///
    /// # Errors
    /// No answer, or any other result than `SUCCESS`: a full room, for one.
    pub fn join(&mut self, room: &str) -> io::Result<Seat> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => BufReader::new(connect(self.web)?),
        };
        let request = format!("POST /join/{room} HTTP/1.1\r\nHost: load\r\nContent-Length: 0\r\n\r\n");
        connection.get_mut().write_all(request.as_bytes())?;
        let (mut length, mut last) = (0, false);
        loop {
            let mut line = String::new();
            connection.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(|_| bad("a content-length that is a number", &line))?;
            }
            last |= line == "connection: close";
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        self.connection = (!last).then_some(connection);
        let body = String::from_utf8_lossy(&body);
        let id = body.split_once("\"client_id\":\"").and_then(|(_, rest)| rest.split('"').next());
        let id = id.filter(|_| body.contains("\"SUCCESS\"")).ok_or_else(|| bad("SUCCESS", &body))?;
        Ok(Seat { room: room.to_owned(), client: id.to_owned() })
    }
}

impl Client {
    /// A WebSocket that registers with Collider.
    ///
    /// # Errors
    /// No connection, or no WebSocket.
    pub fn register(web: SocketAddrV4, seat: &Seat) -> io::Result<Self> {
        let mut client = Self::open(web, "/ws")?;
        let Seat { room, client: id } = seat;
        client.say(&format!(r#"{{"cmd":"register","roomid":"{room}","clientid":"{id}"}}"#))?;
        Ok(client)
    }

    /// A WebSocket at a path.
    ///
    /// # Errors
    /// No connection, or no WebSocket.
    pub fn open(web: SocketAddrV4, path: &str) -> io::Result<Self> {
        let mut socket = connect(web)?;
        socket.write_all(format!("GET {path} HTTP/1.1\r\n{HANDSHAKE}").as_bytes())?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(bad("101", &String::from_utf8_lossy(&head)));
        }
        socket.set_nonblocking(true)?;
        Ok(Self { socket, arrived: Vec::new(), waiting: Vec::new() })
    }

    /// A message for the partner: plain characters, nothing that JSON would escape.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn send(&mut self, message: &str) -> io::Result<()> {
        self.say(&format!(r#"{{"cmd":"send","msg":"{message}"}}"#))
    }

    /// A text frame. The masking key is zero: a client's right, and nobody's work.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.waiting.push(0x81);
        match u16::try_from(text.len()) {
            Ok(short @ 0..126) => self.waiting.push(0x80 | short as u8),
            Ok(long) => {
                self.waiting.push(0x80 | 126);
                self.waiting.extend(long.to_be_bytes());
            }
            Err(_) => return Err(bad("a text below 64 KiB", "a longer one")),
        }
        self.waiting.extend([0; 4]);
        self.waiting.extend(text.as_bytes());
        self.flush()
    }

    /// Writes what the kernel takes.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Reads what is there, and hands out the payload of every whole text frame. Pings are answered.
    ///
    /// # Errors
    /// The connection is broken, or the server closed it.
    pub fn read(&mut self, buffer: &mut [u8], mut each: impl FnMut(&str)) -> io::Result<()> {
        match self.socket.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.arrived.extend_from_slice(&buffer[..read]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
        let (mut at, mut pings) = (0, 0);
        while let Some((opcode, from, to)) = frame(&self.arrived[at..]) {
            let payload = &self.arrived[at + from..at + to];
            match opcode {
                1 => each(std::str::from_utf8(payload).map_err(|_| bad("UTF-8", "other bytes"))?),
                8 => return Err(bad("messages", &format!("close {payload:?}"))),
                9 => pings += 1,
                _ => {}
            }
            at += to;
        }
        self.arrived.drain(..at);
        if self.arrived.is_empty() {
            // Thousands of clients: what is not needed is given back.
            self.arrived = Vec::new();
        }
        for _ in 0..pings {
            self.waiting.extend([0x8a, 0x80, 0, 0, 0, 0]);
        }
        self.flush()
    }

    /// Ends the connection without a word of WebSocket, and waits until the server has noticed.
    ///
    /// # Errors
    /// The server does not close its side.
    pub fn vanish(self, mut heard: impl FnMut(&[u8])) -> io::Result<()> {
        let mut socket = self.socket;
        socket.set_nonblocking(false)?;
        socket.shutdown(std::net::Shutdown::Write)?;
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest)?;
        heard(&rest);
        Ok(())
    }
}

/// A server's frame: opcode, and where its payload begins and ends.
fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (from, length) = match (second & 0x7f, rest) {
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (127, rest) => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        (126, _) => return None,
        (short, _) => (2, usize::from(short)),
    };
    (bytes.len() >= from + length).then_some((first & 15, from, from + length))
}

fn connect(web: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(web)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn bad(expected: &str, got: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("expected {expected}, got {got}"))
}
