//! Syslog of AudioCodes gateways and border controllers: a record for a message, its line ends
//! escaped; what does not fit goes on in the next record. The local side is the name of an interface.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::address::{hop, socket_address};
use super::clock::{Date, Stamp};
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, one_line, stamps, start_line};
use crate::input::LogHop;

/// `[S=235] [SID=...] (N 712) ---- Incoming SIP Message from 192.0.2.7:5060 to SIPInterface #0 (LAN) UDP TO(#1) SocketID(2) ---- #012INVITE ...#012 [Time:27-08@17:26:38.946]`
pub(super) static FORMAT: Format = Format {
    name: "audiocodes",
    signs: Signs::ANY,
    bare: false,
    recognise,
    envelope: one_line,
    cut,
};

static MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" SIP Message "));

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let Some(at) = MESSAGE.find(line.text) else {
        // The message comes in a record of its own.
        start_line::mentions(line.text).then_some(())?;
        let record = record(line.text)?;
        let found = start_line::find(line.text.get(record..)?)?;
        return Some(Opening {
            starts_at: Some(record + found.at),
            ..Opening::default()
        });
    };
    let from = memmem::rfind(line.text.get(..at)?, b"---- ")?;
    let text = line.text.get(from..)?;
    Some(Opening {
        hop: said(text)?,
        stamp: line.prefix.stamp.or_else(|| time(text)),
        ..Opening::default()
    })
}

fn said(text: &[u8]) -> Option<LogHop> {
    let (sent, [remote, interface]) = match fields(
        text,
        "---- Incoming SIP Message from {} to SIPInterface #{}",
    ) {
        Some(found) => (false, found),
        None => (
            true,
            fields(
                text,
                "---- Outgoing SIP Message to {} from SIPInterface #{}",
            )?,
        ),
    };
    let transport = interface.split_once(") ")?.1.split(' ').next()?;
    Some(hop(None, socket_address(remote), transport, sent))
}

/// The `[Time:dd-mm@HH:MM:SS.mmm]` at the end of a record.
fn time(text: &[u8]) -> Option<Stamp> {
    let at = memmem::rfind(text, b"[Time:")?;
    let [day, month, clock] = fields(text.get(at..)?, "[Time:{}-{}@{}]")?;
    let date = Date::MonthDay(month.parse().ok()?, day.parse().ok()?);
    matches!(date, Date::MonthDay(1..=12, 1..=31)).then_some(())?;
    stamps::at(date, clock)
}

/// Where the text of a record begins, if the line begins one.
fn record(text: &[u8]) -> Option<usize> {
    let head = text.get(..text.len().min(120))?;
    let start = memmem::find(head, b"[S=")?;
    let sid = start + memmem::find(head.get(start..)?, b"[SID")?;
    let end = sid + memchr::memchr(b']', head.get(sid..)?)? + 1;
    // Two blanks; more belong to a line that goes on.
    let blanks = text
        .get(end..)?
        .iter()
        .take(2)
        .take_while(|b| **b == b' ')
        .count();
    Some(end + blanks)
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let at = record(line.text).unwrap_or(0);
    let text = line.text.get(at..).unwrap_or_default();
    if text.starts_with(b"(N ") {
        return Cut::Foreign;
    }
    match memmem::rfind(text, b"[Time:") {
        Some(time) => {
            let text = text.get(..time).unwrap_or_default();
            let text = text.strip_suffix(b" ").unwrap_or(text);
            match text.trim_ascii().is_empty() {
                true => Cut::Foreign,
                false => Cut::Part(text.to_vec()),
            }
        }
        None if line.end.is_empty() && !text.is_empty() => Cut::Part(text.to_vec()),
        None => Cut::Text(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_names_the_remote_end_and_the_transport() {
        let text = b"---- Incoming SIP Message from 192.0.2.7:9024 to SIPInterface #2 (Teams) TLS TO(#138) SocketID(204) ---- ";
        let hop = said(text).unwrap();
        assert_eq!(hop.source, "192.0.2.7:9024".parse().ok());
        assert_eq!((hop.transport, hop.sent), (Some("tls"), Some(false)));
        let text = b"---- Outgoing SIP Message to 192.0.2.7:5060 from SIPInterface #1 (Oxe-Cloud) UDP TO(#1) ---- ";
        assert_eq!(
            said(text).unwrap().destination,
            "192.0.2.7:5060".parse().ok()
        );
    }

    #[test]
    fn the_time_stands_at_the_end() {
        let stamp = time(b" [Time:19-12@12:45:02.514]").unwrap();
        assert_eq!(stamp.date, Date::MonthDay(12, 19));
        assert_eq!(stamp.nanoseconds % 1_000_000_000, 514_000_000);
    }
}
