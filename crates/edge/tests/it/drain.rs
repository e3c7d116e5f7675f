//! The end of a listener.

use posthouse_edge::Carries;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{PATIENCE, World, client, exactly, handshake, rest};

#[tokio::test]
async fn a_draining_edge_accepts_nobody_and_lets_http_end() {
    let mut world = World::open(Carries::All).await;
    let mut page = handshake(client(&["http/1.1"]), "localhost", world.connect().await).await.unwrap();
    let mut served = world.http().await;
    let silent = world.connect().await;
    world.until(|stats| stats.arriving == 1).await;
    world.drain.send(true).unwrap();
    assert_eq!(rest(silent).await, b"");
    world.until(|stats| stats.arriving <= 1).await;
    let refused = async { while TcpStream::connect(world.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("the listener is closed");
    served.connection.stream.write_all(b"the last answer").await.unwrap();
    served.connection.stream.flush().await.unwrap();
    assert_eq!(exactly(&mut page, 15).await, b"the last answer");
    assert!(!world.served.is_finished());
    drop(served);
    timeout(PATIENCE, world.served).await.expect("the edge ends").unwrap();
}

#[tokio::test]
async fn one_who_can_no_longer_wish_has_not_wished() {
    let World { drain, address, served, .. } = World::open(Carries::All).await;
    drop(drain);
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(address).await.is_ok());
    assert!(!served.is_finished());
}
