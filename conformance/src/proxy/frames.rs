//! WebSocket frames out of a stream of bytes, and back.

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

/// The direction of a frame through the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    ToServer,
    ToClient,
}

/// A frame that is longer than this is passed on as it comes in, and not kept until it is whole.
const LONGEST: u64 = 4 << 20;

/// What comes out of a stream, one after the other. The bytes of all pieces are the bytes that went in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A text message in one frame: as it came, and as it reads.
    Text { raw: Bytes, text: String },
    /// Anything else, as it came: binary, ping, pong and close frames, fragments, compressed frames, parts of a frame that
    /// is too long to keep, and what is no WebSocket frame at all.
    Other(Bytes),
}

/// Takes a stream of bytes apart.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
    /// How much of a long frame has yet to pass.
    rest: u64,
    /// What came could not be understood, and nothing that comes after it can.
    blind: bool,
}

impl Frames {
    /// Where to put what is read.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next piece, if enough has come for one.
    pub(super) fn next(&mut self) -> Option<Piece> {
        if self.buffer.is_empty() {
            return None;
        }
        if self.blind {
            return Some(Piece::Other(self.buffer.split().freeze()));
        }
        if self.rest == 0 {
            let mut cursor = Cursor::new(&self.buffer);
            match FrameHeader::parse(&mut cursor) {
                Err(_) => {
                    self.blind = true;
                    return self.next();
                }
                Ok(None) => return None,
                Ok(Some((header, length))) => {
                    let whole = cursor.position().saturating_add(length);
                    if length <= LONGEST {
                        return self.whole(&header, usize::try_from(whole).ok()?);
                    }
                    self.rest = whole;
                }
            }
        }
        let here = usize::try_from(self.rest).map_or(self.buffer.len(), |rest| rest.min(self.buffer.len()));
        self.rest -= here as u64;
        Some(Piece::Other(self.buffer.split_to(here).freeze()))
    }

    fn whole(&mut self, header: &FrameHeader, length: usize) -> Option<Piece> {
        if self.buffer.len() < length {
            self.buffer.reserve(length - self.buffer.len());
            return None;
        }
        let raw = self.buffer.split_to(length).freeze();
        Some(match text(header, &raw) {
            Some(text) => Piece::Text { raw, text },
            None => Piece::Other(raw),
        })
    }
}

/// The text of a frame that holds a whole text message.
fn text(header: &FrameHeader, raw: &Bytes) -> Option<String> {
    let plain = header.is_final && !(header.rsv1 || header.rsv2 || header.rsv3);
    if !plain || header.opcode != OpCode::Data(Data::Text) {
        return None;
    }
    let mut payload = raw.clone();
    let mut cursor = Cursor::new(raw);
    FrameHeader::parse(&mut cursor).ok()??;
    payload.advance(usize::try_from(cursor.position()).ok()?);
    let mut payload = Vec::from(payload);
    if let Some(mask) = header.mask {
        payload
            .iter_mut()
            .zip(mask.iter().cycle())
            .for_each(|(byte, mask)| *byte ^= mask);
    }
    String::from_utf8(payload).ok()
}

/// A text message as a frame; what goes to a server is masked, as the protocol of WebSockets wants it.
pub(super) fn encode(text: &str, to_server: bool) -> Bytes {
    let mut frame = Frame::message(text.to_owned(), OpCode::Data(Data::Text), true);
    frame.header_mut().mask = to_server.then(rand::random);
    let mut bytes = Vec::with_capacity(frame.len());
    // Writing to memory does not fail.
    frame.format(&mut bytes).ok();
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that comes out when `bytes` come in, `step` at a time.
    fn taken_apart(bytes: &[u8], step: usize) -> Vec<Piece> {
        let mut frames = Frames::default();
        let mut pieces = Vec::new();
        for some in bytes.chunks(step) {
            frames.buffer().extend_from_slice(some);
            pieces.extend(std::iter::from_fn(|| frames.next()));
        }
        pieces
    }

    fn bytes_of(pieces: &[Piece]) -> Vec<u8> {
        let bytes = pieces.iter().map(|piece| match piece {
            Piece::Text { raw, .. } | Piece::Other(raw) => raw.as_ref(),
        });
        bytes.collect::<Vec<_>>().concat()
    }

    fn texts(pieces: &[Piece]) -> Vec<&str> {
        let mut texts = Vec::new();
        for piece in pieces {
            if let Piece::Text { text, .. } = piece {
                texts.push(text.as_str());
            }
        }
        texts
    }

    #[test]
    fn texts_are_read_and_no_byte_is_lost_however_it_comes_in() {
        let long = "é".repeat(40_000);
        let mut bytes = Vec::new();
        bytes.extend(encode("42[\"a\",1]", true));
        bytes.extend(encode(&long, false));
        // A ping, a fragmented text, binary, broken UTF-8, a close with code 1000.
        bytes.extend([0x89, 0, 0x01, 1, b'x', 0x80, 1, b'y', 0x82, 1, 0, 0x81, 1, 0xff]);
        bytes.extend([0x88, 2, 0x03, 0xe8]);
        bytes.extend(encode("2", false));
        for step in [1, 7, 4_096, bytes.len()] {
            let pieces = taken_apart(&bytes, step);
            assert_eq!(bytes_of(&pieces), bytes, "{step} at a time");
            assert_eq!(texts(&pieces), ["42[\"a\",1]", long.as_str(), "2"]);
        }
    }

    #[test]
    fn what_is_too_long_or_no_frame_passes_all_the_same() {
        let mut long = vec![0x81, 127];
        long.extend((LONGEST + 1).to_be_bytes());
        long.extend(std::iter::repeat_n(b'x', usize::try_from(LONGEST + 1).unwrap()));
        long.extend(encode("2", false));
        let pieces = taken_apart(&long, 1 << 20);
        assert_eq!((bytes_of(&pieces), texts(&pieces)), (long, vec!["2"]));

        // A reserved opcode: where the next frame begins cannot be known.
        let broken = [&[0x83, 1, b'x'][..], &encode("2", false)].concat();
        let pieces = taken_apart(&broken, 2);
        assert_eq!((bytes_of(&pieces), texts(&pieces)), (broken, vec![]));
    }
}
