//! SIPp's `-trace_msg` (`log_info` and `TRACE_MSG` of sipp/src): a line of dashes with the time, what
//! was sent or received and over which transport, an empty line, the message. No address.

use super::address::transport_name;
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening};

/// ```text
/// ----------------------------------------------- 2026-01-01 09:00:00.000000
/// UDP message sent [514] bytes:
///
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "sipp",
    recognise,
    envelope,
    cut,
};

/// The dashes before the time.
const RULE: &[u8] = b"-----------------------------------------------";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let time = line.text.strip_prefix(RULE)?;
    let time = time.strip_prefix(b" ")?;
    Some(Opening {
        stamp: Some(stamp_in(time)?),
        ..Opening::default()
    })
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
