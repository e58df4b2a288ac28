//! SIPp: `-trace_msg` (`log_info` and `TRACE_MSG` of sipp/src): a line of dashes with the time, what
//! was sent or received and over which transport, an empty line, the message; and `-trace_err`, which
//! quotes the message that ended a call. No address in either.

use super::address::transport_name;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line, start_line};

/// ```text
/// ----------------------------------------------- 2026-01-01 09:00:00.000000
/// UDP message sent [514] bytes:
///
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "sipp",
    signs: Signs {
        first: b"-",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

/// ```text
/// 2026-01-01\t09:00:00.000000\t1767258000.000000: Aborting call ..., received 'SIP/2.0 503 ...
/// ...
/// '
/// ```
pub(super) static ERRORS: Format = Format {
    name: "sipp-err",
    signs: Signs::START_LINE,
    bare: true,
    recognise: recognise_error,
    envelope: one_line,
    cut: cut_error,
};

/// The dashes before the time.
const RULE: &[u8] = b"-----------------------------------------------";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let time = line.text.strip_prefix(RULE)?;
    if time.trim_ascii().is_empty() {
        return Some(Opening::default());
    }
    let time = time.strip_prefix(b" ")?;
    Some(Opening {
        stamp: Some(stamp_in(time)?),
        ..Opening::default()
    })
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    if opening.stamp.is_none() {
        // The line before had no time: what follows was logged already.
        opening.repeats |= line.text.starts_with(b"Unexpected ");
        return opening.repeats && line.text.trim_ascii_end().ends_with(b"received:");
    }
    let Some((transport, sent)) = said(line.text) else {
        return false;
    };
    opening.hop.transport = transport_name(transport);
    opening.hop.sent = Some(sent);
    true
}

// `UDP message sent (514 bytes):`, `TCP control message received [348] bytes :`
fn said(text: &[u8]) -> Option<(&str, bool)> {
    let text = std::str::from_utf8(text).ok()?.trim_end();
    let (transport, rest) = text.strip_suffix(':')?.split_once(' ')?;
    let rest = rest.strip_prefix("control ").unwrap_or(rest);
    let rest = rest.strip_prefix("message ")?;
    let (sent, count) = match rest.strip_prefix("sent ") {
        Some(count) => (true, count),
        None => (false, rest.strip_prefix("received ")?),
    };
    (count.starts_with('[') || count.starts_with('(')).then_some((transport, sent))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.text.starts_with(RULE) {
        true => Cut::End,
        false => Cut::Text(0),
    }
}

fn recognise_error(line: &Line<'_>) -> Option<Opening> {
    // The quote that ends the message of the entry before stands on the same line.
    let text = line.text.strip_prefix(b"'").unwrap_or(line.text);
    if text.get(10) != Some(&b'\t') {
        return None;
    }
    let stamp = stamp_in(text)?;
    let quote = memchr::memmem::rfind(line.text, b" '")? + 2;
    start_line::find(line.text.get(quote..)?)?;
    let mut opening = Opening {
        stamp: Some(stamp),
        starts_at: Some(quote),
        ..Opening::default()
    };
    opening.hop.sent = Some(false);
    Some(opening)
}

fn cut_error(line: &Line<'_>, _: &Opening) -> Cut {
    match line.text.starts_with(b"'") {
        true => Cut::End,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::log::tests::texts;

    #[test]
    fn all_spellings_of_the_second_line() {
        for (line, transport, sent) in [
            ("UDP message sent (514 bytes):", "UDP", true),
            ("UDP message sent [589] bytes:", "UDP", true),
            ("TCP message received [348] bytes :", "TCP", false),
            ("UDP control message received [769] bytes:", "UDP", false),
        ] {
            assert_eq!(said(line.as_bytes()), Some((transport, sent)), "{line}");
        }
        assert_eq!(said(b"UDP message sent:"), None);
    }

    const OK: &str = "SIP/2.0 200 OK\nCSeq: 2 BYE\nContent-Length: 0\n\n";

    #[test]
    fn what_was_unexpected_is_read_once_and_alone_if_it_stands_alone() {
        let rule = String::from_utf8_lossy(RULE);
        let first = format!(
            "{rule} 2026-01-01 09:00:00.000000\nUDP message received [9] bytes :\n\n{OK}\n"
        );
        let again = format!("{rule}\nUnexpected UDP message received:\n\n{OK}\n");
        assert_eq!(texts(&[first.as_str(), &again, &first].concat()), [OK, OK]);
        assert_eq!(texts(&again), [OK]);
    }

    #[test]
    fn an_entry_may_follow_on_the_line_that_ends_another() {
        let entry = format!(
            "2026-01-01\t09:00:00.0\t1.0: Aborting call: while expecting '100' (index 1), received '{OK}'"
        );
        assert_eq!(texts(&format!("Events:\n{entry}{entry}\n")), [OK, OK]);
    }
}
