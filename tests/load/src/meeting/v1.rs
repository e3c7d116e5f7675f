//! Our own protocol under a storm of resumes. What it promises does not depend on how a socket ends, so these end without
//! a word, while something is said to them.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::client::Client;
use super::crowd::partner;
use super::house::House;
use super::rows::Figure;
use crate::cpu;
use crate::kernel::Epoll;

/// Nothing takes longer; what does has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// One member, as its client knows itself.
#[derive(Default)]
struct Member {
    socket: Option<Client>,
    token: String,
    /// The last event it has seen.
    seen: u64,
    /// The last id it has used.
    id: u64,
    /// Answers to `join` and `resume`.
    welcomes: u32,
    /// What it heard while it was away.
    messages: Vec<String>,
}

struct Storm {
    web: SocketAddrV4,
    epoll: Epoll,
    members: Vec<Member>,
    ready: Vec<u64>,
    buffer: Vec<u8>,
}

/// Every member resumes once; fails if anybody is refused, or hears anything twice, out of order or not at all.
///
/// # Errors
/// The first of these.
pub fn resumes(house: &House, rooms: usize) -> io::Result<Vec<Figure>> {
    let mut storm = Storm::gather(house.web, rooms)?;
    let members = storm.members.len();
    let (start, cpu) = (Instant::now(), cpu::time(house.pid())?);
    for member in 0..members {
        storm.members[member].socket = None;
        storm.ask(partner(member), &format!(r#""type":"send","data":"to {member}""#))?;
        storm.resume(member)?;
        storm.hear(0)?;
    }
    storm.until(|member, at| member.welcomes == 2 && member.messages == [format!("\"to {at}\"")])?;
    let (took, spent) = (start.elapsed(), cpu::time(house.pid())? - cpu);
    let rate = members as f64 / took.as_secs_f64();
    let each = spent.as_secs_f64() * 1e6 / members as f64;
    Ok(vec![
        Figure { what: "resumes of our own protocol, one after the other", value: rate, unit: "/s", goal: "1000" },
        Figure { what: "processor per resume", value: each, unit: "us", goal: "" },
    ])
}

impl Storm {
    fn gather(web: SocketAddrV4, rooms: usize) -> io::Result<Self> {
        let members = (0..2 * rooms).map(|_| Member::default()).collect();
        let mut storm = Self { web, epoll: Epoll::new(1024)?, members, ready: Vec::new(), buffer: vec![0; 64 << 10] };
        for member in 0..2 * rooms {
            storm.open(member)?;
            storm.ask(member, &format!(r#""type":"join","room":"storm-{}""#, member / 2))?;
            storm.hear(0)?;
        }
        storm.until(|member, _| member.welcomes == 1)?;
        // A client that has said something on its socket has a seat that is kept.
        for member in 0..2 * rooms {
            storm.ask(member, r#""type":"ping""#)?;
        }
        storm.hear(100)?;
        Ok(storm)
    }

    fn open(&mut self, member: usize) -> io::Result<()> {
        let socket = Client::open(self.web, "/v1/socket")?;
        self.epoll.add(socket.socket.as_fd(), member as u64)?;
        self.members[member].socket = Some(socket);
        Ok(())
    }

    fn resume(&mut self, member: usize) -> io::Result<()> {
        self.open(member)?;
        let Member { token, seen, .. } = &self.members[member];
        let request = format!(r#""type":"resume","token":"{token}","seen":{seen}"#);
        self.ask(member, &request)
    }

    fn ask(&mut self, member: usize, request: &str) -> io::Result<()> {
        let one = &mut self.members[member];
        one.id += 1;
        let text = format!("{{{request},\"id\":{}}}", one.id);
        one.socket.as_mut().map_or(Ok(()), |socket| socket.say(&text))
    }

    fn hear(&mut self, milliseconds: i32) -> io::Result<()> {
        self.epoll.wait_for(&mut self.ready, milliseconds)?;
        for number in &self.ready {
            let at = usize::try_from(*number).unwrap_or_default();
            let member = &mut self.members[at];
            let Some(mut socket) = member.socket.take() else { continue };
            let mut wrong = None;
            socket.flush()?;
            socket.read(&mut self.buffer, |frame| wrong = wrong.take().or_else(|| member.take(frame).err()))?;
            member.socket = Some(socket);
            if let Some(wrong) = wrong {
                return Err(io::Error::other(format!("member {at}: {wrong}")));
            }
        }
        Ok(())
    }

    fn until(&mut self, is_done: impl Fn(&Member, usize) -> bool) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let left = self.members.iter().enumerate().filter(|(at, member)| !is_done(member, *at)).count();
            if left == 0 {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("{left} members wait in vain")));
            }
            self.hear(100)?;
        }
    }
}

impl Member {
    /// A frame of the server's: an answer, or the next event.
    fn take(&mut self, frame: &str) -> Result<(), String> {
        match text(frame, "type").as_str() {
            "error" => return Err(frame.to_owned()),
            "ok" => return Ok(()),
            "joined" | "resumed" => {
                self.token = text(frame, "resume");
                self.welcomes += 1;
                return Ok(());
            }
            "message" => {
                let data = frame.split_once("\"data\":").map(|(_, data)| data.trim_end_matches('}'));
                self.messages.push(data.unwrap_or_default().to_owned());
            }
            _ => {}
        }
        let seq = frame.split_once("\"seq\":").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit));
        let seq = seq.and_then(|digits| digits.collect::<String>().parse::<u64>().ok());
        if seq != Some(self.seen + 1) {
            return Err(format!("expected event {}, got {frame}", self.seen + 1));
        }
        self.seen += 1;
        Ok(())
    }
}

/// The first text under a key.
fn text(frame: &str, key: &str) -> String {
    let rest = frame.split_once(&format!("\"{key}\":\"")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}
