//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692): frames to messages.

use flate2::{Decompress, FlushDecompress, Status};

/// The longest message put together, before and after it is inflated.
const LONGEST: usize = 1024 * 1024;

/// Whether this HTTP request or answer asks for a WebSocket, or grants one.
pub(super) fn upgrade(http: &[u8]) -> bool {
    http.split(|byte| *byte == b'\n').any(|line| {
        let Some(colon) = memchr::memchr(b':', line) else {
            return false;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        name.trim_ascii().eq_ignore_ascii_case(b"upgrade")
            && value.eq_ignore_ascii_case(b"websocket")
    })
}

/// Why a direction can be followed no further: reason and detail.
type Broken = (&'static str, &'static str);

/// One direction after the upgrade.
#[derive(Default)]
pub(super) struct Web {
    message: Vec<u8>,
    /// A message was begun; whether it is compressed.
    within: Option<bool>,
    inflate: Option<Decompress>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Web({} bytes)", self.message.len())
    }
}

/// A frame (RFC 6455 §5.2).
struct Frame<'a> {
    last: bool,
    compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    payload: &'a [u8],
    length: usize,
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Result<Option<Frame<'a>>, Broken> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let opcode = first & 0x0f;
        if first & 0x30 != 0 || matches!(opcode, 3..=7 | 11..) {
            return Err(("framing-lost", "bytes that begin no WebSocket frame"));
        }
        let (length, rest) = match second & 0x7f {
            126 => match rest.split_first_chunk::<2>() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            length => (u64::from(length), rest),
        };
        if length > LONGEST as u64 {
            return Err(("websocket-limit", "a WebSocket frame of more than 1 MiB"));
        }
        let (mask, rest) = match second & 0x80 {
            0 => (None, rest),
            _ => match rest.split_first_chunk::<4>() {
                Some((mask, rest)) => (Some(*mask), rest),
                None => return Ok(None),
            },
        };
        let header = bytes.len() - rest.len();
        let Some(payload) = rest.get(..length as usize) else {
            return Ok(None);
        };
        Ok(Some(Frame {
            last: first & 0x80 != 0,
            compressed: first & 0x40 != 0,
            opcode,
            mask,
            payload,
            length: header + payload.len(),
        }))
    }

    fn unmask(&self, into: &mut Vec<u8>) {
        match self.mask {
            None => into.extend_from_slice(self.payload),
            Some(mask) => {
                let mask = mask.iter().cycle();
                into.extend(
                    self.payload
                        .iter()
                        .zip(mask)
                        .map(|(byte, with)| byte ^ with),
                );
            }
        }
    }
}

impl Web {
    pub(super) fn held(&self) -> usize {
        self.message.len()
    }

    /// Whether these bytes are the beginning of a frame, and not all of it.
    pub(super) fn needs_more(bytes: &[u8]) -> bool {
        matches!(Frame::read(bytes), Ok(None))
    }

    /// Whether a whole frame stands at the beginning.
    pub(super) fn begins_whole(bytes: &[u8]) -> bool {
        matches!(Frame::read(bytes), Ok(Some(_)))
    }

    /// Whether a message was begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.within.is_some()
    }

    /// Bytes are missing: what was begun is lost, and the window of the compression with it.
    pub(super) fn gap(&mut self) {
        *self = Web::default();
    }

    /// Takes frames out of the buffer until a message is whole.
    pub(super) fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Broken> {
        let mut done = 0;
        let result = loop {
            let rest = buffer.get(done..).unwrap_or_default();
            let Some(frame) = Frame::read(rest)? else {
                break None;
            };
            done += frame.length;
            // Control frames may stand between those of a message (RFC 6455 §5.4).
            if frame.opcode >= 8 {
                continue;
            }
            if frame.opcode != 0 || self.within.is_none() {
                self.message.clear();
                self.within = Some(frame.compressed);
            }
            if self.message.len() + frame.payload.len() > LONGEST {
                return Err(("websocket-limit", "a WebSocket message of more than 1 MiB"));
            }
            frame.unmask(&mut self.message);
            if frame.last {
                let compressed = self.within.take().unwrap_or(false);
                let message = std::mem::take(&mut self.message);
                break Some(match compressed {
                    true => self.inflate(message)?,
                    false => message,
                });
            }
        };
        buffer.drain(..done.min(buffer.len()));
        Ok(result)
    }

    /// RFC 7692 §7.2.2. A window that is kept serves both ways of sending.
    fn inflate(&mut self, mut message: Vec<u8>) -> Result<Vec<u8>, Broken> {
        message.extend([0, 0, 0xff, 0xff]);
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(false));
        let (mut out, mut chunk, mut at) = (Vec::new(), [0; 4096], 0);
        loop {
            let (from, to) = (inflate.total_in(), inflate.total_out());
            let rest = message.get(at..).unwrap_or_default();
            let status = inflate
                .decompress(rest, &mut chunk, FlushDecompress::Sync)
                .map_err(|_| {
                    (
                        "websocket-deflate",
                        "a compressed message that does not inflate",
                    )
                })?;
            let (read, written) = (inflate.total_in() - from, inflate.total_out() - to);
            at += read as usize;
            out.extend_from_slice(chunk.get(..written as usize).unwrap_or_default());
            if out.len() > LONGEST {
                return Err((
                    "websocket-limit",
                    "a message that inflates to more than 1 MiB",
                ));
            }
            if status == Status::StreamEnd {
                inflate.reset(false);
                return Ok(out);
            }
            if read == 0 && written == 0 || at >= message.len() && (written as usize) < chunk.len()
            {
                return Ok(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let bit = if mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(bit | length as u8),
            length => {
                bytes.push(bit | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
        }
        bytes.extend(mask.into_iter().flatten());
        let mask = mask.unwrap_or_default();
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
        bytes
    }

    fn messages(bytes: &[u8], cut: usize) -> Vec<Vec<u8>> {
        let (mut web, mut buffer, mut all) = (Web::default(), Vec::new(), Vec::new());
        for part in [&bytes[..cut], &bytes[cut..]] {
            buffer.extend_from_slice(part);
            while let Ok(Some(message)) = web.next(&mut buffer) {
                all.push(message);
            }
        }
        all
    }

    #[test]
    fn messages_come_whole_from_any_cut() {
        let bytes = [
            frame(0x81, Some([1, 2, 3, 4]), &[b'a'; 200]),
            frame(0x01, None, b"one "),
            frame(0x89, None, b"ping"),
            frame(0x00, None, b"two "),
            frame(0x80, None, b"three"),
            frame(0x82, Some([9, 9, 9, 9]), b""),
        ]
        .concat();
        for cut in 0..bytes.len() {
            let all = messages(&bytes, cut);
            assert_eq!(all, [&[b'a'; 200][..], b"one two three", b""]);
        }
    }

    fn deflated(takeover: bool) -> Vec<u8> {
        let mut compress = Compress::new(Compression::default(), false);
        let mut all = Vec::new();
        for _ in 0..3 {
            let mut out = Vec::with_capacity(4096);
            compress
                .compress_vec(b"hello, hello, hello", &mut out, FlushCompress::Sync)
                .unwrap();
            out.truncate(out.len() - 4);
            all.extend(frame(0xc1, None, &out));
            if !takeover {
                compress.reset();
            }
        }
        all
    }

    #[test]
    fn compressed_messages_are_inflated_with_and_without_a_kept_window() {
        for takeover in [true, false] {
            let all = messages(&deflated(takeover), 0);
            assert_eq!(all, [b"hello, hello, hello"; 3]);
        }
    }

    #[test]
    fn a_message_that_inflates_without_end_is_given_up() {
        let mut compress = Compress::new(Compression::best(), false);
        let mut out = Vec::with_capacity(1 << 20);
        let zeros = vec![0; 8 << 20];
        compress
            .compress_vec(&zeros, &mut out, FlushCompress::Sync)
            .unwrap();
        let mut buffer = frame(0xc1, None, &out);
        let result = Web::default().next(&mut buffer);
        assert_eq!(result.map_err(|(reason, _)| reason), Err("websocket-limit"));
    }

    #[test]
    fn an_upgrade_is_told_from_other_http() {
        assert!(upgrade(
            b"GET / HTTP/1.1\r\nHost: a\r\nupgrade:  WebSocket\r\n"
        ));
        assert!(!upgrade(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n"));
    }
}
