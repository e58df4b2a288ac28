//! Bytes to records: frames of a capture, or messages of a text log.
//!
//! An input is recognised by its content, read through a bounded buffer, and never loaded whole.

mod follow;
mod glob;
mod source;

mod archive;
mod buffer;
mod unpack;

mod capture;
mod netmon;
mod pcap;
mod pcapng;
mod snoop;

mod log;

mod members;
mod merge;
mod paths;
mod summary;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod samples;

use std::net::SocketAddr;

pub use log::{LogChoice, formats as log_formats};
pub use merge::{Inputs, SkippedFiles};
pub use paths::Paths;
pub use source::Named;
pub use summary::{Damage, InputError, InputErrorKind, InputSummary};

/// Nanoseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// A [`Time`] written out: RFC 3339, UTC, microseconds (truncated).
#[derive(Clone, Copy, Debug)]
pub struct Written([u8; 27]);

impl Written {
    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Time {
    /// Writes the time out. Without `format!`: a large report holds millions of times.
    pub fn written(self) -> Written {
        const DAY: i64 = 86_400_000_000_000;
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let seconds = rest / 1_000_000_000;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |at: usize, digits: usize, mut number: i64| {
            for place in (at..at + digits).rev() {
                text[place] = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, seconds / 3600);
        put(14, 2, seconds / 60 % 60);
        put(17, 2, seconds % 60);
        put(20, 6, rest / 1000 % 1_000_000);
        Written(text)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.written().as_str())
    }
}

// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar:
// years are counted from March, so that the leap day comes last.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year + era * 400 + carry, month, day)
}

/// Where a record stands: which input, and which frame or line in it, both as the user counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Index into the list of inputs, from 0.
    pub input: u16,
    /// Frame number as Wireshark counts, from 1; for a log the line of the message's start line, from 1.
    pub place: u64,
}

/// One unit of an input, borrowed from its buffer.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Where it stands.
    pub origin: Origin,
    /// When it was recorded; `None` where the source has no date.
    pub time: Option<Time>,
    /// What it holds.
    pub body: Body<'a>,
}

/// What a record holds.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// A frame of a capture.
    Frame {
        /// LINKTYPE number of the interface; `u32::MAX` where the interface is not described.
        link: u32,
        /// The bytes captured.
        bytes: &'a [u8],
        /// The length on the wire, which may exceed what was captured.
        wire_len: u32,
    },
    /// A frame that a text log holds as a hex dump.
    Dump {
        /// LINKTYPE number, told by the bytes.
        link: u32,
        /// The bytes of the frame.
        bytes: &'a [u8],
        /// Last line of the dump.
        last_line: u64,
        /// As in [`Body::Text`].
        time_of_day: Option<u64>,
    },
    /// Keys of TLS connections that the capture itself carries (pcapng Decryption Secrets Block),
    /// in the format of a key log. No frame: its origin is the frame before it.
    Secrets {
        /// The text of the key log.
        bytes: &'a [u8],
    },
    /// A SIP message cut out of a text log.
    Text {
        /// The message with line prefixes removed.
        bytes: &'a [u8],
        /// Last line that belongs to the message.
        last_line: u64,
        /// Nanoseconds since the first midnight of the log, where it has times and no date; more than
        /// a day's worth where it runs on past midnight.
        time_of_day: Option<u64>,
        /// What the log says about the hop, as far as it says.
        hop: LogHop,
    },
}

/// What a log says about the hop that a message took; unknown parts are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHop {
    /// Sender.
    pub source: Option<SocketAddr>,
    /// Receiver.
    pub destination: Option<SocketAddr>,
    /// `udp`, `tcp`, `tls`, `ws`, `wss` or `sctp`.
    pub transport: Option<&'static str>,
    /// Whether whoever wrote the log sent it (`true`) or received it.
    pub sent: Option<bool>,
    /// How often it was sent before, where the log numbers what is sent again; else 0.
    pub repeat: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_truncated() {
        for (nanoseconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_827_696_123_456_999, "2000-02-29T12:34:56.123456Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_767_225_599_999_999_999, "2025-12-31T23:59:59.999999Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224Z"),
        ] {
            assert_eq!(Time(nanoseconds).to_string(), text);
        }
    }
}
