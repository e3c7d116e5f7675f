//! What is measured.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, partner};
use super::house::House;
use crate::{cpu, memory, statistics};

/// Bytes of a relayed message.
const MESSAGE: usize = 1024;
/// Messages on their way at once in [`relay`] and [`spread`].
const IN_FLIGHT: usize = 50;
/// Messages that a pair says in one go in [`relay`]: a socket may say 200 at once, and 100 a second.
const SPELL: u32 = 300;

/// One figure, in words.
pub struct Figure {
    /// What it is.
    pub what: &'static str,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What it should be.
    pub goal: &'static str,
}

/// Process memory of an idle WebSocket whose client has registered in a room of two.
///
/// # Errors
/// A member that is refused, a server that is gone.
pub fn idle(house: &House, rooms: usize) -> io::Result<Vec<Figure>> {
    // What the first clients cost the process once and for all is not charged to the others.
    let warm = Crowd::gather(house.web, 50)?;
    let before = memory::read(house.pid())?;
    let crowd = Crowd::gather_named(house.web, "idle", rooms)?;
    std::thread::sleep(Duration::from_secs(2));
    let after = memory::read(house.pid())?;
    let started = cpu::time(house.pid())?;
    std::thread::sleep(Duration::from_secs(5));
    let spent = cpu::time(house.pid())? - started;
    let sockets = crowd.len() as f64;
    drop((warm, crowd));
    let value = (after.resident - before.resident) as f64 / sockets / 1024.0;
    let busy = spent.as_secs_f64() / 5.0 * 100.0;
    Ok(vec![
        Figure { what: "memory of an idle WebSocket", value, unit: "KiB", goal: "7, at most 10" },
        Figure { what: "idle sockets, processor in use", value: busy, unit: "%", goal: "" },
    ])
}

/// Messages of 1 KiB relayed for a second of the server's processor time, as other servers were measured: 50 pairs throw
/// one to and fro, all other sockets are idle. A pair that has said what a socket may say at once hands on to the next.
///
/// # Errors
/// The same.
pub fn relay(house: &House, rooms: usize, time: Duration) -> io::Result<Vec<Figure>> {
    let (mut said, mut next) = (vec![0; rooms], 0);
    let figure = saturate(house, rooms, time, |heard| {
        let room = heard.map(|member| member / 2).filter(|room| said[*room] < SPELL);
        let speaker = heard.filter(|_| room.is_some()).unwrap_or(2 * next);
        said[speaker / 2] = if room.is_some() { said[speaker / 2] + 1 } else { 1 };
        next = (next + usize::from(room.is_none())) % rooms;
        speaker
    })?;
    let goal = "120000, at least 100000";
    Ok(vec![
        Figure { what: "relayed 1 KiB messages per server-CPU-second, 50 busy pairs", goal, ..figure.0 },
        Figure { what: "the same per second", ..figure.1 },
    ])
}

/// The same with the work on all sockets in turn, each of which has cooled since it was last used: the worst case.
///
/// # Errors
/// The same.
pub fn spread(house: &House, rooms: usize, time: Duration) -> io::Result<Vec<Figure>> {
    let (members, mut next) = (2 * rooms, 0);
    let figure = saturate(house, rooms, time, |_| {
        let speaker = next;
        next = ((next + 2) % members) ^ usize::from(next + 2 >= members);
        speaker
    })?;
    Ok(vec![
        Figure { what: "relayed 1 KiB messages per server-CPU-second, 1,000 pairs in turn", ..figure.0 },
        Figure { what: "the same per second", ..figure.1 },
    ])
}

/// A closed loop: each message that a member hears sets the next one going, from whom `speaker` says. Relayed per second
/// of the server's processor time, and per second.
fn saturate(
    house: &House,
    rooms: usize,
    time: Duration,
    mut speaker: impl FnMut(Option<usize>) -> usize,
) -> io::Result<(Figure, Figure)> {
    let mut crowd = Crowd::gather(house.web, rooms)?;
    let message = "x".repeat(MESSAGE);
    let (mut heard, mut relayed) = (vec![None; IN_FLIGHT], 0_u64);
    let (start, cpu) = (Instant::now(), cpu::time(house.pid())?);
    while start.elapsed() < time {
        for member in heard.drain(..) {
            crowd.send(speaker(member), &message)?;
        }
        crowd.hear(100, |member, frame| heard.extend((frame.len() > MESSAGE).then_some(Some(member))))?;
        relayed += heard.len() as u64;
    }
    let (took, spent) = (start.elapsed(), cpu::time(house.pid())? - cpu);
    let figure = |time: Duration| Figure { what: "", value: relayed as f64 / time.as_secs_f64(), unit: "", goal: "" };
    Ok((figure(spent), figure(took)))
}

/// Delay of messages when each of the members says one a second, evenly over the second.
///
/// # Errors
/// The same, or a message that is lost.
pub fn paced(house: &House, rooms: usize, time: Duration) -> io::Result<Vec<Figure>> {
    let mut crowd = Crowd::gather(house.web, rooms)?;
    let pause = Duration::from_secs(1) / u32::try_from(crowd.len()).unwrap_or(u32::MAX);
    let padding = "x".repeat(MESSAGE - 20);
    let (start, mut sent, mut delays) = (Instant::now(), 0_u32, Vec::new());
    let all = u32::try_from(time.as_nanos() / pause.as_nanos()).unwrap_or(u32::MAX);
    while delays.len() < all as usize {
        while sent < all && start.elapsed() >= pause * sent {
            let member = sent as usize % crowd.len();
            crowd.send(member, &format!("{:020}{padding}", start.elapsed().as_nanos()))?;
            sent += 1;
        }
        crowd.hear(i32::from(sent == all || pause > Duration::from_millis(2)), |_, frame| {
            let stamp = frame.get(8..28).and_then(|digits| digits.parse().ok()).unwrap_or_default();
            let delay = start.elapsed().saturating_sub(Duration::from_nanos(stamp));
            delays.push(u32::try_from(delay.as_nanos()).unwrap_or(u32::MAX));
        })?;
        if start.elapsed() > time + Duration::from_secs(10) {
            return Err(io::Error::other(format!("{} of {all} messages are lost", all as usize - delays.len())));
        }
    }
    let mut share = |share| f64::from(statistics::percentile(&mut delays, share).unwrap_or_default()) / 1e6;
    Ok(vec![
        Figure {
            what: "delay with 5,000 rooms at a message a second each, p50",
            value: share(0.5),
            unit: "ms",
            goal: "",
        },
        Figure { what: "the same, p99", value: share(0.99), unit: "ms", goal: "below 5" },
    ])
}

/// Every member loses its socket once, its partner says something meanwhile, and it comes back for it: 10,000 in ten seconds.
///
/// # Errors
/// A member that is refused ("full"), a message that is lost, doubled or for somebody else.
pub fn resumes(house: &House, rooms: usize) -> io::Result<Vec<Figure>> {
    let mut crowd = Crowd::gather(house.web, rooms)?;
    let members = crowd.len();
    let mut expected: Vec<VecDeque<String>> = vec![VecDeque::new(); members];
    let (start, cpu) = (Instant::now(), cpu::time(house.pid())?);
    let (mut wrong, mut heard) = (Vec::new(), 0);
    for member in 0..members {
        crowd.vanish(member)?;
        let said = format!("to {member} while it was away");
        crowd.send(partner(member), &said)?;
        expected[member].push_back(said);
        crowd.register(member)?;
        crowd.hear(0, |to, frame| check(to, frame, &mut expected, &mut wrong, &mut heard))?;
    }
    while heard < members && wrong.is_empty() && start.elapsed() < Duration::from_secs(120) {
        crowd.hear(100, |to, frame| check(to, frame, &mut expected, &mut wrong, &mut heard))?;
    }
    let (took, spent) = (start.elapsed(), cpu::time(house.pid())? - cpu);
    if let Some(wrong) = wrong.first() {
        return Err(io::Error::other(wrong.clone()));
    }
    crowd.settle()?;
    let lost = (members - heard) as f64;
    Ok(vec![
        Figure {
            what: "resumes, one after the other",
            value: members as f64 / took.as_secs_f64(),
            unit: "/s",
            goal: "1000",
        },
        Figure { what: "messages lost meanwhile", value: lost, unit: "", goal: "0" },
        Figure {
            what: "processor per resume",
            value: spent.as_secs_f64() * 1e6 / members as f64,
            unit: "us",
            goal: "",
        },
    ])
}

/// Is it the next message that this member is to hear?
fn check(to: usize, frame: &str, expected: &mut [VecDeque<String>], wrong: &mut Vec<String>, heard: &mut usize) {
    let said = frame.strip_prefix("{\"msg\":\"").and_then(|rest| rest.split('"').next()).unwrap_or_default();
    match expected[to].pop_front() {
        Some(next) if next == said => *heard += 1,
        next => wrong.push(format!("member {to} expected {next:?}, got {frame}")),
    }
}
