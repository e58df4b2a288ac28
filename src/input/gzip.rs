//! Gzip (RFC 1952), any number of members; what follows the last one is damage, not failure.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use super::summary::SourceDamage;

/// The first two bytes of a member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses member after member. flate2's own decoder for several members cannot tell padding
/// behind the last one from damage inside it.
pub(crate) struct Gunzip {
    state: State,
}

enum State {
    Between(BufReader<Box<dyn Read + Send>>),
    Member(Box<GzDecoder<BufReader<Box<dyn Read + Send>>>>),
    Done,
}

impl Gunzip {
    /// The decompressed content of `source`.
    pub(crate) fn new(source: Box<dyn Read + Send>) -> Self {
        let compressed = BufReader::with_capacity(64 << 10, source);
        Self {
            state: State::Member(Box::new(GzDecoder::new(compressed))),
        }
    }
}

impl Read for Gunzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Member(mut decoder) => match decoder.read(out) {
                    Ok(0) => self.state = State::Between(decoder.into_inner()),
                    Ok(count) => {
                        self.state = State::Member(decoder);
                        return Ok(count);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {
                        self.state = State::Member(decoder);
                        return Err(error);
                    }
                    Err(error) => return Err(verdict(&error)),
                },
                State::Between(mut compressed) => {
                    let next = match compressed.fill_buf() {
                        Ok(bytes) => bytes.first().copied(),
                        Err(error) if error.kind() == ErrorKind::Interrupted => {
                            self.state = State::Between(compressed);
                            return Err(error);
                        }
                        Err(error) => return Err(error),
                    };
                    match next {
                        None => return Ok(0),
                        Some(byte) if byte == MAGIC[0] => {
                            self.state = State::Member(Box::new(GzDecoder::new(compressed)));
                        }
                        Some(_) => {
                            return Err(SourceDamage::error(
                                "gzip-trailing",
                                "bytes that are no gzip follow the compressed data",
                            ));
                        }
                    }
                }
            }
        }
    }
}

fn verdict(error: &io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            SourceDamage::error("gzip-cut", "the compressed data ends too early")
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData => SourceDamage::error(
            "gzip-damaged",
            "the compressed data is damaged from here on",
        ),
        kind => io::Error::new(kind, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::buffer::Buffer;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn read_all(compressed: Vec<u8>) -> (Vec<u8>, Option<&'static str>) {
        let source = Gunzip::new(Box::new(io::Cursor::new(compressed)));
        let mut buffer = Buffer::new(Box::new(source), 4096);
        buffer.fill(1 << 20);
        let reason = buffer.failure().map(|damage| damage.reason);
        (buffer.available().to_vec(), reason)
    }

    #[test]
    fn members_follow_each_other() {
        let mut file = gzip(b"one ");
        file.extend(gzip(b"two"));
        assert_eq!(read_all(file), (b"one two".to_vec(), None));
    }

    #[test]
    fn padding_behind_the_data_keeps_the_data() {
        let mut file = gzip(b"all of it");
        file.extend([0; 512]);
        assert_eq!(
            read_all(file),
            (b"all of it".to_vec(), Some("gzip-trailing"))
        );
    }

    #[test]
    fn a_cut_file_gives_what_it_holds() {
        let data: Vec<u8> = (0u32..50_000).flat_map(|n| (n * n).to_le_bytes()).collect();
        let file = gzip(&data);
        let (read, reason) = read_all(file[..file.len() / 2].to_vec());
        assert_eq!(reason, Some("gzip-cut"));
        assert!(read.len() > 1000 && data.starts_with(&read));
    }
}
