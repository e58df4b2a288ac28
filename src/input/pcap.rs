//! Classic pcap (draft-ietf-opsawg-pcap): both byte orders, micro- and nanoseconds, and the "modified"
//! format with longer record headers.

use pcap_parser::{
    LegacyPcapBlock, PcapError, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::Time;
use super::buffer::Buffer;
use super::capture::Head;
use super::summary::Damages;

/// No capture program writes a record this large, so a larger length is a damaged header.
const LARGEST_RECORD: u32 = 1 << 20;
/// When looking for the next record after damage, a larger one is not believed.
const LARGEST_FOUND: usize = 128 << 10;
const FILE_HEADER: usize = 24;
/// Magic of the modified format in big-endian order, which pcap-parser does not know.
const MODIFIED_BE: [u8; 4] = [0xa1, 0xb2, 0xcd, 0x34];

type ParseRecord =
    for<'a> fn(&'a [u8]) -> nom::IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

/// Walks the records of a classic capture.
pub(crate) struct Pcap {
    parse: ParseRecord,
    record_header: usize,
    big_endian: bool,
    nanoseconds_per_tick: i64,
    link: u32,
    snaplen: u32,
    last_second: Option<u32>,
}

impl Pcap {
    /// Whether a file that begins with these bytes is a classic capture.
    pub(crate) fn recognises(bytes: &[u8]) -> bool {
        matches!(
            bytes,
            [0xd4, 0xc3, 0xb2, 0xa1, ..]
                | [0xa1, 0xb2, 0xc3, 0xd4, ..]
                | [0x4d, 0x3c, 0xb2, 0xa1, ..]
                | [0xa1, 0xb2, 0x3c, 0x4d, ..]
                | [0x34, 0xcd, 0xb2, 0xa1, ..]
                | [0xa1, 0xb2, 0xcd, 0x34, ..]
        )
    }

    /// Reads the file header; `None` where the source ends inside it.
    pub(crate) fn begin(buffer: &mut Buffer) -> Option<Self> {
        buffer.fill(FILE_HEADER);
        let walk = Self::from_header(buffer.available())?;
        buffer.consume(FILE_HEADER);
        Some(walk)
    }

    fn from_header(bytes: &[u8]) -> Option<Self> {
        let mut bytes: [u8; FILE_HEADER] = *bytes.first_chunk()?;
        let modified_be = bytes.starts_with(&MODIFIED_BE);
        if modified_be {
            bytes[..4].copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
        }
        let (_, header) = parse_pcap_header(&bytes).ok()?;
        let big_endian = header.is_bigendian();
        let modified = modified_be || header.is_modified_format();
        let parse: ParseRecord = match (modified, big_endian) {
            (false, false) => parse_pcap_frame,
            (false, true) => parse_pcap_frame_be,
            (true, false) => parse_pcap_frame_modified,
            (true, true) => parse_modified_be,
        };
        Some(Self {
            parse,
            record_header: if modified { 24 } else { 16 },
            big_endian,
            nanoseconds_per_tick: if header.is_nanosecond_precision() {
                1
            } else {
                1000
            },
            // The upper half holds the FCS length and reserved bits.
            link: header.network.0 as u32 & 0xffff,
            snaplen: header.snaplen,
            last_second: None,
        })
    }

    /// The link type of every frame since the last file header.
    pub(crate) fn link(&self) -> u32 {
        self.link
    }

    /// Finds the next record; its bytes stay at the front of the buffer.
    #[inline]
    pub(crate) fn step(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<Head> {
        loop {
            // Another file header stands here where two files were put together with cat.
            if Self::recognises(buffer.available()) && self.restart(buffer) {
                continue;
            }
            if let Ok((_, record)) = (self.parse)(buffer.available())
                && record.caplen <= LARGEST_RECORD
            {
                let seconds = i64::from(record.ts_sec) * 1_000_000_000;
                let ticks = i64::from(record.ts_usec) * self.nanoseconds_per_tick;
                let len = record.data.len();
                self.last_second = Some(record.ts_sec);
                return Some(Head {
                    skip: self.record_header,
                    len,
                    total: self.record_header + len,
                    time: Some(Time(seconds + ticks)),
                    link: self.link,
                    wire_len: record.origlen,
                    secrets: false,
                });
            }
            self.more(buffer, damages)?;
        }
    }

    fn restart(&mut self, buffer: &mut Buffer) -> bool {
        buffer.fill(FILE_HEADER);
        // A time stamp may equal a magic; a version and a zero time zone besides are no accident.
        let next = Self::from_header(buffer.available()).filter(|next| {
            let bytes = buffer.available();
            next.u16_at(bytes, 4) == Some(2) && next.u32_at(bytes, 8) == Some(0)
        });
        match next {
            Some(next) => {
                *self = next;
                buffer.consume(FILE_HEADER);
                true
            }
            None => false,
        }
    }

    /// Gets the rest of a record into the buffer, or finds out why that is impossible.
    #[cold]
    fn more(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<()> {
        let offset = buffer.position();
        if !buffer.fill(self.record_header) {
            let left = buffer.available().len();
            if left > 0 {
                damages.note("cut-record", offset, || {
                    format!("{left} bytes of a record header")
                });
                buffer.consume(left);
            }
            return None;
        }
        let caplen = self.u32_at(buffer.available(), 8)?;
        if caplen <= LARGEST_RECORD {
            let whole = self.record_header + caplen as usize;
            if buffer.fill(whole) {
                return Some(());
            }
            let held = buffer.available().len();
            damages.note("cut-record", offset, || {
                format!("a record of {whole} bytes, of which {held} are there")
            });
            buffer.consume(held);
            return None;
        }
        let found = self.resynchronise(buffer);
        let skipped = buffer.position() - offset;
        damages.note("record-length", offset, || match found {
            true => format!("a record claims {caplen} bytes; {skipped} bytes skipped"),
            false => format!("a record claims {caplen} bytes; the rest was not read"),
        });
        found.then_some(())
    }

    /// Moves to the next place where two plausible records follow each other.
    fn resynchronise(&self, buffer: &mut Buffer) -> bool {
        buffer.consume(1);
        buffer.search(2 * LARGEST_FOUND, |bytes, at| {
            self.plausible_pair(bytes, at)
        })
    }

    fn plausible_pair(&self, bytes: &[u8], at: usize) -> bool {
        self.plausible(bytes, at)
            .is_some_and(|next| self.plausible(bytes, next).is_some())
    }

    /// Where the record at `at` ends, if its header can be one of this capture.
    fn plausible(&self, bytes: &[u8], at: usize) -> Option<usize> {
        const DAY: u32 = 86_400;
        let header = bytes.get(at..at + self.record_header)?;
        let caplen = self.u32_at(header, 8)?;
        let wire_len = self.u32_at(header, 12)?;
        let near = self.last_second.is_none_or(|last| {
            self.u32_at(header, 0)
                .is_some_and(|s| s.abs_diff(last) < DAY)
        });
        let ticks = i64::from(self.u32_at(header, 4)?) * self.nanoseconds_per_tick;
        let fits = caplen > 0 && caplen <= wire_len && wire_len as usize <= LARGEST_FOUND;
        let snapped = self.snaplen == 0 || caplen <= self.snaplen.max(65_535);
        (near && fits && snapped && ticks < 1_000_000_000)
            .then_some(at + self.record_header + caplen as usize)
    }

    fn u32_at(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    }

    fn u16_at(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    }
}

/// A record of the modified format in big-endian order, which pcap-parser does not read.
fn parse_modified_be(bytes: &[u8]) -> nom::IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>> {
    use nom::bytes::streaming::take;
    use nom::number::streaming::be_u32;
    let (rest, ts_sec) = be_u32(bytes)?;
    let (rest, ts_usec) = be_u32(rest)?;
    let (rest, caplen) = be_u32(rest)?;
    let (rest, origlen) = be_u32(rest)?;
    let (rest, _) = take(8usize)(rest)?;
    let (rest, data) = take(caplen)(rest)?;
    let record = LegacyPcapBlock {
        ts_sec,
        ts_usec,
        caplen,
        origlen,
        data,
    };
    Ok((rest, record))
}

#[cfg(test)]
mod tests {
    use crate::input::samples::{Order, pcap, read, reasons};

    const MICRO: u32 = 0xa1b2_c3d4;
    const NANO: u32 = 0xa1b2_3c4d;
    const MODIFIED: u32 = 0xa1b2_cd34;

    #[test]
    fn every_magic_in_every_order_gives_the_same_records() {
        for order in [Order(false), Order(true)] {
            for (magic, fraction) in [(MICRO, 250_000), (NANO, 250_000_000), (MODIFIED, 250_000)] {
                let (seen, summary) = read(&pcap(
                    order,
                    magic,
                    0xf000_0071,
                    &[(7, fraction, b"abc"), (8, 0, b"d")],
                ));
                let times: Vec<_> = seen.iter().map(|record| record.time).collect();
                assert_eq!(times, [Some(7_250_000_000), Some(8_000_000_000)]);
                assert_eq!(seen[0].bytes, b"abc");
                assert_eq!((seen[1].place, seen[1].link), (2, 0x71));
                assert_eq!((summary.format.as_str(), summary.frames), ("pcap", 2));
                assert!(summary.damage.is_empty());
            }
        }
    }

    #[test]
    fn a_cut_last_record_is_damage_and_the_rest_is_kept() {
        let file = pcap(
            Order(false),
            MICRO,
            1,
            &[(1, 0, b"whole"), (2, 0, b"cut here")],
        );
        for missing in 1..24 {
            let (seen, summary) = read(&file[..file.len() - missing]);
            assert_eq!(seen.len(), 1, "{missing} bytes missing");
            assert_eq!(reasons(&summary), ["cut-record"]);
            assert_eq!(summary.damage[0].offset, 24 + 16 + 5);
            assert_eq!(summary.error, None);
        }
    }

    #[test]
    fn files_put_together_with_cat_are_read_one_after_the_other() {
        let mut file = pcap(Order(false), MICRO, 1, &[(1, 0, b"a")]);
        file.extend(pcap(Order(true), NANO, 113, &[(2, 5, b"b")]));
        file.extend(pcap(Order(false), MODIFIED, 1, &[(3, 0, b"c")]));
        let (seen, summary) = read(&file);
        let brief: Vec<_> = seen
            .iter()
            .map(|r| (r.place, r.link, r.time.unwrap()))
            .collect();
        assert_eq!(
            brief,
            [
                (1, 1, 1_000_000_000),
                (2, 113, 2_000_000_005),
                (3, 1, 3_000_000_000)
            ]
        );
        assert_eq!(summary.links, [1, 113]);
    }

    #[test]
    fn a_record_that_claims_too_much_is_passed_over() {
        let long = [7; 200];
        let mut file = pcap(
            Order(false),
            MICRO,
            1,
            &[
                (10, 0, &long),
                (11, 0, &long),
                (12, 0, &long),
                (13, 0, &long),
            ],
        );
        let second = 24 + 216;
        file[second + 8..second + 12].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
        let (seen, summary) = read(&file);
        let seconds: Vec<_> = seen
            .iter()
            .map(|r| r.time.unwrap() / 1_000_000_000)
            .collect();
        assert_eq!(seconds, [10, 12, 13]);
        assert_eq!(reasons(&summary), ["record-length"]);
        assert_eq!(summary.damage[0].offset, second as u64);
    }

    #[test]
    fn records_that_straddle_the_window_are_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1499).collect();
        let records: Vec<(u32, u32, &[u8])> = (0..3000)
            .map(|n| (n, 0, &bytes[..1 + n as usize % 1499]))
            .collect();
        let (seen, summary) = read(&pcap(Order(false), MICRO, 1, &records));
        assert_eq!((seen.len(), summary.damage.len()), (3000, 0));
        assert!(
            seen.iter()
                .zip(&records)
                .all(|(seen, record)| seen.bytes == record.2)
        );
    }
}
