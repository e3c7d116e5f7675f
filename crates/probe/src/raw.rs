//! A small TURN client of our own on the messages of the `stun` crate.
//!
//! The `turn` crate's client chooses lifetime and family itself and turns error codes into text; where the probe must
//! choose or tell codes apart, it speaks through this one. It signs as RFC 5389 clients do (MD5 key, MESSAGE-INTEGRITY),
//! which is what every shipping browser does.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use stun::agent::TransactionId;
use stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter, Message, MessageType, Method, Setter, is_message,
};
use stun::textattrs::TextAttribute;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::target::Target;

/// How long one request is retransmitted before the server counts as silent.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// RFC 8489 §6.2.1 starts at 500 ms; a person is waiting here, so ask sooner and give up sooner.
const FIRST_RETRANSMISSION: Duration = Duration::from_millis(200);

/// Anonymous, signed, signed with the nonce that a 438 brought, and one more should the clock hit a nonce's end again.
const ATTEMPTS: usize = 4;

/// Data that arrives while an answer is awaited; beyond it the oldest goes, as in any socket buffer.
const INBOX: usize = 256;

const LARGEST: usize = 65_536;

/// One UDP socket, one five-tuple.
pub(crate) struct Client {
    socket: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
    target: Option<Target>,
    challenge: Option<Challenge>,
    inbox: VecDeque<Vec<u8>>,
    buffer: Vec<u8>,
}

/// What the server's 401 or 438 told: with these the next request is signed.
struct Challenge {
    realm: String,
    nonce: String,
}

impl Client {
    /// A socket of its own towards `server`; with a target it answers challenges.
    pub(crate) async fn open(server: SocketAddr, target: Option<Target>) -> Result<Self, Failure> {
        let local = any(server);
        let refused = |source| Failure::Socket { local, source };
        let socket = UdpSocket::bind((local, 0)).await.map_err(refused)?;
        // Connected: the kernel drops other senders' packets and reports ICMP errors.
        socket.connect(server).await.map_err(|source| Failure::Unreachable { server, source })?;
        let local = socket.local_addr().map_err(refused)?;
        let buffer = vec![0; LARGEST];
        Ok(Self { socket, server, local, target, challenge: None, inbox: VecDeque::new(), buffer })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a request until it is answered, answering challenges on the way, and returns the success response.
    /// `peer` only makes the failure readable.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        attributes: &[&(dyn Setter + Sync)],
        peer: Option<SocketAddr>,
    ) -> Result<Message, Failure> {
        let mut attempt = 1;
        loop {
            let signed = self.challenge.is_some();
            let request = self.write(method, attributes)?;
            let mut answer = self.transact(method, &request).await?;
            if answer.typ.class == CLASS_SUCCESS_RESPONSE {
                self.verify(method, &mut answer)?;
                return Ok(answer);
            }
            let (code, reason) = read_error(method, &answer)?;
            if attempt == ATTEMPTS || !self.challenged(method, code, signed, &answer)? {
                // RFC 8489 §9.2.5: of the errors to a signed request only 400, 401 and 438 may come unsigned.
                if !matches!(code, 400 | 401 | 438) {
                    self.verify(method, &mut answer)?;
                }
                return Err(Failure::Refused { method, code, reason, peer });
            }
            attempt += 1;
        }
    }

    /// Sends an indication: no answer, no retransmission, no signature.
    pub(crate) async fn indicate(&self, method: Method, attributes: &[&(dyn Setter + Sync)]) -> Result<(), Failure> {
        let message = write(MessageType::new(method, CLASS_INDICATION), attributes, method)?;
        self.send(&message.raw).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.socket.send(bytes).await.map_err(|error| self.fault(error))?;
        Ok(())
    }

    /// The next datagram that is no answer to a request. Safe to cancel: nothing is lost.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        if let Some(packet) = self.inbox.pop_front() {
            return Ok(packet);
        }
        let len = self.socket.recv(&mut self.buffer).await.map_err(|error| fault(self.server, error))?;
        Ok(self.buffer[..len].to_vec())
    }

    /// Sends, and sends again after 200, 400, 800, 1600 ms, until the transaction's answer arrives.
    async fn transact(&mut self, method: Method, request: &Message) -> Result<Message, Failure> {
        let end = Instant::now() + PATIENCE;
        let mut wait = FIRST_RETRANSMISSION;
        loop {
            self.send(&request.raw).await?;
            let until = (Instant::now() + wait).min(end);
            if let Ok(answer) = timeout_at(until, self.answer(request)).await {
                return answer?.map_err(|what| Failure::Malformed { method, what });
            }
            if Instant::now() >= end {
                return Err(Failure::Silent { server: self.server, waited: PATIENCE });
            }
            wait *= 2;
        }
    }

    /// Reads until a message with the request's transaction ID comes; whatever else comes is kept for `receive`.
    async fn answer(&mut self, request: &Message) -> Result<Result<Message, String>, Failure> {
        loop {
            let len = self.socket.recv(&mut self.buffer).await.map_err(|error| fault(self.server, error))?;
            let packet = &self.buffer[..len];
            if is_message(packet) && packet[8..20] == request.transaction_id.0 {
                return Ok(read(request, packet));
            }
            self.inbox.push_back(packet.to_vec());
            if self.inbox.len() > INBOX {
                self.inbox.pop_front();
            }
        }
    }

    fn write(&self, method: Method, attributes: &[&(dyn Setter + Sync)]) -> Result<Message, Failure> {
        let typ = MessageType::new(method, CLASS_REQUEST);
        let (Some(target), Some(challenge)) = (&self.target, &self.challenge) else {
            return write(typ, attributes, method);
        };
        let username = TextAttribute::new(ATTR_USERNAME, target.username.clone());
        let realm = TextAttribute::new(ATTR_REALM, challenge.realm.clone());
        let nonce = TextAttribute::new(ATTR_NONCE, challenge.nonce.clone());
        let integrity = key(target, challenge);
        let mut all = attributes.to_vec();
        all.extend([&username as &(dyn Setter + Sync), &realm, &nonce, &integrity]);
        write(typ, &all, method)
    }

    /// Takes realm and nonce from a 401 to an anonymous request or from a 438; says whether to ask again.
    fn challenged(&mut self, method: Method, code: u16, signed: bool, answer: &Message) -> Result<bool, Failure> {
        let again = (code == 401 && !signed) || (code == 438 && signed);
        let Some(target) = self.target.as_ref().filter(|_| again) else { return Ok(false) };
        let text = |attribute, name| {
            TextAttribute::get_from_as(answer, attribute)
                .map(|found| found.text)
                .map_err(|error| Failure::Malformed { method, what: format!("{name} in a {code} answer: {error}") })
        };
        let (realm, nonce) = (text(ATTR_REALM, "REALM")?, text(ATTR_NONCE, "NONCE")?);
        if let Some(expected) = target.realm.as_ref().filter(|expected| **expected != realm) {
            return Err(Failure::Realm { expected: expected.clone(), got: realm });
        }
        self.challenge = Some(Challenge { realm, nonce });
        Ok(true)
    }

    /// A signed request's answer is signed with the same key (RFC 8489 §9.2.5).
    fn verify(&self, method: Method, answer: &mut Message) -> Result<(), Failure> {
        let (Some(target), Some(challenge)) = (&self.target, &self.challenge) else { return Ok(()) };
        if !answer.contains(ATTR_MESSAGE_INTEGRITY) || key(target, challenge).check(answer).is_err() {
            return Err(Failure::Unsigned { method });
        }
        Ok(())
    }

    fn fault(&self, error: io::Error) -> Failure {
        fault(self.server, error)
    }
}

/// The unspecified address of a server's family: the system chooses where to send from.
pub(crate) fn any(server: SocketAddr) -> IpAddr {
    if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn fault(server: SocketAddr, source: io::Error) -> Failure {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Closed { server },
        _ => Failure::Unreachable { server, source },
    }
}

fn key(target: &Target, challenge: &Challenge) -> MessageIntegrity {
    MessageIntegrity::new_long_term_integrity(target.username.clone(), challenge.realm.clone(), target.password.clone())
}

fn write(typ: MessageType, attributes: &[&(dyn Setter + Sync)], method: Method) -> Result<Message, Failure> {
    let written = || {
        let mut message = Message::new();
        message.build(&[Box::new(TransactionId::new()), Box::new(typ)])?;
        for attribute in attributes {
            attribute.add_to(&mut message)?;
        }
        Ok(message)
    };
    written().map_err(|error: stun::Error| Failure::Malformed { method, what: format!("cannot write it: {error}") })
}

/// Parses an answer and holds it to the request's method and to a response class.
fn read(request: &Message, packet: &[u8]) -> Result<Message, String> {
    let mut answer = Message::new();
    answer.unmarshal_binary(packet).map_err(|error| error.to_string())?;
    let is_response = answer.typ.class != CLASS_REQUEST && answer.typ.class != CLASS_INDICATION;
    if answer.typ.method != request.typ.method || !is_response {
        return Err(format!("expected a {} response, got {}", request.typ.method, answer.typ));
    }
    Ok(answer)
}

fn read_error(method: Method, answer: &Message) -> Result<(u16, String), Failure> {
    let mut error = ErrorCodeAttribute::default();
    error
        .get_from(answer)
        .map_err(|error| Failure::Malformed { method, what: format!("ERROR-CODE in an error response: {error}") })?;
    Ok((error.code.0, String::from_utf8_lossy(&error.reason).into_owned()))
}
