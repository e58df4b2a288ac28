//! Snoop (RFC 1761), as Solaris writes it: big-endian, microseconds, records padded to four bytes.

use super::Time;
use super::buffer::Buffer;
use super::capture::{Head, Steps};
use super::summary::Damages;

const MAGIC: &[u8] = b"snoop\0\0\0";
const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;
const LARGEST_RECORD: usize = 1 << 20;

/// Data link types of the file header, and the LINKTYPE that each is.
const LINKS: &[(u32, u32)] = &[
    (0, 1),  // IEEE 802.3
    (2, 6),  // Token Ring
    (4, 1),  // Ethernet
    (8, 10), // FDDI
];
/// So that a link type without a counterpart is reported by its number.
const OTHER_LINK: u32 = 1 << 16;

/// Walks the records of a snoop capture.
pub(crate) struct Snoop {
    link: u32,
}

impl Snoop {
    /// Whether a file that begins with these bytes is a snoop capture.
    pub(crate) fn recognises(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads the file header.
    pub(crate) fn begin(buffer: &mut Buffer) -> Option<Self> {
        buffer.fill(FILE_HEADER);
        let number = u32_at(buffer.available(), 12)?;
        buffer.consume(FILE_HEADER);
        let known = LINKS.iter().find(|(snoop, _)| *snoop == number);
        let link = known.map_or(OTHER_LINK.saturating_add(number), |(_, link)| *link);
        Some(Self { link })
    }
}

impl Steps for Snoop {
    fn step(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<Head> {
        let offset = buffer.position();
        if !buffer.fill(RECORD_HEADER) {
            let left = buffer.available().len();
            if left > 0 {
                damages.note("cut-record", offset, || {
                    format!("{left} bytes of a record header")
                });
                buffer.consume(left);
            }
            return None;
        }
        let field = |place: usize| u32_at(buffer.available(), 4 * place);
        let (wire_len, len, total) = (field(0)?, field(1)? as usize, field(2)? as usize);
        let (seconds, microseconds) = (field(4)?, field(5)?);
        if total < RECORD_HEADER + len || total > LARGEST_RECORD {
            damages.note("record-length", offset, || {
                format!("a record claims {len} bytes of {total}; the rest was not read")
            });
            return None;
        }
        // The padding behind the last record may be missing.
        if !buffer.fill(total) && buffer.available().len() < RECORD_HEADER + len {
            let held = buffer.available().len();
            damages.note("cut-record", offset, || {
                format!("a record of {total} bytes, of which {held} are there")
            });
            buffer.consume(held);
            return None;
        }
        let time = i64::from(seconds) * 1_000_000_000 + i64::from(microseconds) * 1000;
        Some(Head {
            skip: RECORD_HEADER,
            len,
            total,
            time: Some(Time(time)),
            link: self.link,
            wire_len,
            secrets: false,
        })
    }

    fn link(&self) -> Option<u32> {
        Some(self.link)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use crate::input::samples::{read, reasons};

    fn sample() -> Vec<u8> {
        let mut file = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
        for (second, data) in [(7u32, &b"abc"[..]), (8, b"defgh")] {
            let len = data.len() as u32;
            let total = 24 + len.next_multiple_of(4);
            for field in [len + 10, len, total, 0, second, 250_000] {
                file.extend(field.to_be_bytes());
            }
            file.extend(data);
            file.extend(vec![0; (total - 24 - len) as usize]);
        }
        file
    }

    #[test]
    fn records_are_read_with_their_times() {
        let (seen, summary) = read(&sample());
        let brief: Vec<_> = seen
            .iter()
            .map(|r| (r.place, r.link, r.time.unwrap(), r.bytes.as_slice()))
            .collect();
        assert_eq!(
            brief,
            [
                (1, 1, 7_250_000_000, &b"abc"[..]),
                (2, 1, 8_250_000_000, b"defgh")
            ]
        );
        assert_eq!(
            (summary.format.as_str(), summary.damage.len()),
            ("snoop", 0)
        );
    }

    #[test]
    fn every_cut_keeps_what_is_whole() {
        let file = sample();
        for end in 17..file.len() {
            let (seen, summary) = read(&file[..end]);
            let expected = usize::from(end >= 16 + 27) + usize::from(end >= 16 + 28 + 29);
            assert_eq!(seen.len(), expected, "{end} bytes");
            let clean = matches!(end, 43 | 44) || end >= 73;
            assert_eq!(reasons(&summary).is_empty(), clean, "{end} bytes");
        }
    }

    #[test]
    fn lengths_that_contradict_each_other_end_the_reading() {
        let mut file = sample();
        file[16 + 28 + 11] = 2;
        let (seen, summary) = read(&file);
        assert_eq!((seen.len(), reasons(&summary)), (1, vec!["record-length"]));
    }
}
