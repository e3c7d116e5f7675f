//! Requests that break the rules (security corpus HT01 to HT40), and the headers on every answer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::house::{House, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_break_the_rules_are_refused() {
    let house = House::open().await;
    let long = "x".repeat(20_000);
    let many: String = (0..70).map(|n| format!("X-{n}: y\r\n")).collect();
    let post = |headers: &str| format!("POST /join/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n\r\n");
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let cases: Vec<(&str, String, &[u16])> = vec![
        ("HT01 long target", get(&format!("/{}", "x".repeat(9000))), &[414]),
        ("HT02 long header", post(&format!("X: {long}{long}")), &[431]),
        ("HT02 many headers", post(many.trim_end()), &[431]),
        ("HT06 long body", post("Content-Length: 65537"), &[413]),
        ("HT07 negative length", post("Content-Length: -1"), &[400]),
        ("HT07 signed length", post("Content-Length: +5"), &[400]),
        ("HT07 hexadecimal length", post("Content-Length: 0x10"), &[400]),
        ("HT07 two numbers", post("Content-Length: 5 5"), &[400]),
        ("HT07 2^64", post("Content-Length: 18446744073709551616"), &[400]),
        ("HT07 no length", post("Content-Length: "), &[400]),
        ("HT08 negative chunk", post("Transfer-Encoding: chunked") + "-1\r\n", &[400]),
        ("HT08 chunk with a dash", post("Transfer-Encoding: chunked") + "1_0\r\n", &[400]),
        ("HT09 chunk extension", post("Transfer-Encoding: chunked") + "1;" + &long.repeat(4), &[400]),
        ("HT11 trailers", post("Transfer-Encoding: chunked") + "0\r\nX: " + &long.repeat(60), &[400, 431]),
        ("HT08 chunk size", post("Transfer-Encoding: chunked") + "fffffffffffffffff\r\n", &[400]),
        (
            "HT10 endless chunks",
            post("Transfer-Encoding: chunked") + &format!("11000\r\n{}", "x".repeat(0x11000)),
            &[413],
        ),
        ("HT12 no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), &[400]),
        ("HT12 two hosts", get("/").replace("Host: h", "Host: h\r\nHost: h"), &[400]),
        ("HT13 both", post("Content-Length: 5\r\nTransfer-Encoding: chunked") + "0\r\n\r\n", &[400]),
        ("HT13 both, the other way", post("Transfer-Encoding: chunked\r\nContent-Length: 5") + "0\r\n\r\n", &[400]),
        ("HT14 two equal lengths", post("Content-Length: 0\r\nContent-Length: 0"), &[400]),
        ("HT14 two lengths", post("Content-Length: 1\r\nContent-Length: 2"), &[400]),
        ("HT15 other coding", post("Transfer-Encoding: xchunked"), &[400, 501]),
        ("HT15 coding behind chunked", post("Transfer-Encoding: chunked, identity"), &[400, 501]),
        ("HT15 chunked twice", post("Transfer-Encoding: chunked, chunked") + "0\r\n\r\n", &[400, 501]),
        ("HT15 coding before chunked", post("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n", &[400, 501]),
        (
            "HT15 two headers",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") + "0\r\n\r\n",
            &[400, 501],
        ),
        ("HT16 folded line", post("X: a\r\n b"), &[400]),
        ("HT16 space before colon", post("X : a"), &[400]),
        ("HT17 bare CR", get("/").replace("Host: h\r\n", "Host: h\rX: y\r\n"), &[400]),
        ("HT18 NUL", post("X: a\0b"), &[400]),
        ("HT20 TRACE", get("/").replacen("GET", "TRACE", 1), &[405]),
        ("HT20 PUT", get("/join/a").replacen("GET", "PUT", 1), &[405]),
        ("HT21 GET join", get("/join/a"), &[405]),
        ("HT21 POST r", post("Content-Length: 0").replacen("/join/a", "/r/a", 1), &[405]),
        ("HT23 CONNECT", get("/").replacen("GET / ", "CONNECT h:80 ", 1), &[405, 400]),
        ("HT23 asterisk", get("*"), &[400]),
        ("HT24 up", get("/../../etc/passwd"), &[404, 400]),
        ("HT24 up, encoded", get("/%2e%2e/"), &[404, 400]),
        ("HT24 backslash", get("/..%5c"), &[404, 400]),
        ("HT24 NUL in a path", get("/static/%00.js"), &[404, 400]),
        ("HT25 percent", get("/r/%"), &[400]),
        ("HT25 no hexadecimal", get("/r/%zz"), &[400]),
        ("HT25 overlong slash", get("/r/%c0%af"), &[400]),
        ("HT26 version", get("/").replacen("HTTP/1.1", "HTTP/3.0", 1), &[400, 505]),
        ("HT26 HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[0, 400, 505]),
        ("HT27 TLS", "\x16\x03\x01\x02\0\x01\0\x01\x7c\x03\x03".to_owned() + &long, &[0, 400, 431]),
        ("HT28 expectation", post("Expect: a-miracle\r\nContent-Length: 1"), &[417]),
        ("HT28 continue and too long", post("Expect: 100-continue\r\nContent-Length: 65537"), &[413]),
        ("HT37 compressed", post("Content-Encoding: gzip\r\nContent-Length: 1") + "x", &[415]),
        ("HT40 metrics", get("/metrics"), &[404]),
        ("HT40 health", get("/healthz"), &[404]),
        ("HT30 script in a path", get("/r/%22%3E%3Cscript%3E"), &[404, 400]),
    ];
    for (name, request, statuses) in cases {
        let answer = house.raw(request.as_bytes()).await;
        assert!(statuses.contains(&answer.status), "{name}: {answer:?}");
        assert_eq!(answer.header("allow").is_some(), answer.status == 405, "{name}");
    }
    assert_eq!(house.join_result("kitchen").await, "SUCCESS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_the_body_of_another_is_not_read_as_one() {
    let house = House::open().await;
    for headers in ["Content-Length: 44", "Content-Length: 4\r\nTransfer-Encoding: chunked"] {
        let smuggled = "GET /js/call.js HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
        let body = if headers.contains("chunked") { format!("0\r\n\r\n{smuggled}") } else { smuggled.to_owned() };
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let request = format!("POST /message/a/b HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answers)).await.unwrap().unwrap();
        assert!(!answers.contains("call()"), "{headers}: {answers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_requests_are_not_waited_for() {
    let house = House::with(|config| {
        config.timing.headers = Duration::from_millis(200);
        config.timing.body = Duration::from_millis(200);
    })
    .await;
    for beginning in ["", "GET / HTT", "POST /join/a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"] {
        let answer = house.raw(beginning.as_bytes()).await;
        assert!([0, 408].contains(&answer.status), "{beginning}: {answer:?}");
    }
}

/// HT05.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_connect_and_say_nothing_are_closed_and_delay_nobody() {
    let house = House::with(|config| config.timing.headers = Duration::from_secs(1)).await;
    let mut strangers = Vec::new();
    for _ in 0..1000 {
        strangers.push(TcpStream::connect(house.address).await.unwrap());
    }
    for room in 0..20 {
        assert_eq!(house.join_result(&format!("room-{room}")).await, "SUCCESS");
    }
    for mut stranger in strangers {
        let mut answer = Vec::new();
        timeout(PATIENCE, stranger.read_to_end(&mut answer)).await.expect("a stranger is not kept").unwrap();
        assert_eq!(answer, b"", "it has asked nothing");
    }
}

/// HT17: what ends a line is the same for each line of a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_line_feed_ends_every_line_or_none() {
    let house = House::open().await;
    let lines = ["GET /r/kitchen HTTP/1.1", "Host: h", "Connection: close", ""];
    let request = |bare: &dyn Fn(usize) -> bool| -> String {
        let end = |at| if bare(at) { "\n" } else { "\r\n" };
        lines.iter().enumerate().map(|(at, line)| format!("{line}{}", end(at))).collect()
    };
    let all = house.raw(request(&|_| true).as_bytes()).await.status;
    assert!([200, 400].contains(&all), "{all}");
    for only in 0..lines.len() {
        let one = house.raw(request(&|at| at == only).as_bytes()).await.status;
        assert_eq!(one, all, "line {only}: {:?}", request(&|at| at == only));
    }
}

/// HT29, HT36, HT38.
#[tokio::test(flavor = "multi_thread")]
async fn what_we_do_not_read_changes_no_answer() {
    let house = House::open().await;
    let plain = house.get("/r/kitchen").await;
    let codings = vec!["gzip;q=0.1"; 64].join(", ");
    let long = "x".repeat(7000);
    for headers in [
        [("Range", "bytes=0-0, 1-1, 2-"), ("If-Range", "x")],
        [("If-Modified-Since", "never"), ("If-None-Match", "*")],
        [("Accept-Encoding", codings.as_str()), ("TE", "trailers")],
        [("Cookie", &long), ("Authorization", &long)],
    ] {
        let answer = house.ask("GET", "/r/kitchen", &headers, "").await;
        assert_eq!((answer.status, answer.body), (200, plain.body.clone()), "{}", headers[0].0);
    }
    // What came as a body is neither an answer's nor the next request's.
    let with_body =
        "GET /r/kitchen HTTP/1.1\r\nHost: h\r\nContent-Length: 31\r\n\r\nGET /status HTTP/1.1\r\nHost: h\r\n";
    let head = "HEAD /r/kitchen HTTP/1.1\r\nHost: h\r\n\r\n";
    let last = "GET /r/parlour HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answers = house.raw(format!("{head}{last}").as_bytes()).await;
    assert_eq!(answers.status, 200);
    assert!(
        answers.body.starts_with("HTTP/1.1 200") && answers.body.ends_with("room parlour full=false"),
        "{answers:?}"
    );
    let answers = house.raw(format!("{with_body}{last}").as_bytes()).await;
    assert!(!answers.body.contains("upsec"), "{answers:?}");
}

/// HT33, its second half.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_idles_between_requests_is_closed() {
    let house = House::with(|config| config.timing.headers = Duration::from_millis(300)).await;
    let answer = house.raw(b"GET /r/kitchen HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(answer.status, 200, "and then the end, without which this would not return");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_keep_browsers_safe() {
    let house = House::open().await;
    let [(_, _a), (b, _b)] = house.call("kitchen").await;
    let asks = [
        ("GET", "/".to_owned()),
        ("GET", "/r/kitchen".to_owned()),
        ("GET", "/js/call.js".to_owned()),
        ("GET", "/nothing".to_owned()),
        ("GET", "/join/kitchen".to_owned()),
        ("GET", "/params".to_owned()),
        ("GET", "/status".to_owned()),
        ("GET", "/ws".to_owned()),
        ("GET", "/%".to_owned()),
        ("POST", "/join/kitchen".to_owned()),
        ("POST", "/v1alpha/iceconfig".to_owned()),
        ("POST", b.path("/message")),
        ("POST", b.path("/leave")),
        ("POST", b.path("")),
        ("DELETE", b.path("")),
        ("OPTIONS", "/join/kitchen".to_owned()),
    ];
    for (method, path) in asks {
        let answer = house.ask(method, &path, &[], "").await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{method} {path}");
        assert!(answer.header("content-security-policy").is_some(), "{method} {path}");
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("strict-transport-security"), None, "plain HTTP");
    }
    assert_eq!(house.get("/").await.header("content-security-policy"), Some("default-src 'self'"), "the page's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_link_says_cannot_become_script() {
    let house = House::open().await;
    let nasty = "%3C/script%3E%3Cscript%3E'%22%26";
    for key in ["tt", "wshpp", "ts", "apikey", "it", "video", "audio", "x"] {
        for path in [format!("/params?{key}={nasty}"), format!("/join/xss-{key}?{key}={nasty}")] {
            let method = if path.starts_with("/join") { "POST" } else { "GET" };
            let answer = house.ask(method, &path, &[], "").await;
            assert!(!answer.body.contains(['<', '>', '&']), "{path}: {}", answer.body);
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_on_one_connection_are_answered_in_order() {
    let house = House::open().await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let mut requests = String::new();
    for room in 0..100 {
        let end = if room == 99 { "close" } else { "keep-alive" };
        let headers = format!("Host: h\r\nContent-Length: 0\r\nConnection: {end}");
        requests += &format!("POST /join/room-{room}- HTTP/1.1\r\n{headers}\r\n\r\n");
    }
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answers)).await.unwrap().unwrap();
    let positions: Vec<Option<usize>> = (0..100).map(|room| answers.find(&format!("/r/room-{room}-\""))).collect();
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn any_stream_that_somebody_else_accepted_is_served() {
    let house = House::open().await;
    let (mut near, far) = tokio::io::duplex(1024);
    let (signaling, peer, draining) = (house.signaling.clone(), house.address, house.drain.subscribe());
    let serving = tokio::spawn(async move { signaling.serve_stream(far, peer, draining).await });
    near.write_all(b"GET /r/kitchen HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("room kitchen full=false"));
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closes_after_a_thousand_requests() {
    let house = House::open().await;
    let answers = house.raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(1001).as_bytes()).await;
    assert_eq!(answers.body.matches("HTTP/1.1 200").count(), 999, "behind the first one");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_without_a_host_is_answered() {
    let house = House::open().await;
    assert_eq!(house.raw(b"GET / HTTP/1.0\r\n\r\n").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn doubled_slashes_lead_to_the_client_and_nowhere_else() {
    let house = House::open().await;
    let moved = house.post("//kitchen//123", "x").await;
    assert_eq!((moved.status, moved.header("location")), (301, Some("/kitchen/123")));
    assert_eq!(house.post("//evil.example//a", "x").await.status, 404);
}
