//! A TCP or TLS client's stream: however the network cuts it, the frames are the same, and no frame is asked for that
//! does not come.
//!
//! The first bytes of the input say where the stream is cut; the rest is the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthouse_stun::stream::{Frame, next_frame};

/// More than the longest frame: 64 KiB and both headers.
const LONGEST: usize = 65_536 + 20;

fuzz_target!(|input: &[u8]| {
    let (cuts, stream) = input.split_at(input.len().min(16));
    let whole = frames([stream].into_iter());
    assert_eq!(frames(pieces(stream, cuts)), whole, "cut otherwise, the frames differ");
    assert_eq!(frames(stream.chunks(1)), whole, "byte by byte, the frames differ");
});

/// The stream in pieces as long as `cuts` says, over and over.
fn pieces<'s>(stream: &'s [u8], cuts: &'s [u8]) -> impl Iterator<Item = &'s [u8]> {
    let mut rest = stream;
    let mut lengths = cuts.iter().cycle().map(|&length| usize::from(length) + 1);
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(lengths.next()?.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Every frame, then whether the stream broke: what a reader sees that keeps what is not whole yet.
fn frames<'s>(pieces: impl Iterator<Item = &'s [u8]>) -> (Vec<Vec<u8>>, bool) {
    let (mut waiting, mut frames) = (Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        loop {
            match next_frame(&waiting) {
                Frame::Complete { len, advance, .. } => {
                    assert!(0 < len && len <= advance && advance <= waiting.len());
                    frames.push(waiting[..len].to_vec());
                    waiting.drain(..advance);
                }
                Frame::Incomplete { needed } => {
                    assert!(waiting.len() < needed && needed <= LONGEST, "waits for {needed} bytes");
                    break;
                }
                Frame::Broken => return (frames, true),
            }
        }
    }
    (frames, false)
}
