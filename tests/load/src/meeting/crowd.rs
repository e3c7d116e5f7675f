//! Thousands of members behind one epoll.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::client::{Client, Joins, Seat};
use crate::kernel::Epoll;

/// Nothing takes longer; what does has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rooms of two: members 2n and 2n+1 are each other's partners.
pub struct Crowd {
    web: SocketAddrV4,
    epoll: Epoll,
    seats: Vec<Seat>,
    clients: Vec<Option<Client>>,
    ready: Vec<u64>,
    buffer: Vec<u8>,
}

/// Who sits in a member's room besides it.
#[must_use]
pub fn partner(member: usize) -> usize {
    member ^ 1
}

impl Crowd {
    /// Fills so many rooms of two; returns when the server has answered every member.
    ///
    /// # Errors
    /// A seat or a socket that is refused.
    pub fn gather(web: SocketAddrV4, rooms: usize) -> io::Result<Self> {
        Self::gather_named(web, "load", rooms)
    }

    /// The same, in rooms whose names begin with something else: for a second crowd.
    ///
    /// # Errors
    /// The same.
    pub fn gather_named(web: SocketAddrV4, name: &str, rooms: usize) -> io::Result<Self> {
        let (mut joins, epoll) = (Joins::new(web), Epoll::new(1024)?);
        let mut crowd =
            Self { web, epoll, seats: Vec::new(), clients: Vec::new(), ready: Vec::new(), buffer: vec![0; 64 << 10] };
        for member in 0..2 * rooms {
            crowd.seats.push(joins.join(&format!("{name}-{}", member / 2))?);
            crowd.clients.push(None);
            crowd.register(member)?;
        }
        crowd.settle()?;
        Ok(crowd)
    }

    /// Members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Is nobody there?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// A member's socket, a first or another one.
    ///
    /// # Errors
    /// It is refused.
    pub fn register(&mut self, member: usize) -> io::Result<()> {
        let client = Client::register(self.web, &self.seats[member])?;
        self.epoll.add(client.socket.as_fd(), member as u64)?;
        self.clients[member] = Some(client);
        Ok(())
    }

    /// A member's socket is gone, and the server knows it.
    ///
    /// # Errors
    /// The server does not notice.
    pub fn vanish(&mut self, member: usize) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        if let Some(client) = self.clients[member].take() {
            client.vanish(|heard| rest.extend_from_slice(heard))?;
        }
        Ok(rest)
    }

    /// A member says something to its partner.
    ///
    /// # Errors
    /// Its connection is broken.
    pub fn send(&mut self, member: usize, message: &str) -> io::Result<()> {
        self.clients[member].as_mut().map_or(Ok(()), |client| client.send(message))
    }

    /// Hands out what has come, after waiting for so many milliseconds at most: to whom, and the whole frame.
    ///
    /// # Errors
    /// A broken connection.
    pub fn hear(&mut self, milliseconds: i32, mut each: impl FnMut(usize, &str)) -> io::Result<()> {
        self.epoll.wait_for(&mut self.ready, milliseconds)?;
        for number in &self.ready {
            let member = usize::try_from(*number).unwrap_or_default();
            if let Some(client) = self.clients[member].as_mut() {
                client.flush()?;
                client.read(&mut self.buffer, |frame| each(member, frame))?;
            }
        }
        Ok(())
    }

    /// Asks every member's socket something harmless, and waits for the answers: by then all have registered.
    ///
    /// # Errors
    /// An answer that does not come, or says that a member was refused.
    pub fn settle(&mut self) -> io::Result<()> {
        for client in self.clients.iter_mut().flatten() {
            client.say(r#"{"cmd":"nothing"}"#)?;
        }
        let (start, mut left, mut refused) = (Instant::now(), self.clients.len(), None);
        while left > 0 {
            self.hear(100, |_, frame| {
                left -= 1;
                if !frame.contains("unexpected 'cmd'") {
                    refused = Some(frame.to_owned());
                }
            })?;
            if let Some(frame) = refused {
                return Err(io::Error::other(format!("a member was refused: {frame}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{left} members got no answer")));
            }
        }
        Ok(())
    }
}
