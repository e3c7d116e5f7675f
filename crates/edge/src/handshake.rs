//! From a ClientHello to a TLS stream whose content is known.

use std::io::{self, Read as _};
use std::sync::Arc;

use rustls::ServerConnection;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::arrival::{Ends, Taker};
use crate::edge::Edge;
use crate::listener::Carries;
use crate::ports::Adopted;
use crate::protocol::Protocol;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// A fatal alert, handshake_failure (RFC 8446 §6), for a client that would else wait for a ServerHello.
const HANDSHAKE_FAILURE: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 40];

/// Ends TLS and finds out who takes what it carries.
pub(crate) async fn take(
    edge: &Arc<Edge>,
    settings: &Settings,
    stream: TcpStream,
    ends: Ends,
    carries: Carries,
) -> Result<Taker, Refusal> {
    let Some(config) = edge.certificates.config(carries) else {
        let _ = stream.try_write(&HANDSHAKE_FAILURE);
        return Err(Refusal::NoCertificate);
    };
    let handshake = async {
        let _turn = edge.handshakes.acquire().await;
        TlsAcceptor::from(config).accept(stream).await
    };
    let tls = match timeout(settings.timing.handshake, handshake).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(_)) => return Err(Refusal::Handshake),
        Err(_) => return Err(Refusal::SlowHandshake),
    };
    edge.counters.handshakes.add();
    by_content(tls, ends, carries).await
}

async fn by_content(mut tls: TlsStream<TcpStream>, ends: Ends, carries: Carries) -> Result<Taker, Refusal> {
    let protocol = match tls.get_ref().1.alpn_protocol() {
        Some(name) => Protocol::of_alpn(name),
        None => match tls.fill_buf().await?.first() {
            Some(first) => Protocol::of_first_decrypted_byte(*first, carries),
            None => return Err(Refusal::Gone),
        },
    };
    match (protocol, carries) {
        (Protocol::Turn, _) => adopted(tls, ends).map(Taker::Turn),
        (_, Carries::All) => Ok(Taker::Http { stream: Box::new(tls), is_tls: true }),
        (_, Carries::Turn) => {
            let _ = tls.shutdown().await;
            Err(Refusal::NotTurn)
        }
    }
}

fn adopted(tls: TlsStream<TcpStream>, Ends { client, server }: Ends) -> Result<Adopted, Refusal> {
    let (stream, mut tls) = tls.into_inner();
    let mut early = Vec::new();
    decrypt(&mut tls, &mut early)?;
    Ok(Adopted { stream: stream.into_std()?, tls: Some(Box::new(tls)), early, client, server })
}

/// Takes out everything that can be decrypted without reading from the socket, so that nobody waits for bytes that are
/// here already. At most what came with the end of the handshake: a few records.
fn decrypt(tls: &mut ServerConnection, early: &mut Vec<u8>) -> Result<(), Refusal> {
    loop {
        let before = early.len();
        match tls.reader().read_to_end(early) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Refusal::Gone),
        }
        if early.len() == before {
            return Ok(());
        }
        tls.process_new_packets().map_err(|_| Refusal::Handshake)?;
    }
}
