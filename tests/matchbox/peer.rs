//! A game's view of a room: matchbox's socket as its crate has it, asked again and again, as a game loop does.

use std::time::Duration;

use matchbox_socket::{Packet, PeerId, PeerState, RtcIceServerConfig, WebRtcSocket};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// What has not come by then will not come; a busy machine needs less.
const PATIENCE: Duration = Duration::from_secs(60);

const TICK: Duration = Duration::from_millis(10);

/// The channels, in the order in which they are added.
pub(crate) const RELIABLE: usize = 0;
pub(crate) const UNRELIABLE: usize = 1;

pub(crate) struct Peer {
    pub(crate) socket: WebRtcSocket,
    message_loop: JoinHandle<()>,
}

impl Peer {
    /// Goes to a room and waits for its own id, so that peers arrive in the order in which they are made.
    pub(crate) async fn arrive(room: String) -> Self {
        // The default is a server of somebody else.
        let no_ice = RtcIceServerConfig { urls: Vec::new(), username: None, credential: None };
        let builder = WebRtcSocket::builder(room).ice_server(no_ice).reconnect_attempts(Some(1));
        let (socket, message_loop) = builder.add_reliable_channel().add_unreliable_channel().build();
        let message_loop = tokio::spawn(async move {
            if let Err(problem) = message_loop.await {
                eprintln!("a peer's message loop ended: {problem:?}");
            }
        });
        let mut peer = Self { socket, message_loop };
        peer.until("an id of its own", |socket| socket.id()).await;
        peer
    }

    pub(crate) fn id(&mut self) -> PeerId {
        self.socket.id().expect("it has arrived")
    }

    /// The next peer that is told as `state`.
    pub(crate) async fn told(&mut self, state: PeerState) -> PeerId {
        let found = move |socket: &mut WebRtcSocket| {
            let changes = socket.update_peers();
            assert!(changes.len() <= 1, "more than one at once: {changes:?}");
            changes.into_iter().next()
        };
        let (id, told) = self.until("word of a peer", found).await;
        assert_eq!(told, state);
        id
    }

    /// Everybody it is connected to.
    pub(crate) fn connected(&mut self) -> Vec<PeerId> {
        self.socket.update_peers();
        let mut peers: Vec<PeerId> = self.socket.connected_peers().collect();
        peers.sort_unstable();
        peers
    }

    pub(crate) fn say(&mut self, channel: usize, packet: &[u8], to: PeerId) {
        self.socket.channel_mut(channel).send(Packet::copy_from_slice(packet), to);
    }

    /// So many packets, in the order in which they came.
    pub(crate) async fn hear(&mut self, channel: usize, count: usize) -> Vec<(PeerId, Packet)> {
        let mut heard = Vec::new();
        let all = |socket: &mut WebRtcSocket| {
            heard.extend(socket.channel_mut(channel).receive());
            (heard.len() >= count).then(|| std::mem::take(&mut heard))
        };
        self.until("packets", all).await
    }

    /// Asks the socket, tick by tick, until it has an answer.
    pub(crate) async fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&mut WebRtcSocket) -> Option<T>) -> T {
        let asked = timeout(PATIENCE, async {
            loop {
                match ask(&mut self.socket) {
                    Some(answer) => return answer,
                    None => sleep(TICK).await,
                }
            }
        });
        asked.await.unwrap_or_else(|_| panic!("{what} never came"))
    }
}

/// Its process is killed: no goodbye.
impl Drop for Peer {
    fn drop(&mut self) {
        self.message_loop.abort();
    }
}
