//! The same bytes, however the kernel is asked (`relay.engine`).

use std::net::{IpAddr, Ipv4Addr};

use posthouse_probe::{Leg, Plan, Way, echo};

use crate::harness::{Server, Settings};

/// On the loopback network, but no address of the server's.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

#[tokio::test]
async fn every_engine_relays_every_byte_and_the_log_names_the_one_at_work() {
    let work = "engine=IoUring";
    for (engine, works) in [("mmsg", "engine=Mmsg"), ("io_uring", work), ("auto", work)] {
        let server = Server::start(&Settings::default().loopback_peers().relay(&format!("engine = {engine:?}")));
        let legs = [Way::Indication, Way::Channel].map(|way| Leg::Peer { way, at: ELSEWHERE }).to_vec();
        let plan = Plan { legs, payloads: 300, ..Plan::default() };
        let report = echo(&server.target("alice"), &plan).await.unwrap();
        assert!(report.is_whole(), "{engine}: {report}");
        let log = server.log();
        let refused = log.contains("the kernel refuses io_uring");
        // A machine that forbids io_uring says so once and relays all the same; `tests/run` wants one that does not.
        assert!(!refused || std::env::var_os("POSTHOUSE_REQUIRE_TOOLS").is_none(), "{log}");
        assert!(log.contains(if refused { "engine=Mmsg" } else { works }), "{engine}: {log}");
    }
}
