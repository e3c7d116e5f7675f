//! Identities: names, owners, mailboxes.

use std::time::Duration;

use posthouse_rooms::{
    Address, Attach, Attached, Body, ConnectionId, Departure, Digest, Dispatch, Identity, Keep, Letter, Limits, NodeId,
    Outcome, Put, Refusal, Returned, Socket, Taken, Tenant, Timestamp,
};

const T0: Timestamp = Timestamp(1_000);
const GRACE: Duration = Duration::from_secs(10);

fn socket(number: u64) -> Socket {
    Socket { node: NodeId(1), connection: ConnectionId(number) }
}

fn claim(number: u64, secret: &str, taken: Taken) -> Attach {
    Attach { socket: socket(number), secret: Some(Digest::of(secret)), taken, grace: GRACE, label: None }
}

fn attach(one: &mut Identity, now: Timestamp, claim: &Attach) -> Outcome<Attached, Dispatch> {
    one.attach(now, claim)
}

fn say(one: &mut Identity, now: Timestamp, text: &str, keep: Keep) -> Outcome<Put, Dispatch> {
    let letter = Letter { body: Body::from(text), keep, returned: None, only: None };
    one.put(&Limits::default(), now, letter)
}

fn placed(dispatch: &Dispatch) -> Vec<(u64, u64, Body)> {
    dispatch.placed.iter().map(|one| (one.to.connection.0, one.index, one.message.body.clone())).collect()
}

fn sender() -> Address {
    Tenant::new("test", "").unwrap().address("sender").unwrap()
}

#[test]
fn a_name_is_its_owners_and_nobody_elses() {
    let mut one = Identity::default();
    let first = attach(&mut one, T0, &claim(1, "mine", Taken::Owner)).answer.unwrap();
    assert!(!first.again);
    assert_eq!(attach(&mut one, T0, &claim(2, "yours", Taken::Owner)).answer, Err(Refusal::IdTaken));
    let nobody = Attach { secret: None, ..claim(2, "", Taken::Owner) };
    assert_eq!(attach(&mut one, T0, &nobody).answer, Err(Refusal::IdTaken));
    let back = attach(&mut one, T0, &claim(3, "mine", Taken::Owner));
    let again = back.answer.unwrap();
    assert_eq!((again.again, again.displaced, again.incarnation), (true, Some(socket(1)), socket(1)));
    assert_eq!(back.effects.closes.len(), 1);
    assert_eq!(attach(&mut one, T0, &claim(4, "mine", Taken::Refuse)).answer, Err(Refusal::IdTaken));
    let last = attach(&mut one, T0, &claim(5, "yours", Taken::Newest)).answer.unwrap();
    assert_eq!((last.again, last.incarnation), (false, socket(5)));
}

#[test]
fn two_owners_without_secrets_are_strangers() {
    let mut one = Identity::default();
    let plain = |number| Attach { secret: None, ..claim(number, "", Taken::Owner) };
    assert!(attach(&mut one, T0, &plain(1)).answer.is_ok());
    assert_eq!(attach(&mut one, T0, &plain(2)).answer, Err(Refusal::IdTaken));
}

#[test]
fn who_attaches_again_on_the_same_socket_is_where_it_was() {
    let mut one = Identity::default();
    let plain = Attach { secret: None, ..claim(1, "", Taken::Newest) };
    let who = attach(&mut one, T0, &plain).answer.unwrap().incarnation;
    assert_eq!(placed(&say(&mut one, T0, "a", Keep::No).effects), [(1, 0, "a".into())]);
    let again = attach(&mut one, T0, &plain);
    assert_eq!((again.effects.clone(), again.answer.unwrap().incarnation), (Dispatch::default(), who));
    assert_eq!(placed(&say(&mut one, T0, "b", Keep::No).effects), [(1, 1, "b".into())], "its numbers go on");
}

#[test]
fn a_lost_owner_finds_its_name_and_its_messages() {
    let mut one = Identity::default();
    let who = attach(&mut one, T0, &claim(1, "mine", Taken::Owner)).answer.unwrap().incarnation;
    let gone = say(&mut one, T0, "a", Keep::ForOwner).effects.placed.remove(0);
    let _ = one.detach(&Limits::default(), T0, who, socket(1), vec![gone.message]);
    assert_eq!(say(&mut one, T0, "b", Keep::ForOwner).answer, Ok(Put::Kept));
    assert_eq!(say(&mut one, T0, "c", Keep::No).answer, Ok(Put::Nobody));
    assert_eq!(attach(&mut one, T0, &claim(2, "yours", Taken::Owner)).answer, Err(Refusal::IdTaken));
    let back = attach(&mut one, T0.after(GRACE / 2), &claim(3, "mine", Taken::Owner));
    assert!(back.answer.unwrap().again);
    assert_eq!(placed(&back.effects), [(3, 0, "a".into()), (3, 1, "b".into())]);
}

#[test]
fn what_was_said_to_a_former_owner_never_reaches_the_next() {
    let mut one = Identity::default();
    let who = attach(&mut one, T0, &claim(1, "mine", Taken::Owner)).answer.unwrap().incarnation;
    let bounced = say(&mut one, T0, "a", Keep::ForOwner).effects.placed.remove(0).message;
    let _ = one.detach(&Limits::default(), T0, who, socket(1), Vec::new());
    assert_eq!(say(&mut one, T0, "b", Keep::ForOwner).answer, Ok(Put::Kept));
    let later = T0.after(GRACE);
    assert_eq!(one.poll_timeout(), Some(later));
    assert_eq!(one.expire(later).ended.len(), 1);
    assert!(one.is_empty());
    let next = attach(&mut one, later, &claim(2, "yours", Taken::Owner));
    assert_eq!(placed(&next.effects), []);
    let back = one.hand_back(&Limits::default(), who, socket(1), vec![bounced]);
    assert_eq!(placed(&back.effects), []);
    let meant = Letter::copy("c".into(), who);
    assert_eq!(one.put(&Limits::default(), later, meant).answer, Ok(Put::Nobody));
}

#[test]
fn a_message_that_waits_in_vain_is_told_to_its_sender_once() {
    let mut one = Identity::default();
    let put = |one: &mut Identity, now: Timestamp, text: &str| {
        let returned = Some(Returned { to: sender(), body: "EXPIRE".into() });
        let keep = Keep::Until(now.after(Duration::from_secs(5)));
        one.put(&Limits::default(), now, Letter { body: text.into(), keep, returned, only: None }).answer
    };
    assert_eq!(put(&mut one, T0, "offer"), Ok(Put::Kept));
    assert_eq!(put(&mut one, Timestamp(3_000), "candidate"), Ok(Put::Kept));
    assert_eq!(one.expire(Timestamp(5_999)).returned, []);
    let told = one.expire(Timestamp(6_000)).returned;
    assert_eq!(told, [Returned { to: sender(), body: "EXPIRE".into() }]);
    assert!(one.is_empty(), "the candidate goes with its offer");
    assert_eq!(put(&mut one, T0, "offer"), Ok(Put::Kept));
    let taken = attach(&mut one, T0, &claim(1, "mine", Taken::Owner));
    assert_eq!(placed(&taken.effects), [(1, 0, "offer".into())]);
    assert_eq!(one.expire(Timestamp(60_000)).returned, [], "what was delivered is not told back");
}

#[test]
fn a_mailbox_is_bounded_in_count_and_bytes() {
    let mut one = Identity::default();
    let limits = Limits::default();
    let until = Keep::Until(Timestamp(100_000));
    for _ in 0..limits.mailbox.messages {
        assert_eq!(say(&mut one, T0, "x", until).answer, Ok(Put::Kept));
    }
    assert_eq!(say(&mut one, T0, "x", until).answer, Err(Refusal::QueueFull));
    let (mut two, large) = (Identity::default(), "x".repeat(64 * 1024));
    for _ in 0..4 {
        assert_eq!(say(&mut two, T0, &large, until).answer, Ok(Put::Kept));
    }
    assert_eq!(say(&mut two, T0, "x", until).answer, Err(Refusal::QueueFull));
    assert_eq!(say(&mut two, T0, &(large + "x"), until).answer, Err(Refusal::MessageTooLarge));
}

#[test]
fn an_owner_that_ends_leaves_its_topics_and_frees_its_relay() {
    let mut one = Identity::default();
    let label = Some(posthouse_rooms::Label("l".into()));
    let claim = Attach { label: label.clone(), ..claim(1, "mine", Taken::Owner) };
    let who = attach(&mut one, T0, &claim).answer.unwrap().incarnation;
    let tenant = Tenant::new("test", "").unwrap();
    let limits = Limits { topics: 2, ..Limits::default() };
    let topic = |name| tenant.topic(name).unwrap();
    assert_eq!(one.enter(&limits, who, &topic("a")), Ok(()));
    assert_eq!(one.enter(&limits, who, &topic("b")), Ok(()));
    assert_eq!(one.enter(&limits, who, &topic("a")), Ok(()), "twice in is once in");
    assert_eq!(one.enter(&limits, who, &topic("c")), Err(Refusal::TooManyTopics));
    one.exit(who, &topic("b"));
    assert_eq!(one.enter(&limits, socket(9), &topic("c")), Err(Refusal::UnknownClient));
    let ended = one.end(T0, who, Departure::Deleted).effects;
    assert_eq!(ended.left, [(topic("a"), who)]);
    assert_eq!((ended.ended[0].label.clone(), ended.closes.len()), (label, 1));
    assert!(one.is_empty());
}

#[test]
fn a_name_without_grace_is_free_at_once() {
    let mut one = Identity::default();
    let fleeting = Attach { grace: Duration::ZERO, ..claim(1, "mine", Taken::Owner) };
    let who = attach(&mut one, T0, &fleeting).answer.unwrap().incarnation;
    let gone = one.detach(&Limits::default(), T0, who, socket(1), Vec::new());
    assert_eq!((gone.effects.ended.len(), one.is_empty()), (1, true));
}
