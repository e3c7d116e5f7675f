//! TLS without waiting: rustls is fed what came and asked what to send.

use std::io::{self, IoSlice, Read, Write};

use rustls::ServerConnection;

use super::End;
use super::wire::{Socket, Written, unless_full};

/// The longest record, with its header (RFC 5246 §6.2.3): what rustls may hold back of earlier reads, and give out with
/// the next.
pub(crate) const RECORD_MAX: usize = 5 + (1 << 14) + 2048;

/// Reads once, decrypts all of it into `room`. What is in `room` is all that can be decrypted, so that the kernel
/// alone knows whether there is more.
pub(crate) fn read(
    tls: &mut ServerConnection,
    socket: &mut Socket<'_>,
    room: &mut [u8],
    ciphertext: &mut [u8],
) -> (usize, Option<End>) {
    let most = room.len().saturating_sub(RECORD_MAX).min(ciphertext.len());
    let (n, mut end) = socket.read_once(&mut ciphertext[..most]).map_or_else(|e| (0, Some(e)), |n| (n, None));
    let (mut come, mut len) = (&ciphertext[..n], 0);
    while end.is_none() && !come.is_empty() {
        end = match tls.read_tls(&mut come) {
            // After close_notify nothing is read any more (RFC 8446 §6.1).
            Ok(0) => Some(End::Client),
            Ok(_) => decrypt(tls, room, &mut len).err(),
            Err(_) => Some(End::Tls),
        };
    }
    // Answers of TLS itself: an alert, a key update.
    if let Err(reset) = flush(tls, socket) {
        end = end.or(Some(reset));
    }
    (len, end)
}

fn decrypt(tls: &mut ServerConnection, room: &mut [u8], len: &mut usize) -> Result<(), End> {
    let state = tls.process_new_packets().map_err(|_| End::Tls)?;
    if state.plaintext_bytes_to_read() > 0 {
        *len += tls.reader().read(&mut room[*len..]).map_err(|_| End::Tls)?;
    }
    if state.peer_has_closed() { Err(End::Client) } else { Ok(()) }
}

/// Plaintext that came with the handshake and was not read.
pub(crate) fn unread(tls: &mut ServerConnection) -> io::Result<Vec<u8>> {
    let state = tls.process_new_packets().map_err(io::Error::other)?;
    let mut bytes = vec![0; state.plaintext_bytes_to_read()];
    if !bytes.is_empty() {
        tls.reader().read_exact(&mut bytes)?;
    }
    Ok(bytes)
}

/// Encrypts and writes as long as the kernel takes it. What is encrypted and not written waits in rustls, at most its
/// own 64 KiB.
pub(crate) fn write(
    tls: &mut ServerConnection,
    socket: &mut Socket<'_>,
    slices: &mut [IoSlice<'_>],
) -> Result<Written, End> {
    let mut written = Written { taken: 0, moved: flush(tls, socket)? > 0 };
    if !tls.wants_write() {
        encrypt(tls, socket, slices, &mut written)?;
        written.moved |= flush(tls, socket)? > 0;
    }
    Ok(written)
}

/// [`write`] for frames, each in a record of its own and all in as few writes as can be. Some clients take a record for
/// a message (coturn's turnutils_uclient does) and lose what stands behind the first frame of one.
pub(crate) fn write_frames<'f, const PIECES: usize>(
    tls: &mut ServerConnection,
    socket: &mut Socket<'_>,
    frames: impl Iterator<Item = [IoSlice<'f>; PIECES]>,
) -> Result<Written, End> {
    let mut written = Written { taken: 0, moved: flush(tls, socket)? > 0 };
    for mut pieces in frames {
        if !encrypt(tls, socket, &mut pieces, &mut written)? {
            break;
        }
    }
    written.moved |= flush(tls, socket)? > 0;
    Ok(written)
}

/// Encrypts, and writes only where rustls holds as much as it may. False when neither rustls nor the kernel takes all.
fn encrypt(
    tls: &mut ServerConnection,
    socket: &mut Socket<'_>,
    mut slices: &mut [IoSlice<'_>],
    written: &mut Written,
) -> Result<bool, End> {
    loop {
        let n = tls.writer().write_vectored(slices).map_err(|_| End::Tls)?;
        IoSlice::advance_slices(&mut slices, n);
        written.taken += n;
        if slices.is_empty() {
            return Ok(true);
        }
        let sent = flush(tls, socket)?;
        written.moved |= sent > 0;
        if tls.wants_write() || n + sent == 0 {
            return Ok(false);
        }
    }
}

/// Writes ciphertext until the kernel takes no more. Returns how many bytes it took.
pub(crate) fn flush(tls: &mut ServerConnection, socket: &mut Socket<'_>) -> Result<usize, End> {
    let mut sent = 0;
    while tls.wants_write() {
        match unless_full(tls.write_tls(socket))? {
            0 => break,
            n => sent += n,
        }
    }
    Ok(sent)
}
