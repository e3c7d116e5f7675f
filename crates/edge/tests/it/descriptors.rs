//! A process that runs out of descriptors.
//!
//! The limit is the process's, so each law runs in a child of its own: this test binary again, with a small limit.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use posthouse_edge::Carries;
use tokio::io::AsyncWriteExt;

use crate::world::{BINDING, World, rest};

/// Set for the children, so that who runs ignored tests does not run them under the usual limit.
const LIMITED: &str = "POSTHOUSE_EDGE_LIMITED";

fn under_a_limit_of(descriptors: u32, test: &str) {
    let script = format!("ulimit -n {descriptors} && exec \"$0\" --exact descriptors::{test} --ignored");
    let output = Command::new("sh")
        .env(LIMITED, "1")
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn connections_are_refused_at_once_before_descriptors_run_out_and_taken_when_there_are_some_again() {
    under_a_limit_of(128, "child_fills_up");
}

#[tokio::test]
#[ignore = "started by the law above in a process with a small limit"]
async fn child_fills_up() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let mut world = World::with(Carries::Turn, &[], |settings| settings.limits.arriving_per_source = 1000).await;
    let mut streams = Vec::new();
    while world.edge.stats().refused_descriptors == 0 {
        streams.push(world.connect().await);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(streams.len() < 60, "nothing was refused");
    }
    // Who came before goes on.
    streams[0].write_all(BINDING).await.unwrap();
    let adopted = world.adopted().await;
    assert_eq!(rest(world.connect().await).await, b"");
    drop((adopted, streams));
    world.until(|stats| stats.arriving == 0).await;
    let _stream = world.say(BINDING).await;
    world.adopted().await;
}

#[test]
fn the_accept_loop_does_not_spin_when_there_is_no_descriptor_left() {
    under_a_limit_of(128, "child_runs_out");
}

#[tokio::test]
#[ignore = "started by the law above in a process with a small limit"]
async fn child_runs_out() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let mut world = World::with(Carries::Turn, &[], |_| {}).await;
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.pop();
    let begin = Instant::now();
    let _stream = world.say(BINDING).await;
    let stats = world.until(|stats| stats.accept_errors >= 3).await;
    let most = begin.elapsed().as_millis() / 250 + 1;
    assert!(u128::from(stats.accept_errors) <= most, "{} errors, at most {most} were due", stats.accept_errors);
    drop(files);
    world.adopted().await;
}
