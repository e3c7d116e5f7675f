//! [`Streams`]: a TCP or TLS connection per flow.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use posthouse_stun::stream::{Frame, next_frame};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// Bytes per read.
const READ: usize = 64 << 10;
/// For a connection and its handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections to one server.
pub struct Streams {
    server: SocketAddrV4,
    connections: Vec<Connection>,
    scratch: Vec<u8>,
    buffer: Vec<u8>,
}

struct Connection {
    socket: TcpStream,
    local: SocketAddrV4,
    tls: Option<ClientConnection>,
    /// Read, and not yet a whole frame.
    arrived: Vec<u8>,
    /// Written by the caller, and not yet taken by the kernel. With TLS they wait as records inside `tls`.
    waiting: Vec<u8>,
}

impl Streams {
    /// Opens `flows` connections, with TLS handshakes when there is a configuration for them.
    ///
    /// # Errors
    /// Refused, too slow, or a certificate that is not the one of this run.
    pub fn connect(server: SocketAddrV4, flows: usize, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let connections = (0..flows).map(|_| Connection::open(server, tls)).collect::<io::Result<_>>()?;
        Ok(Self { server, connections, scratch: Vec::new(), buffer: vec![0; READ] })
    }

    pub(super) fn address(&self, flow: usize) -> SocketAddrV4 {
        self.connections[flow].local
    }

    pub(super) fn push(&mut self, flow: usize, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.scratch.clear();
        write(&mut self.scratch);
        self.connections[flow].write(&self.scratch)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.connections.iter_mut().try_for_each(Connection::flush)
    }

    pub(super) fn receive(&mut self, mut each: impl FnMut(usize, SocketAddrV4, &[u8])) -> io::Result<usize> {
        let mut frames = 0;
        for (flow, connection) in self.connections.iter_mut().enumerate() {
            connection.flush()?;
            if !connection.read(&mut self.buffer)? {
                continue;
            }
            let mut at = 0;
            loop {
                match next_frame(&connection.arrived[at..]) {
                    Frame::Complete { len, advance, .. } => {
                        each(flow, self.server, &connection.arrived[at..at + len]);
                        at += advance;
                        frames += 1;
                    }
                    Frame::Incomplete { .. } => break,
                    Frame::Broken => return Err(io::Error::new(ErrorKind::InvalidData, "the stream is out of step")),
                }
            }
            connection.arrived.drain(..at);
        }
        Ok(frames)
    }
}

impl Connection {
    fn open(server: SocketAddrV4, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let mut socket = TcpStream::connect_timeout(&server.into(), PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let SocketAddr::V4(local) = socket.local_addr()? else { return Err(ErrorKind::AddrNotAvailable.into()) };
        let tls = tls.map(|config| handshake(config, &mut socket)).transpose()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, local, tls, arrived: Vec::new(), waiting: Vec::new() })
    }

    /// One record, one write; what the kernel does not take waits.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return self.flush();
        }
        let taken = if self.waiting.is_empty() { or_none(self.socket.write(bytes))?.unwrap_or(0) } else { 0 };
        self.waiting.extend_from_slice(&bytes[taken..]);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && or_none(tls.write_tls(&mut self.socket))?.is_some() {}
        } else if !self.waiting.is_empty()
            && let Some(taken) = or_none(self.socket.write(&self.waiting))?
        {
            self.waiting.drain(..taken);
        }
        Ok(())
    }

    /// Appends what has come to `arrived`; false when nothing has.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let before = self.arrived.len();
        if let Some(tls) = &mut self.tls {
            let Some(count) = or_none(tls.read_tls(&mut self.socket))? else { return Ok(false) };
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            tls.process_new_packets().map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
            while let Some(count @ 1..) = or_none(tls.reader().read(buffer))? {
                self.arrived.extend_from_slice(&buffer[..count]);
            }
        } else if let Some(count) = or_none(self.socket.read(buffer))? {
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.arrived.extend_from_slice(&buffer[..count]);
        }
        Ok(self.arrived.len() > before)
    }
}

fn handshake(config: &Arc<ClientConfig>, socket: &mut TcpStream) -> io::Result<ClientConnection> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    tls.set_buffer_limit(None);
    while tls.is_handshaking() {
        tls.complete_io(socket)?;
    }
    Ok(tls)
}

/// "Would block" is nothing.
fn or_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(e) => Err(e),
    }
}
