//! WebSockets by hand: bytes as they are, with nobody between the test and the wire.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::house::{House, PATIENCE};

/// An opening request for `path`, some headers changed, or left out where they are empty.
pub(crate) fn handshake(house: &House, path: &str, change: &[(&str, &str)]) -> String {
    let address = house.address.to_string();
    let mut headers = vec![
        ("Host", address.as_str()),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in change {
        headers.retain(|(other, _)| other != name);
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\n{lines}\r\n")
}

/// An open socket without anybody between the test and the wire.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn open(house: &House) -> Self {
        Self::open_with(house, "/ws", &[]).await
    }

    /// With bytes that travel right behind the handshake.
    pub(crate) async fn open_with(house: &House, path: &str, early: &[u8]) -> Self {
        Self::upgrade(TcpStream::connect(house.address).await.unwrap(), house, path, early).await
    }

    /// One whose kernel keeps little for it, so that a client that does not read is soon one that cannot be written to.
    pub(crate) async fn narrow(house: &House, path: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self::upgrade(socket.connect(house.address).await.unwrap(), house, path, &[]).await
    }

    async fn upgrade(mut stream: TcpStream, house: &House, path: &str, early: &[u8]) -> Self {
        let bytes = [handshake(house, path, &[]).as_bytes(), early].concat();
        stream.write_all(&bytes).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        assert!(!head.to_lowercase().contains("extensions"), "{head}");
        Self(stream)
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame: opcode and payload.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let first = self.0.read_u8().await.ok()?;
            let length = match self.0.read_u8().await.ok()? {
                126 => usize::from(self.0.read_u16().await.ok()?),
                127 => usize::try_from(self.0.read_u64().await.ok()?).unwrap(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.ok()?;
            Some((first & 15, payload))
        };
        timeout(PATIENCE, read).await.expect("a frame or the end comes")
    }

    /// The code the server closes with; other frames are skipped.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while let Some((opcode, payload)) = self.frame().await {
            if opcode == 8 {
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
        None
    }
}

/// A masked client frame; mask key 0 leaves the payload readable (W29).
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        long @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
        huge => {
            bytes.push(0x80 | 127);
            bytes.extend((huge as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

pub(crate) const TEXT: u8 = 0x81;
