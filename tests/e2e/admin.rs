//! What an operator's tools see, and that nobody else sees it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use posthouse_probe::{Ask, allocate};

use crate::harness::http::get;
use crate::harness::{Server, Settings};

#[tokio::test]
async fn health_readiness_and_metrics_answer_on_the_admin_listener_only() {
    let server = Server::start(&Settings::default());
    for path in ["/healthz", "/readyz", "/metrics"] {
        let inside = get(server.admin, path).await;
        assert_eq!(inside.status, StatusCode::OK, "{path}: {inside:?}");
        let outside = get(server.web, path).await;
        assert_eq!(outside.status, StatusCode::NOT_FOUND, "{path} on the public listener: {outside:?}");
    }
}

#[tokio::test]
async fn the_metrics_are_prometheus_text_and_count_an_allocation_while_it_lives() {
    let server = Server::start(&Settings::default());
    assert_eq!(sum(&samples(&server).await, ALLOCATIONS), 0.0);
    let allocation = allocate(&server.target("alice"), &Ask::default()).await.unwrap();
    wait_until_live(&server, 1.0).await;
    allocation.free().await.unwrap();
    wait_until_live(&server, 0.0).await;
    assert_eq!(sum(&samples(&server).await, CREATED), 1.0, "an allocation is counted once");
}

/// The gauge of live allocations, and the counter of all there ever were.
const ALLOCATIONS: &str = "posthouse_relay_allocations";
const CREATED: &str = "posthouse_relay_allocations_created_total";

/// Workers publish their counters every now and then, not at every packet.
pub(crate) async fn wait_until_live(server: &Server, expected: f64) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let samples = samples(server).await;
        if sum(&samples, ALLOCATIONS) == expected {
            return;
        }
        assert!(Instant::now() < end, "never {expected} allocations: {samples:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn samples(server: &Server) -> BTreeMap<String, f64> {
    let answer = get(server.admin, "/metrics").await;
    let kind = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = kind.starts_with("text/plain") || kind.starts_with("application/openmetrics-text");
    assert!(known, "Prometheus does not read {kind:?}");
    answer.body.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(sample).collect()
}

/// `name{labels} value`, with an optional timestamp that is not used here.
fn sample(line: &str) -> (String, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line:?}"));
    let value = value.parse().unwrap_or_else(|_| panic!("not a number in {line:?}"));
    let name = series.split('{').next().unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    assert!(!name.is_empty() && name.chars().all(legal), "not a metric name: {line:?}");
    assert!(series == name || series.ends_with('}'), "labels do not end: {line:?}");
    (series.to_owned(), value)
}

/// The sum over all labels of one name.
fn sum(samples: &BTreeMap<String, f64>, name: &str) -> f64 {
    let named: Vec<f64> =
        samples.iter().filter(|(series, _)| series.split('{').next() == Some(name)).map(|(_, value)| *value).collect();
    assert!(!named.is_empty(), "no {name} in {:#?}", samples.keys());
    named.iter().sum()
}
