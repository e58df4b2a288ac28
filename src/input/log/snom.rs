//! The SIP trace of Snom phones.

use super::address::{hop, socket_address};
use super::clock::Stamp;
use super::pattern::fields;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line, stamps};

/// `Sent to udp:192.0.2.7:5060 at 22/1/2009 15:31:48:066 (526 bytes):`, a blank line, the message
pub(super) static FORMAT: Format = Format {
    name: "snom",
    signs: Signs {
        first: b"SR",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let (sent, [transport, remote, time, count, _]) = match line.text.first()? {
        b'S' => (true, fields(line.text, "Sent to {}:{} at {} ({} bytes){}")?),
        b'R' => (
            false,
            fields(line.text, "Received from {}:{} at {} ({} bytes){}")?,
        ),
        _ => return None,
    };
    count.parse::<u32>().ok()?;
    Some(Opening {
        hop: hop(None, socket_address(remote), transport, sent),
        stamp: stamp(time),
        ..Opening::default()
    })
}

// `22/1/2009 15:31:48:066`, `Jan 22 15:31:48.066`
fn stamp(time: &str) -> Option<Stamp> {
    let Some((date, clock)) = time.split_once(' ').filter(|(date, _)| date.contains('/')) else {
        return stamp_in(time.as_bytes());
    };
    let mut date = date.split('/');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    stamps::at(stamps::date(day, month, year)?, clock)
}

fn cut(_: &Line<'_>, _: &Opening) -> Cut {
    Cut::Text(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_times() {
        let old = stamp("22/1/2009 15:31:48:066").unwrap();
        let new = stamp("Jan 22 15:31:48.066").unwrap();
        assert_eq!(old.nanoseconds, new.nanoseconds);
        assert_ne!(old.date, new.date);
    }
}
