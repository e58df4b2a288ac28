//! The consoles of browsers: SIP.js, JsSIP and sipML5 over WebSocket. The direction, mostly no address,
//! and a time only in SIP.js.

use memchr::memmem;

use super::clock::{Date, Stamp};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line, start_line};

/// `Thu Nov 27 2014 22:26:22 GMT+0800 (...) | sip.transport | received WebSocket text message:`
pub(super) static SIP_JS: Format = Format {
    name: "sip.js",
    signs: Signs {
        last: b":",
        ..Signs::ANY
    },
    bare: true,
    recognise: sip_js,
    envelope: one_line,
    cut,
};

/// `JsSIP:Transport received text message:`, `JsSIP | TRANSPORT | received WebSocket text message:`
pub(super) static JSSIP: Format = Format {
    name: "jssip",
    signs: Signs {
        last: b":",
        ..Signs::ANY
    },
    bare: true,
    recognise: jssip,
    envelope: one_line,
    cut,
};

/// `SEND: INVITE ...`, `recv=SIP/2.0 ...`
pub(super) static SIPML5: Format = Format {
    name: "sipml5",
    signs: Signs::START_LINE,
    bare: true,
    recognise: sipml5,
    envelope: one_line,
    cut,
};

fn sip_js(line: &Line<'_>) -> Option<Opening> {
    let sent = direction(line.text)?;
    let lower = line.text.to_ascii_lowercase();
    memmem::find(&lower, b"sip.transport")?;
    Some(opening(line, sent))
}

fn jssip(line: &Line<'_>) -> Option<Opening> {
    let sent = direction(line.text)?;
    let named = |name: &[u8]| memmem::find(line.text, name).is_some();
    (named(b"JsSIP") || named(b"jssip.")).then(|| opening(line, sent))
}

fn opening(line: &Line<'_>, sent: bool) -> Opening {
    let mut opening = Opening {
        stamp: js_date(line.text)
            .or(line.prefix.stamp)
            .or_else(|| stamp_in(line.text)),
        ..Opening::default()
    };
    opening.hop.sent = Some(sent);
    opening
}

/// Whether an announcement says that the message was sent.
fn direction(text: &[u8]) -> Option<bool> {
    // Most lines end otherwise.
    let text = text.trim_ascii_end().strip_suffix(b"message:")?;
    let text = text.trim_ascii_end();
    let text = text.strip_suffix(b" text").unwrap_or(text);
    let text = text.strip_suffix(b" WebSocket").unwrap_or(text);
    let word = text.rsplit(|byte| *byte == b' ').next()?;
    if word.eq_ignore_ascii_case(b"sending") {
        return Some(true);
    }
    word.eq_ignore_ascii_case(b"received").then_some(false)
}

/// `Nov 27 2014 22:26:22 GMT+0800`, wherever it stands in the line.
fn js_date(text: &[u8]) -> Option<Stamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = std::str::from_utf8(text).ok()?;
    let (before, zone) = text.split_once(" GMT")?;
    let mut words = before.rsplit(' ');
    let (time, year, day, month) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let zone: String = zone.chars().take(5).collect();
    let stamp =
        stamp_in(format!("{time}{zone}").as_bytes()).or_else(|| stamp_in(time.as_bytes()))?;
    Some(Stamp {
        date: Date::Full(year.parse().ok()?, u8::try_from(month).ok()?, day),
        ..stamp
    })
}

fn sipml5(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_start();
    let sent = text.starts_with(b"SEND:");
    if !sent && !text.starts_with(b"RECV:") && !text.starts_with(b"recv=") {
        return None;
    }
    let found = start_line::find(line.text)?;
    let mut opening = Opening {
        starts_at: Some(found.at),
        stamp: line.prefix.stamp,
        ..Opening::default()
    };
    opening.hop.sent = Some(sent);
    Some(opening)
}

/// What Node writes before every line of a message if it writes to a terminal.
const NAMED: &[u8] = b"JsSIP:Transport ";

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let blanks = line.text.iter().take_while(|byte| **byte == b' ').count();
    if line
        .text
        .get(blanks..)
        .is_some_and(|text| text.starts_with(NAMED))
    {
        return Cut::Text(blanks + NAMED.len());
    }
    match is_console(line.text) {
        true => Cut::Foreign,
        false => Cut::Text(margin(line, opening)),
    }
}

/// `sip-0.7.1.js:36 ...`, `sip-0.7.1.js (line 2810)`, `JsSIP:Dialog ...`, `*INFO: ...`, `+12ms`
fn is_console(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let first = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    let source = |ext: &[u8]| {
        memmem::find(first, ext).is_some_and(|at| {
            let after = first.get(at + ext.len()..).unwrap_or_default();
            after.is_empty() || after.starts_with(b":") || after.starts_with(b"?")
        })
    };
    let elapsed = text.starts_with(b"+")
        && text.ends_with(b"s")
        && text.get(1).is_some_and(u8::is_ascii_digit);
    source(b".js")
        || source(b".ts")
        || text.starts_with(b"JsSIP")
        || text.starts_with(b"*INFO")
        || text.starts_with(b"*WARN")
        || elapsed
        || memmem::find(text, b" | sip.").is_some()
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    const ACK: &str = "ACK sip:a@b SIP/2.0\nCSeq: 1 ACK\n\n";

    #[test]
    fn announcements_of_all_libraries() {
        for (line, format, sent) in [
            (
                "JsSIP | TRANSPORT | received WebSocket text message:\n\n",
                "jssip",
                false,
            ),
            ("JsSIP:Transport sending message:\n\n", "jssip", true),
            (
                "  JsSIP:Transport received text message:\n\n",
                "jssip",
                false,
            ),
            (
                "Mon Dec 21 2015 20:21:15 GMT+0530 (IST) | sip.transport | sending WebSocket message:\n\n",
                "sip.js",
                true,
            ),
            (
                "sip-0.6.3.min.js:36 Thu Nov 27 2014 22:26:22 GMT+0800 (X) | sip.Transport | Received WebSocket text message:\n",
                "sip.js",
                false,
            ),
            ("SEND: ", "sipml5", true),
            ("recv=", "sipml5", false),
        ] {
            let (messages, summary) =
                cut(&format!("{line}{ACK}\nsip-0.7.1.js (line 2810)\n\nelse\n"));
            assert_eq!(
                (messages.len(), summary.format),
                (1, format!("log:{format}")),
                "{line}"
            );
            assert_eq!(messages[0].text, ACK, "{line}");
            assert_eq!(messages[0].hop.sent, Some(sent), "{line}");
            assert_eq!(messages[0].time.is_some(), format == "sip.js", "{line}");
        }
    }

    #[test]
    fn the_date_of_a_browser_has_a_zone() {
        let text = format!(
            "Mon Dec 21 2015 20:21:15 GMT+0530 (IST) | sip.transport | sending WebSocket message:\n\n{ACK}"
        );
        assert_eq!(cut(&text).0[0].time, Some(1_450_709_475_000_000_000));
    }
}
