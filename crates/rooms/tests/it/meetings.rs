//! Meetings, scene by scene.

use std::time::Duration;

use posthouse_rooms::{
    Bounds, Closing, Departure, Digest, Refusal,
    meeting::{Authority, Change, Entered, Making, Request, Rules},
};

use crate::parlour::{OWNER, Parlour};

const SECOND: Duration = Duration::from_secs(1);

fn three() -> Parlour {
    let mut parlour = Parlour::of(3);
    for id in ["a", "b", "c"] {
        parlour.join(id).unwrap();
    }
    for id in ["a", "b", "c"] {
        parlour.heard(id);
    }
    parlour
}

fn owned(terms: Change) -> Parlour {
    let mut parlour = Parlour::of(3);
    let mut join = parlour.entry("a");
    join.making.as_mut().unwrap().terms = terms;
    parlour.enter(&join).unwrap();
    parlour
}

#[test]
fn the_later_of_two_is_polite_for_as_long_as_both_are_there() {
    let mut parlour = Parlour::of(3);
    assert!(parlour.join("a").unwrap().made);
    let b = parlour.join("b").unwrap();
    assert!(b.members[0].polite && !b.made);
    parlour.lose("a");
    let a = parlour.resume("a").unwrap();
    assert!(!a.members[0].polite, "coming back makes nobody later");
    let c = parlour.join("c").unwrap();
    assert_eq!(c.members.iter().map(|seen| seen.polite).collect::<Vec<_>>(), [true, true]);
    assert_eq!(parlour.join("d"), Err(Refusal::Full));
}

#[test]
fn what_is_said_reaches_whom_it_is_for_in_one_order() {
    let mut parlour = three();
    parlour.send("a", None, "1").unwrap();
    parlour.send("b", Some("c"), "2").unwrap();
    parlour.ask("c", &Request::Presence(Some("{}".into()))).unwrap();
    parlour.ask("c", &Request::Presence(Some("{}".into()))).unwrap();
    assert_eq!(parlour.send("a", Some("nobody"), "3"), Err(Refusal::UnknownClient));
    assert_eq!(parlour.heard("a"), ["c={}"]);
    assert_eq!(parlour.heard("b"), ["a: 1", "c={}"]);
    assert_eq!(parlour.heard("c"), ["a: 1", "b> 2"]);
}

#[test]
fn a_resume_tells_everything_that_was_not_read_even_what_was_written() {
    let mut parlour = three();
    parlour.send("a", None, "read").unwrap();
    parlour.read("b", 1);
    parlour.send("a", None, "on the wire").unwrap();
    parlour.lose("b");
    parlour.send("a", None, "while away").unwrap();
    let back = parlour.resume("b").unwrap();
    assert_eq!((back.seq, back.received), (4, 1), "+c, and three messages");
    assert_eq!(parlour.heard("b"), ["a: read", "a: on the wire", "a: while away"]);
    assert_eq!(parlour.heard("c"), ["a: read", "a: on the wire", "away b", "a: while away", "back b"]);
}

#[test]
fn a_resume_while_the_old_socket_lives_takes_over_and_nobody_is_told() {
    let mut parlour = three();
    parlour.send("a", None, "unread").unwrap();
    let old = parlour.clients["b"].socket;
    parlour.resume("b").unwrap();
    assert_eq!(parlour.closed, [(old, Closing::Displaced)]);
    assert_eq!(parlour.heard("b"), ["a: unread"]);
    assert_eq!(parlour.heard("c"), ["a: unread"]);
    let now = parlour.clients["b"].socket;
    parlour.clients.get_mut("b").unwrap().socket = old;
    assert_eq!(parlour.send("b", None, "x"), Err(Refusal::UnknownClient), "the old socket is heard no more");
    parlour.lose("b");
    parlour.clients.get_mut("b").unwrap().socket = now;
    parlour.send("b", None, "y").unwrap();
    assert_eq!(parlour.heard("c"), ["b: y"], "and its end is not the member's");
}

#[test]
fn a_token_whose_successor_was_never_heard_stays_good() {
    let mut parlour = three();
    parlour.lose("b");
    parlour.resume_unheard("b", "lost on the way").unwrap();
    parlour.lose("b");
    parlour.resume("b").unwrap();
    let old = std::mem::replace(&mut parlour.clients.get_mut("b").unwrap().token, "lost on the way".to_owned());
    assert_eq!(parlour.resume("b"), Err(Refusal::ResumeExpired), "what never arrived is nobody's");
    parlour.clients.get_mut("b").unwrap().token = old;
    parlour.resume("b").unwrap();
}

#[test]
fn a_token_is_good_once_after_its_successor_was_used() {
    let mut parlour = three();
    parlour.lose("b");
    let first = parlour.clients["b"].token.clone();
    parlour.resume("b").unwrap();
    parlour.send("b", None, "here").unwrap();
    parlour.clients.get_mut("b").unwrap().token = first;
    assert_eq!(parlour.resume("b"), Err(Refusal::ResumeExpired));
}

#[test]
fn a_seat_is_kept_for_its_owner_and_then_given_up() {
    let mut parlour = three();
    parlour.send("b", None, "x").unwrap();
    parlour.lose("b");
    parlour.pass(59 * SECOND);
    assert_eq!(parlour.join("d"), Err(Refusal::Full));
    parlour.pass(SECOND);
    assert_eq!(parlour.ended, [("b".to_owned(), Departure::Lost)]);
    assert_eq!(parlour.heard("c"), ["b: x", "away b", "-b Lost"]);
    assert_eq!(parlour.resume("b"), Err(Refusal::ResumeExpired));
    parlour.join("e").unwrap();
}

#[test]
fn the_seat_of_one_that_never_spoke_is_kept_for_ten_seconds() {
    let mut parlour = three();
    parlour.lose("b");
    parlour.pass(10 * SECOND);
    assert_eq!(parlour.ids(), ["a", "c"]);
}

#[test]
fn a_request_that_is_repeated_is_answered_again_and_not_done_again() {
    let mut parlour = three();
    let say = |text: &str| Request::Send { to: None, data: text.into() };
    let whisper = Request::Send { to: Some("nobody".into()), data: "x".into() };
    parlour.ask_as("a", 2, &say("once")).unwrap();
    assert_eq!(parlour.ask_as("a", 5, &whisper), Err(Refusal::UnknownClient));
    parlour.ask_as("a", 6, &say("twice")).unwrap();
    parlour.lose("a");
    assert_eq!(parlour.resume("a").unwrap().received, 6);
    parlour.ask_as("a", 2, &say("once")).unwrap();
    assert_eq!(parlour.ask_as("a", 5, &whisper), Err(Refusal::UnknownClient));
    parlour.ask_as("a", 6, &say("twice")).unwrap();
    assert_eq!(parlour.heard("b"), ["a: once", "a: twice", "away a", "back a"]);
    for number in 7..200 {
        assert_eq!(parlour.ask_as("a", number, &whisper), Err(Refusal::UnknownClient));
    }
    assert_eq!(parlour.ask_as("a", 5, &whisper), Err(Refusal::Forgotten), "no answer is made up");
}

#[test]
fn one_that_does_not_read_is_lost_and_its_correspondent_told() {
    let mut parlour = three();
    parlour.rules = Rules { mailbox: Bounds { messages: 4, bytes: 10_000 }, ..parlour.rules };
    for id in ["a", "b", "c"] {
        parlour.acknowledge(id);
    }
    for text in ["1", "2", "3", "4"] {
        parlour.send("a", Some("b"), text).unwrap();
    }
    assert_eq!(parlour.send("a", Some("b"), "5"), Err(Refusal::QueueFull));
    assert_eq!(parlour.ids(), ["a", "c"]);
    assert_eq!(parlour.closed.len(), 1);
    assert_eq!(parlour.heard("c"), ["-b Lost"]);
    assert_eq!(parlour.send("a", Some("c"), &"x".repeat(10_001)), Err(Refusal::QueueFull), "bytes count as well");
}

#[test]
fn acknowledged_events_make_room_and_are_not_told_again() {
    let mut parlour = three();
    parlour.rules = Rules { mailbox: Bounds { messages: 4, bytes: 10_000 }, ..parlour.rules };
    for n in 0..50 {
        parlour.send("a", None, &n.to_string()).unwrap();
        for id in ["b", "c"] {
            parlour.read(id, 1);
            parlour.acknowledge(id);
        }
    }
    parlour.resume("b").unwrap();
    assert_eq!(parlour.heard("b").len(), 50);
    parlour.clients.get_mut("b").unwrap().seen = 3;
    assert_eq!(parlour.resume("b"), Err(Refusal::ResumeExpired), "what was acknowledged is gone");
    parlour.clients.get_mut("b").unwrap().seen = 3_000;
    assert_eq!(parlour.resume("b"), Err(Refusal::ResumeExpired), "nobody has read the future");
}

#[test]
fn the_passphrase_comes_before_everything_else_and_the_owner_before_it() {
    let passphrase = Some(Some(Digest::of("open sesame")));
    let mut parlour = owned(Change { passphrase, locked: Some(true), ..Change::default() });
    assert_eq!(parlour.join("b"), Err(Refusal::WrongPassphrase));
    let mut join = parlour.entry("b");
    join.passphrase = Some(Digest::of("open sesame"));
    assert_eq!(parlour.enter(&join), Err(Refusal::Locked));
    let mut owner = parlour.entry("o");
    owner.secret = Some(Digest::of(OWNER));
    assert!(matches!(parlour.enter(&owner), Ok(Entered::In(_))));
    parlour.ask("o", &Request::Set(Change { locked: Some(false), ..Change::default() })).unwrap();
    assert!(matches!(parlour.enter(&join), Ok(Entered::In(_))));
    assert_eq!(parlour.heard("a"), ["+o", "locked=false knock=false of 3", "+b"]);
}

#[test]
fn guests_knock_and_owners_alone_hear_and_answer() {
    let mut parlour = owned(Change { knock: Some(true), ..Change::default() });
    for guest in ["g", "h"] {
        let join = parlour.entry(guest);
        assert_eq!(parlour.enter(&join), Ok(Entered::Waiting));
    }
    assert_eq!(parlour.heard("a"), ["knock g", "knock h"]);
    parlour.ask("a", &Request::Admit("g".into())).unwrap();
    assert_eq!(parlour.heard("g"), ["admitted among 1"]);
    assert_eq!(parlour.heard("a"), ["gone g", "+g"]);
    assert_eq!(parlour.ask("g", &Request::Admit("h".into())), Err(Refusal::NotOwner));
    // Whoever becomes an owner later hears who is waiting.
    assert_eq!(parlour.ask("g", &Request::Own(Digest::of("guessed"))), Err(Refusal::NotOwner));
    parlour.ask("g", &Request::Own(Digest::of(OWNER))).unwrap();
    assert_eq!(parlour.heard("g"), ["knock h"]);
    parlour.ask("g", &Request::Deny("h".into())).unwrap();
    assert_eq!(parlour.heard("h"), ["denied"]);
    assert_eq!(parlour.closed, [(parlour.clients["h"].socket, Closing::Deleted)]);
    assert_eq!(parlour.ask("a", &Request::Admit("h".into())), Err(Refusal::UnknownClient));
    let join = parlour.entry("i");
    parlour.enter(&join).unwrap();
    parlour.lose("i");
    assert_eq!(parlour.heard("a"), ["gone h", "knock i", "gone i"]);
    // Once nobody needs to knock, nobody is left at the door.
    let join = parlour.entry("j");
    parlour.enter(&join).unwrap();
    parlour.ask("a", &Request::Set(Change { knock: Some(false), ..Change::default() })).unwrap();
    assert_eq!(parlour.heard("j"), ["denied"]);
}

#[test]
fn admitting_never_fills_a_room_beyond_its_seats() {
    let mut parlour = owned(Change { knock: Some(true), capacity: Some(2), ..Change::default() });
    for guest in ["g", "h"] {
        let join = parlour.entry(guest);
        parlour.enter(&join).unwrap();
    }
    parlour.ask("a", &Request::Admit("g".into())).unwrap();
    assert_eq!(parlour.ask("a", &Request::Admit("h".into())), Err(Refusal::Full));
    assert_eq!(parlour.meeting.guests().count(), 1, "it may wait on");
}

#[test]
fn a_kick_ends_socket_and_membership_and_says_why() {
    let mut parlour = three();
    assert_eq!(parlour.ask("b", &Request::Kick("c".into())), Err(Refusal::NotOwner));
    parlour.ask("a", &Request::Kick("c".into())).unwrap();
    assert_eq!(parlour.heard("c"), ["kicked"]);
    assert_eq!(parlour.closed, [(parlour.clients["c"].socket, Closing::Deleted)]);
    assert_eq!(parlour.ended, [("c".to_owned(), Departure::Kicked)]);
    assert_eq!(parlour.heard("b"), ["-c Kicked"]);
    assert_eq!(parlour.resume("c"), Err(Refusal::ResumeExpired));
    // One who is away is kicked as well.
    parlour.lose("b");
    let secret = Authority::Secret(Digest::of(OWNER));
    assert_eq!(parlour.command(Authority::Secret(Digest::of("x")), &Request::Kick("b".into())), Err(Refusal::NotOwner));
    parlour.command(secret, &Request::Kick("b".into())).unwrap();
    assert_eq!(parlour.ids(), ["a"]);
}

#[test]
fn a_closed_room_ends_for_everybody_and_its_name_is_free() {
    let mut parlour = three();
    parlour.ask("a", &Request::Close).unwrap();
    for id in ["a", "b", "c"] {
        assert_eq!(parlour.heard(id), ["over: Closed"]);
    }
    assert_eq!((parlour.closed.len(), parlour.ended.len()), (3, 3));
    assert!(parlour.meeting.is_empty());
    assert_eq!(parlour.command(Authority::House, &Request::Close), Err(Refusal::UnknownRoom));
}

#[test]
fn a_room_made_beforehand_waits_for_its_time_and_no_longer() {
    let mut parlour = Parlour::of(2);
    let making = Making { owner: Digest::of(OWNER), keep: 30 * SECOND, terms: Change::default() };
    assert_eq!(parlour.meeting.make(&parlour.rules, parlour.now, &making).answer, Ok(()));
    assert_eq!(parlour.meeting.make(&parlour.rules, parlour.now, &making).answer, Err(Refusal::Exists));
    parlour.pass(29 * SECOND);
    assert!(!parlour.join("a").unwrap().made);
    parlour.pass(100 * SECOND);
    parlour.ask("a", &Request::Leave).unwrap();
    assert_eq!(parlour.ended, [("a".to_owned(), Departure::Left)]);
    parlour.pass(29 * SECOND);
    assert!(!parlour.meeting.is_empty());
    parlour.pass(SECOND);
    assert!(parlour.meeting.is_empty());
}

#[test]
fn nobody_makes_a_room_who_may_not() {
    let mut parlour = Parlour::of(2);
    let mut join = parlour.entry("a");
    join.making = None;
    assert_eq!(parlour.enter(&join), Err(Refusal::UnknownRoom));
    assert!(parlour.meeting.is_empty());
}
