//! Our own protocol, frame by frame over real sockets.

use std::{sync::Arc, time::Duration};

use posthouse_rooms::{MemoryBus, MemoryStore};
use serde_json::{Value, json};

use crate::house::{House, Socket};

/// One client: its socket, what it knows, and the number of its next request.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) member: String,
    pub(crate) token: String,
    pub(crate) seen: u64,
    next: u64,
}

impl Client {
    pub(crate) async fn connect(house: &House) -> Socket {
        house.socket_at("/v1/socket", &[("Sec-WebSocket-Protocol", "posthouse.v1")]).await.unwrap()
    }

    pub(crate) async fn join(house: &House, fields: Value) -> (Self, Value) {
        let mut socket = Self::connect(house).await;
        socket.say(&frame("join", 1, fields)).await;
        let joined = next(&mut socket).await;
        assert_eq!(joined["type"], "joined", "{joined}");
        let text = |key: &str| joined[key].as_str().unwrap().to_owned();
        let seen = joined["seq"].as_u64().unwrap();
        (Self { socket, member: text("member"), token: text("resume"), seen, next: 1 }, joined)
    }

    /// Comes back on another socket; the old one is left as it is.
    pub(crate) async fn resume(&mut self, house: &House) -> Value {
        let mut socket = Self::connect(house).await;
        self.next += 1;
        let ask = json!({"token": self.token, "seen": self.seen});
        socket.say(&frame("resume", self.next, ask)).await;
        let resumed = next(&mut socket).await;
        if resumed["type"] == "resumed" {
            self.token = resumed["resume"].as_str().unwrap().to_owned();
            self.socket = socket;
        }
        resumed
    }

    pub(crate) async fn ask(&mut self, r#type: &str, fields: Value) -> u64 {
        self.next += 1;
        self.socket.say(&frame(r#type, self.next, fields)).await;
        self.next
    }

    /// The answer to a request; events before it are remembered as seen and handed out.
    pub(crate) async fn answer(&mut self, id: u64) -> (Value, Vec<Value>) {
        let mut events = Vec::new();
        loop {
            let frame = next(&mut self.socket).await;
            if frame["id"] == id {
                return (frame, events);
            }
            self.count(&frame);
            events.push(frame);
        }
    }

    pub(crate) async fn done(&mut self, r#type: &str, fields: Value) -> Vec<Value> {
        let id = self.ask(r#type, fields).await;
        let (answer, events) = self.answer(id).await;
        assert_eq!(answer["type"], "ok", "{answer}");
        events
    }

    pub(crate) async fn refused(&mut self, r#type: &str, fields: Value) -> Value {
        let id = self.ask(r#type, fields).await;
        let (answer, _) = self.answer(id).await;
        assert_eq!(answer["type"], "error", "{answer}");
        answer
    }

    pub(crate) async fn event(&mut self) -> Value {
        let frame = next(&mut self.socket).await;
        self.count(&frame);
        frame
    }

    fn count(&mut self, frame: &Value) {
        assert_eq!(frame["seq"], self.seen + 1, "events come without a gap: {frame}");
        self.seen += 1;
    }
}

pub(crate) fn frame(r#type: &str, id: u64, mut fields: Value) -> String {
    fields["type"] = json!(r#type);
    fields["id"] = json!(id);
    fields.to_string()
}

pub(crate) async fn next(socket: &mut Socket) -> Value {
    serde_json::from_str(&socket.frame().await.expect("a frame comes")).unwrap()
}

async fn two(house: &House) -> (Client, Client) {
    let (mut a, _) = Client::join(house, json!({"room": "r"})).await;
    let (b, _) = Client::join(house, json!({"room": "r"})).await;
    assert_eq!(a.event().await["type"], "member-joined");
    (a, b)
}

fn errors(answer: &Value) -> (&str, &str) {
    (answer["code"].as_str().unwrap(), answer["fault"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_owns_the_room_and_the_later_is_polite() {
    let house = House::open().await;
    let (mut a, joined) = Client::join(&house, json!({"room": "r", "name": "Ada", "data": {"mic": true}})).await;
    assert_eq!(joined["owner"].as_str().unwrap().len(), 32);
    assert_eq!(joined["members"], json!([]));
    assert_eq!(joined["state"], json!({"capacity": 2, "locked": false, "passphrase": false, "knock": false}));
    assert_eq!((&joined["seq"], &joined["resume_for"]), (&json!(0), &json!(60)));
    assert_eq!(joined["ice"]["expires_in"], 3600);
    let turn = &joined["ice"]["iceServers"][1];
    assert_eq!(turn["username"], format!("1700003600:{}", a.member), "the credential is this member's own");
    let (b, joined) = Client::join(&house, json!({"room": "r"})).await;
    let ada = json!({"member": a.member, "name": "Ada", "data": {"mic": true}, "polite": true});
    assert_eq!((&joined["members"], &joined["owner"]), (&json!([ada]), &Value::Null));
    let came = json!({"type": "member-joined", "seq": 1, "member": b.member, "polite": false});
    assert_eq!(a.event().await, came);
    let stats = house.signaling.stats();
    assert_eq!((stats.rooms, stats.members, stats.joins), (1, 2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_untouched_in_order_to_whom_they_are_for() {
    let house = House::with(|config| config.rooms.capacity = 3).await;
    let (mut a, mut b) = two(&house).await;
    let (mut c, _) = Client::join(&house, json!({"room": "r"})).await;
    let odd = r#"{"type":"send","id":2,"data":{"n":1.00e2,"s":"é<\"","x":[null]}}"#;
    a.next += 1;
    a.socket.say(odd).await;
    let (answer, events) = a.answer(2).await;
    assert_eq!((answer, events.len()), (json!({"type": "ok", "id": 2}), 1));
    b.event().await;
    let raw = b.socket.frame().await.unwrap();
    b.seen += 1;
    assert!(raw.ends_with(r#""to":"all","data":{"n":1.00e2,"s":"é<\"","x":[null]}}"#), "{raw}");
    c.event().await;
    for n in 0..50 {
        a.done("send", json!({"to": c.member, "data": n})).await;
    }
    for n in 0..50 {
        let message = c.event().await;
        assert_eq!((&message["data"], &message["to"], &message["from"]), (&json!(n), &json!("you"), &json!(a.member)));
    }
    assert!(b.done("ping", json!({})).await.is_empty());
    let refused = a.refused("send", json!({"to": "nobody", "data": 1})).await;
    assert_eq!(errors(&refused), ("no-such-member", "room"));
    assert_eq!(b.done("presence", json!({"data": {"hand": "up"}})).await.len(), 0);
    let changed = a.event().await;
    assert_eq!((&changed["type"], &changed["data"]), (&json!("member-changed"), &json!({"hand": "up"})));
    b.done("presence", json!({"data": null})).await;
    assert_eq!(a.event().await["data"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_brings_every_missed_event_from_wherever_it_comes() {
    let engines = (Arc::new(MemoryStore::new(100)), Arc::new(MemoryBus::default()));
    let here = House::sharing(|_| {}, Some(engines.clone())).await;
    let there = House::sharing(|_| {}, Some(engines)).await;
    let (mut a, mut b) = two(&here).await;
    b.done("presence", json!({"data": 1})).await;
    assert_eq!(a.event().await["type"], "member-changed");
    let socket = std::mem::replace(&mut b.socket, Client::connect(&here).await);
    a.done("send", json!({"data": "on the wire"})).await;
    socket.kill();
    assert_eq!(a.event().await, json!({"type": "member-away", "seq": a.seen, "member": b.member}));
    for n in 0..100 {
        a.done("send", json!({"data": n})).await;
    }
    let resumed = b.resume(&there).await;
    assert_eq!((&resumed["type"], &resumed["seq"], &resumed["received"]), (&json!("resumed"), &json!(101), &json!(2)));
    assert_eq!(resumed["members"][0]["polite"], true);
    assert_eq!(b.event().await["data"], "on the wire");
    for n in 0..100 {
        assert_eq!(b.event().await["data"], n);
    }
    assert_eq!(a.event().await["type"], "member-back");
    // Two nodes are one room.
    b.done("send", json!({"data": "here I am"})).await;
    assert_eq!(a.event().await["data"], "here I am");
    a.done("send", json!({"data": "there you are"})).await;
    assert_eq!(b.event().await["data"], "there you are");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_while_the_old_socket_lives_replaces_it() {
    let house = House::open().await;
    let (mut a, mut b) = two(&house).await;
    let mut second =
        Client { socket: Client::connect(&house).await, member: b.member.clone(), token: b.token.clone(), ..b };
    let resumed = second.resume(&house).await;
    assert_eq!(resumed["type"], "resumed", "{resumed}");
    assert_eq!(b.socket.closed().await, Some(4409));
    second.done("send", json!({"data": "new"})).await;
    assert_eq!(a.event().await["data"], "new", "nobody heard of an absence");
    b.token = "x.y.z".to_owned();
    assert_eq!(errors(&b.resume(&house).await), ("resume-expired", "room"));
    assert_eq!(errors(&second.refused("resume", json!({"token": second.token})).await), ("bad-request", "client"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_was_lost_is_done_once() {
    let house = House::open().await;
    let (mut a, mut b) = two(&house).await;
    for round in 0..20 {
        let id = b.ask("send", json!({"data": round})).await;
        let old = std::mem::replace(&mut b.socket, Client::connect(&house).await);
        old.kill();
        let resumed = b.resume(&house).await;
        assert_eq!(resumed["type"], "resumed", "{resumed}");
        // Done or not, the client says it again.
        b.socket.say(&frame("send", id, json!({"data": round}))).await;
        assert_eq!(b.answer(id).await.0, json!({"type": "ok", "id": id}));
    }
    let mut heard = Vec::new();
    while heard.len() < 20 {
        let event = a.event().await;
        if event["type"] == "message" {
            heard.push(event["data"].clone());
        }
    }
    assert_eq!(heard, (0..20).map(Value::from).collect::<Vec<_>>());
    b.done("send", json!({"data": "last"})).await;
    loop {
        let event = a.event().await;
        if event["type"] == "message" {
            assert_eq!(event["data"], "last");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knocks_waits_and_hears_what_the_owner_decides() {
    let house = House::with(|config| config.rooms.capacity = 4).await;
    let (mut a, _) = Client::join(&house, json!({"room": "r", "create": {"knock": true}})).await;
    let mut guests = Vec::new();
    for name in ["Bob", "Eve"] {
        let mut socket = Client::connect(&house).await;
        socket.say(&frame("join", 7, json!({"room": "r", "name": name}))).await;
        assert_eq!(next(&mut socket).await, json!({"type": "waiting", "id": 7}));
        guests.push(socket);
    }
    let [bob, eve] = [a.event().await, a.event().await];
    assert_eq!((&bob["type"], &bob["name"], &eve["name"]), (&json!("knock"), &json!("Bob"), &json!("Eve")));
    a.done("deny", json!({"member": eve["member"]})).await;
    let denied = next(&mut guests[1]).await;
    assert_eq!((&denied["id"], errors(&denied)), (&json!(7), ("denied", "client")));
    assert_eq!(guests[1].closed().await, Some(4403));
    a.done("admit", json!({"member": bob["member"]})).await;
    let joined = next(&mut guests[0]).await;
    assert_eq!((&joined["type"], &joined["id"], &joined["member"]), (&json!("joined"), &json!(7), &bob["member"]));
    guests[0].say(&frame("send", 8, json!({"data": "thanks"}))).await;
    assert_eq!(next(&mut guests[0]).await, json!({"type": "ok", "id": 8}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_comes_back_without_a_memory_learns_who_waits_still() {
    let house = House::with(|config| config.rooms.capacity = 4).await;
    let (mut a, joined) = Client::join(&house, json!({"room": "r", "create": {"knock": true}})).await;
    let mut guests = [Client::connect(&house).await, Client::connect(&house).await];
    for (guest, name) in guests.iter_mut().zip(["Bob", "Eve"]) {
        guest.say(&frame("join", 7, json!({"room": "r", "name": name}))).await;
        assert_eq!(next(guest).await["type"], "waiting");
    }
    let [bob, eve] = [a.event().await, a.event().await];
    a.socket.say(&json!({"type": "ack", "seq": eve["seq"]}).to_string()).await;
    a.done("deny", json!({"member": eve["member"]})).await;
    let resumed = a.resume(&house).await;
    assert_eq!(resumed["knocks"], json!([{"member": bob["member"], "name": "Bob"}]));
    let again = a.ask("own", json!({"owner": joined["owner"]})).await;
    assert_eq!(a.answer(again).await.0["type"], "ok");
    let mut knocked = a.event().await;
    while knocked["type"] != "knock" {
        knocked = a.event().await;
    }
    assert_eq!(knocked["member"], bob["member"]);
    a.done("admit", json!({"member": bob["member"]})).await;
    let seat = next(&mut guests[0]).await;
    assert_eq!((&seat["type"], &seat["knocks"]), (&json!("joined"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kick_and_a_close_end_sockets_and_relay_credentials_at_once() {
    let house = House::open().await;
    let (mut a, mut b) = two(&house).await;
    assert_eq!(errors(&b.refused("kick", json!({"member": a.member})).await), ("forbidden", "client"));
    a.done("kick", json!({"member": b.member, "reason": "noise"})).await;
    assert_eq!(*house.relay.0.lock().unwrap(), [format!("{} revoked", b.member)]);
    let closed = b.event().await;
    assert_eq!((&closed["type"], &closed["reason"]), (&json!("closed"), &json!("kicked")));
    assert_eq!(b.socket.closed().await, Some(4403));
    assert_eq!(errors(&b.resume(&house).await), ("resume-expired", "room"));
    let id = a.ask("close", json!({})).await;
    let (answer, _) = a.answer(id).await;
    assert_eq!(answer["type"], "ok");
    assert_eq!(a.event().await["reason"], "closed");
    assert_eq!(a.socket.closed().await, Some(4404));
    assert_eq!(house.relay.0.lock().unwrap()[1..], [format!("{} revoked", a.member)]);
    assert_eq!(house.signaling.stats().rooms, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_refuse_in_words_that_name_the_fault() {
    let house = House::open().await;
    let (mut a, joined) =
        Client::join(&house, json!({"room": "r", "create": {"passphrase": "sesame", "locked": true}})).await;
    let mut socket = Client::connect(&house).await;
    let mut id = 0;
    let mut refused = async |fields: Value| {
        id += 1;
        socket.say(&frame("join", id, fields)).await;
        let answer = next(&mut socket).await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!(id)), "{answer}");
        answer["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(json!({"room": "r"})).await, "wrong-passphrase");
    assert_eq!(refused(json!({"room": "r", "passphrase": "sesame"})).await, "room-locked");
    a.done("set", json!({"locked": false, "capacity": 1})).await;
    assert_eq!(refused(json!({"room": "r", "passphrase": "sesame"})).await, "room-full");
    assert_eq!(refused(json!({"room": "r", "passphrase": "sesame", "owner": joined["owner"]})).await, "room-full");
    a.done("set", json!({"capacity": 5, "passphrase": null})).await;
    assert_eq!(refused(json!({"room": "r/s"})).await, "bad-request");
    assert_eq!(refused(json!({"room": "r", "name": "n".repeat(129)})).await, "too-large");
    assert_eq!(refused(json!({"room": "r", "data": "d".repeat(1023)})).await, "too-large");
    assert_eq!(refused(json!({"room": "r", "name": "a\nb"})).await, "bad-request");
    assert_eq!(refused(json!({"room": "x", "create": {"capacity": 0}})).await, "bad-request");
    Client::join(&house, json!({"room": "r"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_frame_closes_and_what_is_a_wrong_one_does_not() {
    let house = House::with(|config| config.timing.register = Duration::from_millis(300)).await;
    for broken in ["", "[]", "{", r#"{"id":1}"#, r#"{"type":"ping","id":1,"id":2}"#, r#"{"type":1}"#] {
        let mut socket = Client::connect(&house).await;
        socket.say(broken).await;
        assert_eq!(next(&mut socket).await["code"], "bad-request", "{broken}");
        assert_eq!(socket.closed().await, Some(4400), "{broken}");
    }
    assert_eq!(Client::connect(&house).await.closed().await, Some(4408));
    let (mut a, _) = Client::join(&house, json!({"room": "r"})).await;
    for wrong in ["shout", "join", "send", "kick", "own", "resume"] {
        assert_eq!(errors(&a.refused(wrong, json!({"room": "r"})).await), ("bad-request", "client"), "{wrong}");
    }
    a.socket.say(r#"{"type":"ping"}"#).await;
    assert_eq!(next(&mut a.socket).await["id"], Value::Null);
    let mut stranger = Client::connect(&house).await;
    for (id, asked) in ["send", "ice", "leave"].into_iter().enumerate() {
        stranger.say(&frame(asked, id as u64, json!({"data": 1}))).await;
        assert_eq!(next(&mut stranger).await["code"], "not-joined");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_leaves_is_gone_at_once_and_one_who_is_lost_later() {
    let house = House::with(|config| {
        config.rooms.meetings.resume = Duration::from_millis(200);
    })
    .await;
    let (mut a, mut b) = two(&house).await;
    b.done("leave", json!({})).await;
    assert_eq!(b.socket.closed().await, Some(1000));
    let left = a.event().await;
    assert_eq!((&left["type"], &left["reason"]), (&json!("member-left"), &json!("left")));
    let (c, _) = Client::join(&house, json!({"room": "r"})).await;
    assert_eq!(a.event().await["type"], "member-joined");
    c.socket.kill();
    assert_eq!(a.event().await["type"], "member-away");
    let left = a.event().await;
    assert_eq!((&left["type"], &left["reason"]), (&json!("member-left"), &json!("lost")));
    assert_eq!(*house.relay.0.lock().unwrap(), [b.member, c.member]);
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_credentials_come_on_request() {
    let house = House::open().await;
    let (mut a, _) = Client::join(&house, json!({"room": "r"})).await;
    let id = a.ask("ice", json!({})).await;
    let (answer, _) = a.answer(id).await;
    assert_eq!(answer["ice"]["iceServers"][1]["username"], format!("1700003600:{}", a.member));
    let ice = house.get("/v1/ice").await.json();
    assert_eq!((&ice["expires_in"], ice["iceServers"].as_array().unwrap().len()), (&json!(3600), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_credentials_are_renewed_before_they_end_also_after_a_resume() {
    let house = House::lending(1, |_| {}, None).await;
    let (mut a, joined) = Client::join(&house, json!({"room": "r"})).await;
    assert_eq!(joined["ice"]["expires_in"], 1);
    for _ in 0..2 {
        let renewed = a.event().await;
        assert_eq!((&renewed["type"], &renewed["ice"]["expires_in"]), (&json!("ice"), &json!(1)));
        assert_eq!(renewed["ice"]["iceServers"][1]["username"], format!("1700003600:{}", a.member));
        assert_eq!(a.resume(&house).await["type"], "resumed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_made_shown_changed_and_closed_over_http() {
    let house = House::open().await;
    let made = house.post("/v1/rooms", r#"{"room":"r","capacity":3,"passphrase":"p","empty_for":60}"#).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/v1/rooms/r")));
    let made = made.json();
    assert_eq!((&made["expires_in"], made["url"].as_str().unwrap().ends_with("/meet/r")), (&json!(60), true));
    let taken = house.post("/v1/rooms", r#"{"room":"r"}"#).await;
    assert_eq!((taken.status, &taken.json()["error"]["code"]), (409, &json!("room-taken")));
    let shown = json!({"room": "r", "members": 0, "capacity": 3, "locked": false, "passphrase": true, "knock": false});
    assert_eq!(house.get("/v1/rooms/r").await.json(), shown);
    assert_eq!(house.get("/v1/rooms/other").await.status, 404);

    let owner = format!("Bearer {}", made["owner"].as_str().unwrap());
    let headers = [("Authorization", owner.as_str())];
    assert_eq!(house.ask("PATCH", "/v1/rooms/r", &[], "{}").await.status, 401);
    assert_eq!(house.ask("PATCH", "/v1/rooms/r", &[("Authorization", "Bearer x")], "{}").await.status, 403);
    let patched = house.ask("PATCH", "/v1/rooms/r", &headers, r#"{"passphrase":null,"locked":false}"#).await;
    assert_eq!(patched.json()["passphrase"], false);
    let (mut a, _) = Client::join(&house, json!({"room": "r"})).await;
    let kick = format!("/v1/rooms/r/members/{}", a.member);
    assert_eq!(house.ask("DELETE", &kick, &[], "").await.status, 401);
    assert_eq!(house.ask("DELETE", &kick, &headers, "").await.status, 204);
    assert_eq!(a.event().await["reason"], "kicked");
    assert_eq!(house.ask("DELETE", &kick, &headers, "").await.status, 404);
    assert_eq!(house.ask("DELETE", "/v1/rooms/r", &headers, "").await.status, 204);
    assert_eq!(house.get("/v1/rooms/r").await.status, 404);
    let named = house.post("/v1/rooms", "").await.json();
    assert_eq!(named["room"].as_str().unwrap().len(), 20);
    assert_eq!(house.post("/v1/rooms", "{").await.json()["error"]["fault"], "client");
    let preflight = house.ask("OPTIONS", "/v1/rooms/r", &[("Origin", "https://app.example")], "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("GET, PATCH, DELETE")));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization, content-type"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_resumes_at_once_lose_nothing() {
    let house = House::with(|config| config.max_connections = 10_000).await;
    let mut clients = Vec::new();
    for n in 0..500 {
        let room = format!("r{n}");
        let (a, _) = Client::join(&house, json!({"room": room})).await;
        let (b, _) = Client::join(&house, json!({"room": room})).await;
        clients.extend([a, b]);
    }
    for (n, client) in clients.iter_mut().enumerate() {
        client.done("send", json!({"data": format!("r{} before", n / 2)})).await;
    }
    let house = Arc::new(house);
    let resuming = clients.into_iter().enumerate().map(|(n, mut client)| {
        let house = house.clone();
        tokio::spawn(async move {
            let fresh = Client::connect(&house).await;
            std::mem::replace(&mut client.socket, fresh).kill();
            // Nothing was read before, so all is told again.
            client.seen = 0;
            let resumed = client.resume(&house).await;
            assert_eq!(resumed["type"], "resumed", "{resumed}");
            let mut heard = client.done("send", json!({"data": format!("r{} after", n / 2)})).await;
            while heard.iter().filter(|event| event["type"] == "message").count() < 2 {
                heard.push(client.event().await);
            }
            heard.retain(|event| event["type"] == "message");
            let said: Vec<_> = heard.iter().map(|event| event["data"].as_str().unwrap().to_owned()).collect();
            assert_eq!(said, [format!("r{} before", n / 2), format!("r{} after", n / 2)]);
            client
        })
    });
    // All sockets stay until the last has heard everything.
    let mut back = Vec::new();
    for resumed in resuming.collect::<Vec<_>>() {
        back.push(resumed.await.unwrap());
    }
    assert_eq!((back.len(), house.signaling.stats().members), (1_000, 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_may_try_few_wrong_passphrases_and_any_number_of_right_ones() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.guess = posthouse_signaling::Rate { per_second: 1, burst: 3 };
        config.rates.join.burst = 1000;
        config.rooms.capacity = 20;
    })
    .await;
    let terms = json!({"room": "r", "create": {"passphrase": "sesame"}});
    let (_a, _) = Client::join(&house, terms).await;
    for _ in 0..8 {
        Client::join(&house, json!({"room": "r", "passphrase": "sesame"})).await;
    }
    let mut socket = Client::connect(&house).await;
    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| code == "wrong-passphrase") {
        let id = codes.len() + 1;
        assert!(id < 100, "it is never refused");
        socket.say(&frame("join", id as u64, json!({"room": "r", "passphrase": id.to_string()}))).await;
        let answer = next(&mut socket).await;
        codes.push(answer["code"].as_str().unwrap().to_owned());
    }
    assert_eq!(codes[..3], ["wrong-passphrase"; 3]);
    assert_eq!(codes.last().unwrap(), "too-fast");
    // Without one it is no guess, and another room needs none.
    socket.say(&frame("join", 200, json!({"room": "r"}))).await;
    assert_eq!(next(&mut socket).await["code"], "wrong-passphrase");
    socket.say(&frame("join", 201, json!({"room": "other"}))).await;
    assert_eq!(next(&mut socket).await["type"], "joined");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_a_route_does_not_have_is_405_and_none_of_collider_s() {
    let house = House::open().await;
    for (method, path) in [("GET", "/v1/rooms"), ("DELETE", "/v1/rooms"), ("POST", "/v1/ice"), ("PUT", "/v1/rooms/r")] {
        let answer = house.ask(method, path, &[], "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.header("allow").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_makes_few_rooms_and_enters_as_many_as_there_are() {
    let house = House::with(|config| {
        config.rates.exempt_loopback = false;
        config.rates.make = posthouse_signaling::Rate { per_second: 1, burst: 3 };
        (config.rates.join.burst, config.rates.upgrade.burst) = (1000, 1000);
        config.rooms.capacity = 20;
    })
    .await;
    let made = house.post("/v1/rooms", r#"{"room":"r"}"#).await;
    assert_eq!(made.status, 201);
    let mut posted = 1;
    let refused = loop {
        let answer = house.post("/v1/rooms", "").await;
        if answer.status != 201 {
            break answer;
        }
        posted += 1;
        assert!(posted < 100, "it is never refused");
    };
    assert!(posted >= 3, "{posted}");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    let error = refused.json()["error"].clone();
    assert_eq!((&error["code"], &error["retry_in"]), (&json!("too-fast"), &json!(1000)));
    // By `join` it is the same budget.
    let mut joined = 0;
    let refused = loop {
        let mut socket = Client::connect(&house).await;
        socket.say(&frame("join", 1, json!({"room": format!("joined-{joined}")}))).await;
        let answer = next(&mut socket).await;
        if answer["type"] != "joined" {
            break answer;
        }
        joined += 1;
        assert!(joined < 100, "it is never refused");
    };
    assert_eq!((&refused["code"], &refused["retry_in"]), (&json!("too-fast"), &json!(1000)));
    for _ in 0..10 {
        Client::join(&house, json!({"room": "r"})).await;
    }
}
