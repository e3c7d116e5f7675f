//! [`Arena`]: the one memory that packets are received into, answered from and sent from.
//!
//! ```text
//! slot 0                                    slot 1 ...        headers           answers          zeros
//! | head room 64 | up to 88 KiB | tail 64 | head room ...    | 1024 x 48 B    | 64 KiB         | 4 |
//!                 ^ the kernel writes here
//!      [ header ][ payload      ][ pad ]
//!      ^ written in place, sent as one piece
//! ```
//!
//! A read that the kernel joined from several datagrams has no room between them: their headers are written aside and
//! gathered with their payloads by the send. Nothing is copied but answers, which are no relayed packets.

use posthouse_turn::WrapHeader;

use crate::kernel::send::Piece;

/// In front of every read; the header that is put there has at most [`WrapHeader::MAX`] bytes.
const HEAD_ROOM: usize = 64;
/// The longest that the kernel joins or delivers, and what one read of a stream asks for.
pub(crate) const READ_MAX: usize = 65_536;
/// The longest beginning of a stream's frame: ChannelData has up to 65,540 bytes, a STUN message 65,552.
pub(crate) const BEGINNING_MAX: usize = 65_552;
/// A read of a stream: the beginning of a frame, a TLS record that was held back, and what comes now.
const STREAM_MAX: usize = 88 << 10;
/// Behind every read: padding of a Data indication.
const TAIL_ROOM: usize = 64;
/// No multiple of a page, so that the beginnings of slots do not fight for one cache set.
const SLOT: usize = HEAD_ROOM + STREAM_MAX + TAIL_ROOM;

const HEADERS: usize = 1024;
const ANSWERS: usize = 64 << 10;
const ZEROS: usize = 4;

const _: () = assert!(HEAD_ROOM >= WrapHeader::MAX && TAIL_ROOM >= ZEROS);
const _: () = assert!(STREAM_MAX >= BEGINNING_MAX + crate::stream::RECORD_MAX + 4096 && STREAM_MAX >= READ_MAX);

/// Slots for reads and what stands beside them. Pages that no packet ever touched stay virtual.
#[derive(Debug)]
pub(crate) struct Arena {
    memory: Vec<u8>,
    slots: usize,
    used: usize,
    headers: usize,
    answered: usize,
}

/// A packet in the arena, and how many bytes around it are nobody else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) len: usize,
    before: usize,
    after: usize,
}

impl Place {
    /// A part of the packet; what is before it in the packet is free to be written over.
    pub(crate) fn part(self, range: &std::ops::Range<usize>) -> Self {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        Self {
            start: self.start + start,
            len: end - start,
            before: self.before + start,
            after: self.after + (self.len - end),
        }
    }

    pub(crate) fn piece(self) -> Piece {
        Piece { start: self.start as u32, len: self.len as u32 }
    }
}

/// Header, payload, padding: what one datagram is gathered from. Unused pieces are empty.
pub(crate) type Pieces = [Piece; 3];

impl Arena {
    pub(crate) fn new(slots: usize) -> Self {
        let slots = slots.clamp(1, 1024);
        Self {
            memory: vec![0; slots * SLOT + HEADERS * WrapHeader::MAX + ANSWERS + ZEROS],
            slots,
            used: 0,
            headers: 0,
            answered: 0,
        }
    }

    pub(crate) fn memory(&self) -> &[u8] {
        &self.memory
    }

    pub(crate) fn bytes(&self, place: Place) -> &[u8] {
        &self.memory[place.start..place.start + place.len]
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Slots that may be received into.
    pub(crate) fn free(&self) -> usize {
        self.slots - self.used
    }

    /// The free slots' room, in order.
    pub(crate) fn rooms(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let free = &mut self.memory[self.used * SLOT..self.slots * SLOT];
        free.chunks_exact_mut(SLOT).map(|slot| &mut slot[HEAD_ROOM..HEAD_ROOM + READ_MAX])
    }

    /// The next free slot's room for a stream.
    pub(crate) fn stream_room(&mut self) -> Option<&mut [u8]> {
        let start = self.used * SLOT + HEAD_ROOM;
        (self.used < self.slots).then(|| &mut self.memory[start..start + STREAM_MAX])
    }

    /// The next `n` slots are filled; returns the first one's number.
    pub(crate) fn take(&mut self, n: usize) -> usize {
        let first = self.used;
        self.used += n;
        first
    }

    /// All packets are dealt with and sent: every slot is free again.
    pub(crate) fn reset(&mut self) {
        self.used = 0;
        self.sent();
    }

    /// What was queued is sent: headers and answers may be written over, reads stay.
    pub(crate) fn sent(&mut self) {
        self.headers = 0;
        self.answered = 0;
    }

    /// The datagrams of a read of `len` bytes in `slot`; `segment` is their size when the kernel joined several.
    pub(crate) fn datagrams(slot: usize, len: usize, segment: u16) -> impl Iterator<Item = Place> {
        let size = match usize::from(segment) {
            0 => len.max(1),
            size => size,
        };
        let start = slot * SLOT + HEAD_ROOM;
        // An empty datagram is one as well.
        (0..len.max(1)).step_by(size).map(move |at| {
            let end = (at + size).min(len);
            let before = if at == 0 { HEAD_ROOM } else { 0 };
            let after = if end == len { TAIL_ROOM } else { 0 };
            Place { start: start + at, len: end - at, before, after }
        })
    }

    /// A frame of a stream, `at` so many bytes into `slot`; of the `advance` bytes that it takes there, those behind
    /// its own `len` are padding.
    pub(crate) fn frame(slot: usize, at: usize, len: usize, advance: usize) -> Place {
        let before = if at == 0 { HEAD_ROOM } else { 0 };
        Place { start: slot * SLOT + HEAD_ROOM + at, len, before, after: advance - len }
    }

    /// Puts `header` in front of the packet and `padding` zero bytes behind it: in place where there is room.
    /// `None` when the headers beside are used up: send first.
    pub(crate) fn wrap(&mut self, payload: Place, header: &[u8], padding: u8) -> Option<Pieces> {
        let padding = usize::from(padding).min(ZEROS);
        let (mut start, mut end) = (payload.start, payload.start + payload.len);
        let mut pieces = Pieces::default();
        if header.len() <= payload.before {
            start -= header.len();
            self.memory[start..payload.start].copy_from_slice(header);
        } else {
            pieces[0] = self.aside(header)?;
        }
        if padding <= payload.after {
            self.memory[end..end + padding].fill(0);
            end += padding;
        } else {
            pieces[2] = Piece { start: (self.memory.len() - ZEROS) as u32, len: padding as u32 };
        }
        pieces[1] = Piece { start: start as u32, len: (end - start) as u32 };
        Some(pieces)
    }

    fn aside(&mut self, header: &[u8]) -> Option<Piece> {
        if self.headers == HEADERS || header.len() > WrapHeader::MAX {
            return None;
        }
        let start = self.slots * SLOT + self.headers * WrapHeader::MAX;
        self.headers += 1;
        self.memory[start..start + header.len()].copy_from_slice(header);
        Some(Piece { start: start as u32, len: header.len() as u32 })
    }

    /// Whether [`Self::answer`] will take `len` bytes now.
    pub(crate) fn has_room_for_answer(&self, len: usize) -> bool {
        self.answered + len <= ANSWERS
    }

    /// Keeps a packet that was received long ago until it is sent. `None` when there is no room: send first.
    pub(crate) fn keep(&mut self, packet: &[u8]) -> Option<Place> {
        let piece = self.answer(packet)?;
        Some(Place { start: piece.start as usize, len: piece.len as usize, before: 0, after: 0 })
    }

    /// Keeps an answer until it is sent. `None` when there is no room: send first.
    pub(crate) fn answer(&mut self, message: &[u8]) -> Option<Piece> {
        let start = self.slots * SLOT + HEADERS * WrapHeader::MAX + self.answered;
        if !self.has_room_for_answer(message.len()) {
            return None;
        }
        self.answered += message.len();
        self.memory[start..start + message.len()].copy_from_slice(message);
        Some(Piece { start: start as u32, len: message.len() as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(arena: &Arena, pieces: Pieces) -> Vec<u8> {
        let slice = |p: Piece| &arena.memory()[p.start as usize..][..p.len as usize];
        pieces.into_iter().flat_map(slice).copied().collect()
    }

    fn filled(bytes: &[u8]) -> Arena {
        let mut arena = Arena::new(2);
        arena.rooms().next().unwrap()[..bytes.len()].copy_from_slice(bytes);
        arena.take(1);
        arena
    }

    #[test]
    fn a_joined_read_falls_apart_into_its_datagrams() {
        let arena = filled(b"aaabbbc");
        let parts: Vec<_> = Arena::datagrams(0, 7, 3).map(|p| arena.bytes(p).to_vec()).collect();
        assert_eq!(parts, [b"aaa".to_vec(), b"bbb".to_vec(), b"c".to_vec()]);
        assert_eq!(Arena::datagrams(0, 7, 0).count(), 1);
    }

    #[test]
    fn an_empty_datagram_is_a_datagram() {
        let places: Vec<_> = Arena::datagrams(1, 0, 0).collect();
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].len, 0);
    }

    #[test]
    fn wrapping_one_joined_datagram_leaves_its_neighbours_whole() {
        let mut arena = filled(b"aaabbbc");
        let places: Vec<_> = Arena::datagrams(0, 7, 3).collect();
        let wrapped: Vec<_> = places.iter().map(|p| arena.wrap(*p, b"HEAD", 2).unwrap()).collect();
        let wrapped: Vec<_> = wrapped.into_iter().map(|p| gathered(&arena, p)).collect();
        assert_eq!(wrapped, [b"HEADaaa\0\0".to_vec(), b"HEADbbb\0\0".to_vec(), b"HEADc\0\0".to_vec()]);
    }

    #[test]
    fn a_lone_datagram_is_wrapped_in_one_piece() {
        let mut arena = filled(b"payload");
        let place = Arena::datagrams(0, 7, 0).next().unwrap();
        let pieces = arena.wrap(place, &[1; WrapHeader::MAX], 1).unwrap();
        assert_eq!((pieces[0].len, pieces[2].len), (0, 0));
        assert_eq!(gathered(&arena, pieces), [&[1; WrapHeader::MAX][..], b"payload\0"].concat());
    }

    #[test]
    fn the_payload_of_a_client_may_be_wrapped_for_another_client() {
        let mut arena = filled(b"ABCDone.ABCDtwo.");
        let places: Vec<_> = Arena::datagrams(0, 16, 8).map(|p| p.part(&(4..7))).collect();
        let wrapped: Vec<_> = places.iter().map(|p| arena.wrap(*p, b"wxyz", 1).unwrap()).collect();
        let wrapped: Vec<_> = wrapped.into_iter().map(|p| gathered(&arena, p)).collect();
        assert_eq!(wrapped, [b"wxyzone\0".to_vec(), b"wxyztwo\0".to_vec()]);
    }

    #[test]
    fn wrapping_one_frame_of_a_stream_leaves_the_next_whole() {
        let mut arena = filled(b"ABCDone.ABCDtwo.");
        let places: Vec<_> = [0, 8].map(|at| Arena::frame(0, at, 7, 8).part(&(4..7))).to_vec();
        let wrapped: Vec<_> = places.iter().map(|p| arena.wrap(*p, &[9; 36], 1).unwrap()).collect();
        let wrapped: Vec<_> = wrapped.into_iter().map(|p| gathered(&arena, p)).collect();
        assert_eq!(wrapped, [[&[9; 36][..], b"one\0"].concat(), [&[9; 36][..], b"two\0"].concat()]);
    }

    #[test]
    fn room_for_answers_and_headers_ends_and_comes_back() {
        let mut arena = Arena::new(1);
        assert!((0..64).all(|_| arena.answer(&[7; 1024]).is_some()));
        assert!(arena.answer(&[7]).is_none());
        arena.sent();
        assert!(arena.answer(&[7]).is_some());
    }
}
