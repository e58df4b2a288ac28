//! Hex dumps of packets: `tcpdump -x`, `-X` and `-XX`, `tshark -x`, and Wireshark's exports with bytes.

use crate::input::Body;

use super::Cutter;

pub(super) const NAME: &str = "hexdump";

/// Longer ones are no packets.
const LONGEST: usize = 256 << 10;

/// The dump that is being read, and the one that is handed out.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    open: Dump,
    pub(super) ready: Dump,
}

#[derive(Debug, Default)]
pub(super) struct Dump {
    bytes: Vec<u8>,
    link: u32,
    stamp: Option<super::clock::Stamp>,
    pub(super) first_line: u64,
    last_line: u64,
}

impl Dumps {
    pub(super) fn is_empty(&self) -> bool {
        self.open.bytes.is_empty()
    }

    /// Takes a further line of the dump; whether it is one.
    #[inline]
    pub(super) fn goes_on(&mut self, text: &[u8], line: u64) -> bool {
        !self.is_empty() && self.open.add(text, line)
    }
}

impl Dump {
    fn add(&mut self, text: &[u8], line: u64) -> bool {
        let Some(row) = row(text) else {
            return false;
        };
        if row.offset != self.bytes.len() || self.bytes.len() + row.length > LONGEST {
            return false;
        }
        self.bytes
            .extend_from_slice(row.bytes.get(..row.length).unwrap_or_default());
        self.last_line = line;
        true
    }

    pub(super) fn body(&self, time_of_day: Option<u64>) -> Body<'_> {
        Body::Dump {
            link: self.link,
            bytes: &self.bytes,
            last_line: self.last_line,
            time_of_day,
        }
    }
}

impl Cutter {
    /// Begins a dump with its first line, which takes the place of a message that was written out
    /// from the same packet; true if another message is ready.
    pub(super) fn begin_dump(&mut self, text: &[u8]) -> bool {
        let of_packet = self.open.as_ref().is_some_and(|(_, open)| open.packet);
        let mut finished = false;
        let mut stamp = None;
        if of_packet {
            stamp = self.open.take().and_then(|(_, open)| open.stamp);
            self.draft.clear();
        } else {
            finished = self.finish();
        }
        let dump = &mut self.dumps.open;
        dump.bytes.clear();
        dump.add(text, self.lines);
        (dump.stamp, dump.first_line) = (stamp, self.lines);
        dump.link = link(&dump.bytes).unwrap_or_default();
        finished
    }

    /// Hands out the dump that was read, if there is one.
    pub(super) fn end_dump(&mut self) -> bool {
        if self.dumps.is_empty() {
            return false;
        }
        std::mem::swap(&mut self.dumps.open, &mut self.dumps.ready);
        self.dumps.open.bytes.clear();
        let dump = &self.dumps.ready;
        if memchr::memmem::find(&dump.bytes, b"SIP/2.0").is_some() {
            self.sip_lines += dump.last_line + 1 - dump.first_line;
        }
        let stamp = dump.stamp;
        self.ready_moment = stamp
            .map(|stamp| self.clock.place(stamp))
            .unwrap_or_default();
        self.dump_ready = true;
        if !self.formats.contains(&NAME) {
            self.formats.push(NAME);
        }
        true
    }
}

/// Whether the line is the first of a packet's dump.
#[inline]
pub(super) fn begins(text: &[u8]) -> bool {
    let bare = match text {
        [b'0', ..] => text,
        [b'\t' | b' ', ..] => text.trim_ascii_start(),
        _ => return false,
    };
    (bare.starts_with(b"0000") || bare.starts_with(b"0x0000"))
        && row(bare).is_some_and(|row| {
            row.offset == 0 && link(row.bytes.get(..row.length).unwrap_or_default()).is_some()
        })
}

/// One line of a dump.
struct Row {
    offset: usize,
    bytes: [u8; 16],
    length: usize,
}

/// `0x0010:  c633 6414 ...  .3d.`, `0010  c6 33 64 14 ...   .3d.`, `000010 c6 33 64 14 ...`
fn row(text: &[u8]) -> Option<Row> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    let width = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if !(4..=8).contains(&width) {
        return None;
    }
    let (offset, rest) = digits.split_at(width);
    let offset = std::str::from_utf8(offset).ok()?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    if !(1..=3).contains(&blanks) {
        return None;
    }
    let mut row = Row {
        offset: usize::from_str_radix(offset, 16).ok()?,
        bytes: [0; 16],
        length: 0,
    };
    let mut rest = rest.get(blanks..)?;
    let group = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    while row.length < 16 {
        let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        // The last group of a dump may be half a one.
        if digits == 0 || digits > group || digits % 2 == 1 || group > 4 {
            break;
        }
        for pair in rest.get(..digits)?.chunks(2) {
            let pair = std::str::from_utf8(pair).ok()?;
            *row.bytes.get_mut(row.length)? = u8::from_str_radix(pair, 16).ok()?;
            row.length += 1;
        }
        rest = rest.get(digits..)?;
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        // A wider gap is the middle of the row, or what comes before the same as text.
        if blanks != 1 && !(blanks == 2 && row.length == 8 && group == 2) {
            break;
        }
        rest = rest.get(blanks..)?;
    }
    (row.length > 0).then_some(row)
}

/// The LINKTYPE of a frame, as its first bytes tell it; none if it holds no IP.
fn link(first: &[u8]) -> Option<u32> {
    const ETHERNET: u32 = 1;
    const RAW: u32 = 101;
    const LINUX_SLL: u32 = 113;
    const LINUX_SLL2: u32 = 276;
    const NULL: u32 = 0;
    let kind = |at: usize| match first.get(at..at + 2)? {
        [0x08, 0x00] | [0x86, 0xdd] | [0x81, 0x00] | [0x88, 0xa8] => Some(()),
        _ => None,
    };
    let version = |at: usize| matches!(first.get(at), Some(0x45..=0x4f | 0x60..=0x6f));
    if kind(12).is_some() && (first.len() < 15 || version(14) || first.get(12) != Some(&8)) {
        return Some(ETHERNET);
    }
    if kind(14).is_some() && matches!(first, [0, 0..=4, ..]) {
        return Some(LINUX_SLL);
    }
    if kind(0).is_some() && matches!(first.get(2..4), Some([0, 0])) {
        return Some(LINUX_SLL2);
    }
    if version(4) && matches!(first, [2 | 10 | 24 | 28 | 30, 0, 0, 0, ..]) {
        return Some(NULL);
    }
    (version(0) && first.len() >= 16).then_some(RAW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Option<(usize, Vec<u8>)> {
        let row = row(text.as_bytes())?;
        Some((row.offset, row.bytes[..row.length].to_vec()))
    }

    #[test]
    fn rows_of_all_programs_are_read_and_the_text_beside_them_is_not() {
        let cut = vec![0x65, 0x63, 0x76, 0x0d, 0x0a];
        for row in [
            "\t0x0220:  6563 760d 0a                             ecv..",
            "0220  65 63 76 0d 0a                                    ecv..",
            "000220 65 63 76 0d 0a",
            "0220   65 63 76 0d 0a   ab cd",
        ] {
            assert_eq!(bytes(row), Some((0x220, cut.clone())), "{row}");
        }
        let whole: Vec<u8> = (0..16).collect();
        let halves = "0000   00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f   ........";
        assert_eq!(bytes(halves), Some((0, whole)));
        for other in [
            "2024-01-01 10:00",
            "0000",
            "0x00",
            "12345678901 22",
            "00000000-0000",
        ] {
            assert_eq!(bytes(other), None, "{other}");
        }
    }

    #[test]
    fn the_first_bytes_tell_the_link_type() {
        let ip = [
            0x45, 0, 2, 0x27, 0, 1, 0x40, 0, 0x40, 0x11, 0, 0, 192, 0, 2, 10,
        ];
        assert_eq!(link(&ip), Some(101));
        let mut ethernet = [2; 16];
        ethernet[12..].copy_from_slice(&[8, 0, 0x45, 0]);
        assert_eq!(link(&ethernet), Some(1));
        let cooked = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0];
        assert_eq!(link(&cooked), Some(113));
        assert_eq!(link(b"SIP/2.0 200 OK\r\n"), None);
    }
}
