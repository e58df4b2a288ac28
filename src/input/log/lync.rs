//! Traces of Office Communications Server, Lync and Skype for Business: a record of named fields.

use super::address::{hop, socket_address};
use super::clock::Stamp;
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, stamps, start_line};

/// ```text
/// TL_INFO(TF_PROTOCOL) [0]06E4.0EB4::01/18/2012-05:00:43.101.00005386 (SIPStack,...)$$begin_record
/// Direction: incoming;source="internal edge";destination="external edge"
/// Peer: 192.0.2.7:61182
/// Start-Line: OPTIONS sip:...
/// Message-Body: -
/// $$end_record
/// ```
pub(super) static FORMAT: Format = Format {
    name: "lync",
    signs: Signs::ANY,
    bare: true,
    recognise,
    envelope,
    cut,
};

const START: &[u8] = b"Start-Line: ";
const BODY: &[u8] = b"Message-Body: ";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if let Some(rest) = line.text.strip_prefix(START) {
        let found = start_line::find(rest)?;
        return Some(Opening {
            starts_at: Some(START.len() + found.at),
            ..Opening::default()
        });
    }
    let begins = line.text.trim_ascii_end().ends_with(b"$$begin_record");
    let traced = line.text.starts_with(b"TL_")
        && memchr::memmem::find(line.text, b"TraceProtocolRecord").is_some();
    (begins || traced).then(|| Opening {
        stamp: stamp(line.text),
        ..Opening::default()
    })
}

// `::01/18/2012-05:00:43.101.00005386`, the month first
fn stamp(text: &[u8]) -> Option<Stamp> {
    let at = memchr::memmem::find(text, b"::")?;
    let [month, day, year, clock, _] = fields(text.get(at..)?, "::{}/{}/{}-{} {}")?;
    stamps::at(stamps::date(day, month, year)?, clock)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let text = line.text.trim_ascii_end();
    if let Some([way]) = fields(text, "Direction: {}") {
        opening.hop.sent = Some(way.starts_with("outgoing"));
    } else if let Some([peer]) = fields(text, "Peer: {}") {
        let sent = opening.hop.sent;
        opening.hop = hop(None, socket_address(peer), "", sent == Some(true));
        opening.hop.sent = sent;
    }
    text == b"$$begin_record" || !(text.starts_with(START) || text == b"$$end_record")
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text.trim_ascii_end();
    if text.starts_with(b"$$end_record") {
        return Cut::End;
    }
    match line.text.strip_prefix(BODY) {
        Some(b"-") => Cut::Foreign,
        // The field begins with the first line of the body; the blank line before it is not written.
        Some(body) => Cut::Rewritten([b"\n", body].concat()),
        None => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::log::clock::Date;

    #[test]
    fn the_month_stands_first() {
        let stamp = stamp(b"[0]06E4.0EB4::01/18/2012-05:00:43.101.00005386 (SIPStack)").unwrap();
        assert_eq!(stamp.date, Date::Full(2012, 1, 18));
        assert_eq!(stamp.nanoseconds, 18_043_101_000_000);
    }
}
