//! Records in the bytes of one direction (RFC 8446 §5.1), also behind a hole.

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const DATA: u8 = 23;

const HEADER: usize = 5;
/// The longest fragment of a record (RFC 5246 §6.2.3).
const LONGEST: u16 = 16_384 + 2048;
/// Least length of a protected record, header and all: so many may fit into a hole.
const SHORTEST: u64 = 24;

/// The bytes of one direction that no whole record was made of yet.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    start: usize,
    /// Bytes still to come of a record that is not all there.
    skip: u64,
    /// It is not known where the next record begins.
    seeking: bool,
}

/// What a hole did.
pub(super) struct Hole {
    /// A record was hit, and its end is known.
    pub(super) one: bool,
    /// Up to so many records went by unseen.
    pub(super) lost: u64,
}

impl Records {
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        bytes = bytes.get(skipped as usize..).unwrap_or_default();
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether bytes are left of which something may come.
    pub(super) fn has_rest(&self) -> bool {
        self.skip > 0 || self.start < self.bytes.len()
    }

    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Records::default();
    }

    /// Forgets what was taken.
    pub(super) fn compact(&mut self) {
        self.bytes.drain(..self.start.min(self.bytes.len()));
        self.start = 0;
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }

    /// Type and fragment of the record that is next, if it is there whole.
    pub(super) fn peek(&mut self) -> Option<(u8, &[u8])> {
        if self.seeking || !self.is_header() {
            self.seek();
        }
        let rest = self.bytes.get(self.start..)?;
        let ([kind, _, _, high, low], rest) = rest.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        Some((*kind, rest.get(..length)?))
    }

    /// Goes past a record that was peeked at.
    pub(super) fn pass(&mut self, length: usize) {
        self.start += HEADER + length;
        self.seeking = false;
    }

    pub(super) fn is_seeking(&self) -> bool {
        self.seeking
    }

    /// What was peeked at is no record.
    pub(super) fn reject(&mut self) {
        self.start += 1;
    }

    pub(super) fn gap(&mut self, missing: u64) -> Hole {
        if self.skip >= missing && self.skip > 0 {
            self.skip -= missing;
            return Hole {
                one: false,
                lost: 0,
            };
        }
        let missing = missing - self.skip;
        self.skip = 0;
        let needed = self.missing_of_record();
        self.bytes.clear();
        self.start = 0;
        match needed {
            Some(needed) if needed >= missing => {
                self.skip = needed - missing;
                Hole { one: true, lost: 0 }
            }
            _ => {
                self.seeking = true;
                Hole {
                    one: false,
                    lost: missing / SHORTEST + 2,
                }
            }
        }
    }

    /// Bytes that the last record lacks; 0 between two records.
    fn missing_of_record(&self) -> Option<u64> {
        let rest = self.bytes.get(self.start..)?;
        if rest.is_empty() && !self.seeking {
            return None;
        }
        let ([_, _, _, high, low], rest) = rest.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        length.checked_sub(rest.len()).map(|missing| missing as u64)
    }

    fn is_header(&self) -> bool {
        match self.bytes.get(self.start..) {
            Some(rest) if rest.len() >= HEADER => begins_record(rest),
            _ => true,
        }
    }

    /// Goes to the next place where a record of data may begin.
    fn seek(&mut self) {
        self.seeking = true;
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let may_begin = |at: usize| match rest.get(at..) {
            Some(rest @ [DATA, 3, 1..=3, _, _, ..]) => begins_record(rest),
            Some([DATA] | [DATA, 3] | [DATA, 3, 1..=3] | [DATA, 3, 1..=3, 0..=0x48]) => true,
            _ => false,
        };
        let found = memchr::memchr_iter(DATA, rest).find(|at| may_begin(*at));
        self.start += found.unwrap_or(rest.len());
    }
}

/// Whether these bytes can be the header of a record, protected or not.
fn begins_record(bytes: &[u8]) -> bool {
    let [CHANGE_CIPHER_SPEC..=DATA, 3, 0..=4, high, low, ..] = bytes else {
        return false;
    };
    u16::from_be_bytes([*high, *low]) <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: usize) -> Vec<u8> {
        let mut bytes = vec![DATA, 3, 3];
        bytes.extend((length as u16).to_be_bytes());
        bytes.extend(vec![0x55; length]);
        bytes
    }

    #[test]
    fn a_hole_within_a_record_costs_that_record_only() {
        let mut records = Records::default();
        records.add(&record(100)[..50]);
        assert!(records.peek().is_none());
        let hole = records.gap(20);
        assert!(hole.one && hole.lost == 0);
        records.add(&[0x55; 35]);
        records.add(&record(10));
        assert_eq!(records.peek().map(|(_, bytes)| bytes.len()), Some(10));
        assert!(!records.is_seeking());
    }

    #[test]
    fn behind_a_wide_hole_the_next_record_is_sought() {
        let mut records = Records::default();
        records.add(&record(100)[..50]);
        assert!(records.gap(2000).lost > 50);
        records.add(b"\x17\x03 rest of something \x17\x03\x03\xff\xff");
        assert!(records.peek().is_none());
        records.add(&record(10));
        assert_eq!(records.peek().map(|(_, bytes)| bytes.len()), Some(10));
    }
}
