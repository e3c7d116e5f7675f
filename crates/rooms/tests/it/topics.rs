//! Topics: presence, capacity, the door.

use std::time::Duration;

use posthouse_rooms::{
    Audience, Body, ConnectionId, Copies, Digest, Entrance, Entry, Limits, Making, NodeId, Outcome, Recipient, Refusal,
    Seated, Socket, Timestamp, Topic,
};

const T0: Timestamp = Timestamp(1_000);

fn who(id: &str) -> Recipient {
    let number = id.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
    Recipient { id: id.into(), incarnation: Socket { node: NodeId(1), connection: ConnectionId(number) } }
}

fn entry(id: &str) -> Entry {
    let word = |word: &str| Some(Body::from(format!("{word} {id}").as_str()));
    Entry { hello: word("hello"), farewell: word("bye"), ..Entry::silent(who(id)) }
}

fn join(topic: &mut Topic, id: &str) -> Outcome<Seated, Vec<Copies>> {
    topic.join(&Limits::default(), T0, entry(id))
}

fn leave(topic: &mut Topic, id: &str) -> Vec<Copies> {
    topic.leave(T0, id, who(id).incarnation).effects
}

/// `word → readers`.
fn said(copies: &[Copies]) -> Vec<String> {
    let line = |copies: &Copies| {
        let Body::Text(text) = &copies.body else { panic!("a text") };
        let readers: Vec<&str> = copies.to.iter().map(|to| &*to.id).collect();
        format!("{text} → {}", readers.join(" "))
    };
    copies.iter().map(line).collect()
}

fn owned(capacity: Option<usize>) -> Topic {
    let mut topic = Topic::default();
    let owner = Some(Digest::of("owner"));
    let making = Making { owner, capacity, passphrase: Some(Digest::of("word")), keep: Duration::from_secs(60) };
    topic.make(T0, making).answer.unwrap();
    topic
}

#[test]
fn those_who_were_there_hear_of_who_comes_and_goes() {
    let mut topic = Topic::default();
    assert_eq!(said(&join(&mut topic, "a").effects), [""; 0]);
    let b = join(&mut topic, "b");
    assert_eq!(said(&b.effects), ["hello b → a"]);
    let seated = b.answer.unwrap();
    assert_eq!((seated.again, &*seated.first, seated.occupancy), (false, "a", 2));
    let again = join(&mut topic, "b");
    assert_eq!((again.answer.unwrap().since, again.effects), (seated.since, vec![]));
    assert_eq!(said(&join(&mut topic, "c").effects), ["hello c → a b"]);
    assert_eq!(said(&leave(&mut topic, "a")), ["bye a → b c"]);
    assert_eq!(said(&leave(&mut topic, "a")), [""; 0], "once");
    assert_eq!(topic.members().map(|(id, _)| &**id).collect::<Vec<_>>(), ["b", "c"]);
    let stranger = Socket { node: NodeId(9), connection: ConnectionId(9) };
    let other = topic.leave(T0, "b", stranger);
    assert_eq!((other.effects.len(), topic.occupancy()), (0, 2), "another incarnation is left alone");
    leave(&mut topic, "b");
    leave(&mut topic, "c");
    assert!(topic.is_empty());
}

#[test]
fn a_new_owner_of_a_members_name_is_a_newcomer() {
    let mut topic = Topic::default();
    join(&mut topic, "a").answer.unwrap();
    join(&mut topic, "b").answer.unwrap();
    let mut newer = entry("a");
    newer.who.incarnation = Socket { node: NodeId(2), connection: ConnectionId(1) };
    let joined = topic.join(&Limits::default(), T0, newer);
    assert_eq!(said(&joined.effects), ["bye a → b", "hello a → b"]);
    assert_eq!(topic.occupancy(), 2);
}

#[test]
fn a_full_topic_takes_nobody_and_a_sealed_one_begins_anew() {
    let mut topic = Topic::default();
    let two = |id: &str, seal| Entry { capacity: 2, seal, ..entry(id) };
    for id in ["a", "b"] {
        topic.join(&Limits::default(), T0, two(id, false)).answer.unwrap();
    }
    let third = topic.join(&Limits::default(), T0, two("c", false));
    assert_eq!((third.answer, third.effects), (Err(Refusal::Full), vec![]));
    let mut lobby = Topic::default();
    let first = |lobby: &mut Topic, id| lobby.join(&Limits::default(), T0, two(id, true)).answer.unwrap().first;
    let groups: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|id| first(&mut lobby, id)).collect();
    assert_eq!(groups.iter().map(|group| &**group).collect::<Vec<_>>(), ["a", "a", "c", "c"]);
    assert!(lobby.is_empty());
}

#[test]
fn only_members_speak_to_others_and_only_of_their_own_topic() {
    let mut topic = Topic::default();
    for id in ["a", "b"] {
        join(&mut topic, id).answer.unwrap();
    }
    let heard = |from: &str, whom| {
        topic.audience(&who(from), whom).map(|to| to.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(heard("a", Audience::Others), Ok(vec!["b".to_owned()]));
    assert_eq!(heard("a", Audience::One("b")), Ok(vec!["b".to_owned()]));
    assert_eq!(heard("a", Audience::One("x")), Err(Refusal::UnknownClient));
    for whom in [Audience::Others, Audience::One("b")] {
        assert_eq!(heard("x", whom), Err(Refusal::UnknownClient));
    }
    assert_eq!(heard("x", Audience::All).unwrap().len(), 2, "where the dialect lets anybody speak");
}

#[test]
fn a_topic_that_was_made_has_an_owner_and_a_door() {
    let mut topic = owned(Some(2));
    let with = |id: &str, entrance| Entry { entrance, ..entry(id) };
    let word = Entrance { passphrase: Some(Digest::of("word")), owner: None };
    let come = |topic: &mut Topic, id: &str, entrance| topic.join(&Limits::default(), T0, with(id, entrance)).answer;
    assert_eq!(come(&mut topic, "a", Entrance::default()), Err(Refusal::WrongPassphrase));
    assert!(come(&mut topic, "a", word).is_ok());
    assert_eq!(topic.terms_for(Digest::of("guess")), Err(Refusal::NotOwner));
    topic.terms_for(Digest::of("owner")).unwrap().locked = true;
    assert_eq!(come(&mut topic, "b", word), Err(Refusal::Locked));
    let knock = |topic: &mut Topic| topic.knock(&Limits::default(), T0, who("b"), Some("knock".into()));
    assert_eq!(said(&knock(&mut topic).effects), ["knock → a"]);
    assert_eq!(said(&knock(&mut topic).effects), [""; 0]);
    assert_eq!(come(&mut topic, "b", word), Err(Refusal::Locked));
    assert_eq!(topic.admit(Digest::of("guess"), "b", true, None).answer, Err(Refusal::NotOwner));
    let admitted = topic.admit(Digest::of("owner"), "b", true, Some("come in".into()));
    assert_eq!(said(&admitted.effects), ["come in → b"]);
    assert!(come(&mut topic, "b", word).is_ok());
    let owner = Entrance { owner: Some(Digest::of("owner")), passphrase: None };
    assert_eq!(come(&mut topic, "c", owner), Err(Refusal::Full), "the owner passes the door, not the walls");
    leave(&mut topic, "b");
    assert_eq!(come(&mut topic, "b", word), Err(Refusal::Locked), "admitted once is not admitted for ever");
    assert!(come(&mut topic, "c", owner).is_ok());
}

#[test]
fn an_empty_topic_that_was_made_ends_in_its_time() {
    let mut topic = owned(None);
    assert_eq!(topic.poll_timeout(), Some(T0.after(Duration::from_secs(60))));
    let owner = Entrance { owner: Some(Digest::of("owner")), passphrase: None };
    topic.join(&Limits::default(), T0, Entry { entrance: owner, ..entry("a") }).answer.unwrap();
    assert_eq!(topic.poll_timeout(), None);
    leave(&mut topic, "a");
    let end = topic.poll_timeout().unwrap();
    topic.expire(end);
    assert!(topic.is_empty());
}

#[test]
fn a_sample_is_of_others_and_no_larger_than_asked_for() {
    let mut topic = Topic::default();
    for id in ["a", "b", "c", "d", "e"] {
        join(&mut topic, id).answer.unwrap();
    }
    for random in 0..20 {
        let sample: Vec<_> = topic.sample(random, 3, "c").map(|(id, _)| id.to_string()).collect();
        assert_eq!(sample.len(), 3);
        let mut different = sample.clone();
        different.sort();
        different.dedup();
        assert!(different.len() == 3 && !sample.contains(&"c".to_owned()), "{sample:?}");
    }
    assert_eq!(Topic::default().sample(1, 3, "").count(), 0);
}
