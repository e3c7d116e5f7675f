//! What is measured.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::crowd::{Crowd, partner};
use super::house::House;
use crate::{cpu, memory, statistics};

/// Bytes of a relayed message.
const MESSAGE: usize = 1024;
/// Messages on their way at once in [`relay`]: as many as busy pairs elsewhere.
const IN_FLIGHT: usize = 50;

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

/// Messages of 1 KiB relayed for a second of the server's processor time. Each that arrives sets the next one going, in another
/// room: a socket may say 100 a second, so the work goes around.
///
/// # Errors
/// The same.
pub fn relay(house: &House, rooms: usize, time: Duration) -> io::Result<Vec<Figure>> {
    let mut crowd = Crowd::gather(house.web, rooms)?;
    let message = "x".repeat(MESSAGE);
    let (mut next, mut relayed, mut due) = (0, 0_u64, IN_FLIGHT);
    let (start, cpu) = (Instant::now(), cpu::time(house.pid())?);
    while start.elapsed() < time {
        for _ in 0..std::mem::take(&mut due) {
            crowd.send(next, &message)?;
            next = ((next + 2) % crowd.len()) ^ usize::from(next + 2 >= crowd.len());
        }
        let mut heard = 0;
        crowd.hear(100, |_, frame| heard += usize::from(frame.len() > MESSAGE))?;
        relayed += heard as u64;
        due += heard;
    }
    let (took, spent) = (start.elapsed(), cpu::time(house.pid())? - cpu);
    let per_cpu = relayed as f64 / spent.as_secs_f64();
    let goal = "120000, at least 100000";
    Ok(vec![
        Figure { what: "relayed 1 KiB messages per server-CPU-second", value: per_cpu, unit: "", goal },
        Figure { what: "the same per second", value: relayed as f64 / took.as_secs_f64(), unit: "", goal: "" },
    ])
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
