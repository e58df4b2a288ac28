//! Microsoft Network Monitor 2 ("NetMon 2.x Capture File Format"): a file header, frames, and a table
//! of where they stand, which a stream reaches too late: the frames are read in the order in which
//! they lie before it.

use super::Time;
use super::buffer::Buffer;
use super::capture::{Head, Steps};
use super::summary::Damages;

const MAGIC: &[u8] = b"GMBU";
const FILE_HEADER: usize = 128;
const RECORD_HEADER: usize = 16;
const LARGEST_RECORD: u32 = 1 << 20;

/// Media types, and the LINKTYPE that each is.
const LINKS: &[(u16, u32)] = &[
    (1, 1),   // Ethernet
    (2, 6),   // Token Ring
    (3, 10),  // FDDI
    (7, 101), // IP of a tunnel
    (8, 101), // IP of a wireless WAN
    (9, 101), // raw IP
];
/// Media types from here on are LINKTYPE numbers plus this.
const PCAP_BASE: u16 = 0xe000;
/// So that a media type without a counterpart is reported by its number.
const OTHER_LINK: u32 = 1 << 16;

/// Walks the frames of a Network Monitor 2 capture.
pub(crate) struct NetMon {
    media: u16,
    minor: u8,
    /// Time of the header, to which the times of frames are added.
    start: i64,
    /// Where the frames end.
    table: u64,
}

impl NetMon {
    /// Whether a file that begins with these bytes is such a capture.
    pub(crate) fn recognises(bytes: &[u8]) -> bool {
        // The fifth byte is the minor version, the sixth the major one.
        bytes.starts_with(MAGIC) && bytes.get(5) == Some(&2)
    }

    /// Reads the file header.
    pub(crate) fn begin(buffer: &mut Buffer) -> Option<Self> {
        buffer.fill(FILE_HEADER);
        let header = buffer.available().get(..FILE_HEADER)?;
        let table = u64::from(u32_at(header, 24)?);
        let walk = Self {
            minor: *header.get(4)?,
            media: u16_at(header, 6)?,
            start: start(header)?,
            // A capture that was never finished has no table.
            table: if table == 0 { u64::MAX } else { table },
        };
        buffer.consume(FILE_HEADER);
        Some(walk)
    }

    /// Bytes behind the data of each frame.
    fn trailer(&self) -> usize {
        match self.minor {
            0 => 0,
            1 => 2,
            2 => 6,
            _ => 15,
        }
    }

    /// The media type and, from version 2.3 on, the time of a frame itself stand in its trailer.
    fn finish(&self, head: &mut Head, trailer: &[u8]) {
        /// 1601-01-01, from which Windows counts steps of 100 ns, in such steps before 1970.
        const WINDOWS_EPOCH: i64 = 116_444_736_000_000_000;
        let media = u16_at(trailer, 0).unwrap_or(self.media);
        head.link = link(media);
        let steps = trailer.get(6..).and_then(|bytes| bytes.first_chunk());
        if let Some(steps) = steps {
            let since = i64::from_le_bytes(*steps).checked_sub(WINDOWS_EPOCH);
            head.time = since.and_then(|steps| steps.checked_mul(100)).map(Time);
        }
    }
}

impl Steps for NetMon {
    fn step(&mut self, buffer: &mut Buffer, damages: &mut Damages) -> Option<Head> {
        let offset = buffer.position();
        if offset >= self.table {
            return None;
        }
        if !buffer.fill(RECORD_HEADER) {
            let left = buffer.available().len();
            damages.note("cut-record", offset, || match self.table {
                u64::MAX => format!("{left} bytes of a frame header"),
                _ => "the capture ends before its table of frames".to_owned(),
            });
            buffer.consume(left);
            return None;
        }
        let bytes = buffer.available();
        let microseconds = i64::from_le_bytes(*bytes.first_chunk()?);
        let (wire_len, len) = (u32_at(bytes, 8)?, u32_at(bytes, 12)?);
        let total = RECORD_HEADER + len as usize + self.trailer();
        if len > LARGEST_RECORD || offset + total as u64 > self.table {
            damages.note("record-length", offset, || {
                format!("a frame claims {len} bytes; the rest was not read")
            });
            return None;
        }
        if !buffer.fill(total) {
            let held = buffer.available().len();
            damages.note("cut-record", offset, || {
                format!("a frame of {total} bytes, of which {held} are there")
            });
            buffer.consume(held);
            return None;
        }
        let since = microseconds.checked_mul(1000);
        let time = since.and_then(|since| self.start.checked_add(since));
        let mut head = Head {
            skip: RECORD_HEADER,
            len: len as usize,
            total,
            time: time.map(Time),
            link: link(self.media),
            wire_len,
            secrets: false,
        };
        let trailer = buffer.available().get(RECORD_HEADER + len as usize..total);
        self.finish(&mut head, trailer.unwrap_or_default());
        Some(head)
    }

    fn link(&self) -> Option<u32> {
        None
    }
}

fn link(media: u16) -> u32 {
    // 0xFFFB and above are notes of the program among the frames.
    if (PCAP_BASE..PCAP_BASE + 0x1000).contains(&media) {
        return u32::from(media - PCAP_BASE);
    }
    let known = LINKS.iter().find(|(number, _)| *number == media);
    known.map_or(OTHER_LINK + u32::from(media), |(_, link)| *link)
}

/// The SYSTEMTIME of the header: year, month, day of the week, day, hour, minute, second, millisecond.
/// Its time zone is not recorded; it is taken for UTC.
fn start(header: &[u8]) -> Option<i64> {
    let field = |place: usize| u16_at(header, 8 + 2 * place).map(i64::from);
    let (year, month, day) = (field(0)?, field(1)?, field(3)?);
    let clock = (field(4)? * 60 + field(5)?) * 60 + field(6)?;
    let seconds = days(year, month, day) * 86_400 + clock;
    (seconds * 1000 + field(7)?).checked_mul(1_000_000)
}

/// Days from 1970-01-01 to a date, counted in years that begin in March (as [`super::civil`] does).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month > 2 {
        true => (year, month - 3),
        false => (year - 1, month + 9),
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use crate::input::samples::{read, reasons};

    /// Two frames, 1.5 s and 2 s after 2026-01-01T09:00:00.250Z.
    fn sample(minor: u8) -> Vec<u8> {
        let mut file = vec![0; 128];
        file[..8].copy_from_slice(&[b'G', b'M', b'B', b'U', minor, 2, 1, 0]);
        for (place, field) in [2026u16, 1, 4, 1, 9, 0, 0, 250].into_iter().enumerate() {
            file[8 + 2 * place..10 + 2 * place].copy_from_slice(&field.to_le_bytes());
        }
        for (time, data) in [(1_500_000u64, &b"abc"[..]), (2_000_000, b"defgh")] {
            file.extend(time.to_le_bytes());
            file.extend((data.len() as u32 + 4).to_le_bytes());
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(data);
            if minor > 0 {
                file.extend(0xe071u16.to_le_bytes());
            }
            if minor > 1 {
                file.extend([0; 4]);
            }
            if minor > 2 {
                file.extend((116_444_736_000_000_000 + 5u64).to_le_bytes());
                file.push(0);
            }
        }
        let table = file.len() as u32;
        file[24..28].copy_from_slice(&table.to_le_bytes());
        file[28..32].copy_from_slice(&8u32.to_le_bytes());
        file.extend([7; 60]);
        file
    }

    #[test]
    fn frames_of_every_version_are_read() {
        const START: i64 = 1_767_258_000_250_000_000;
        for minor in 0..4 {
            let (seen, summary) = read(&sample(minor));
            let times: Vec<_> = seen.iter().map(|record| record.time.unwrap()).collect();
            let expected = match minor {
                3 => [500, 500],
                _ => [START + 1_500_000_000, START + 2_000_000_000],
            };
            assert_eq!(times, expected, "2.{minor}");
            assert_eq!(seen[0].bytes, b"abc");
            assert_eq!(seen[1].bytes, b"defgh");
            assert_eq!(seen[1].link, if minor == 0 { 1 } else { 0x71 });
            assert_eq!(summary.format, "netmon");
            assert!(summary.damage.is_empty(), "{:?}", summary.damage);
        }
    }

    #[test]
    fn every_cut_keeps_what_is_whole() {
        for minor in 0..4 {
            let file = sample(minor);
            let table = u32::from_le_bytes(*file[24..].first_chunk().unwrap()) as usize;
            for end in 129..table {
                let (seen, summary) = read(&file[..end]);
                assert!(seen.len() < 2, "{end} bytes");
                assert_eq!(reasons(&summary), ["cut-record"], "{end} bytes");
            }
        }
    }

    #[test]
    fn a_frame_that_reaches_into_the_table_ends_the_reading() {
        let mut file = sample(0);
        file[128 + 19 + 12] = 200;
        let (seen, summary) = read(&file);
        assert_eq!((seen.len(), reasons(&summary)), (1, vec!["record-length"]));
    }
}
