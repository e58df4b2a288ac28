//! belle-sip, of Linphone and what is built on it: the remote address, no line that ends a message,
//! several messages in what was received at once; behind the prefixes of logcat, NSLog and its own.

use memchr::memmem;

use super::address::{socket_address, transport_name};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line};

/// `channel [0x75df]: message sent to [UDP://192.0.2.1:5060], size: [656] bytes`,
/// `channel [0x75df]: received [864] new bytes from [TCP://192.0.2.1:5060]:`
pub(super) static FORMAT: Format = Format {
    name: "belle-sip",
    signs: Signs {
        last: b"s:",
        word: "channel [",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end();
    if !text.ends_with(b"] bytes") && !text.ends_with(b"]:") {
        return None;
    }
    let channel = memmem::find(text, b"channel [")?;
    let (before, text) = text.split_at(channel);
    let text = std::str::from_utf8(text).ok()?;
    let (_, text) = text.split_once("]: ")?;
    let (sent, remote) = match text.strip_prefix("message sent to [") {
        Some(remote) => (true, remote),
        None => (
            false,
            text.strip_prefix("received [")?
                .split_once("] new bytes from [")?
                .1,
        ),
    };
    let (transport, rest) = remote.split_once("://")?;
    let address = socket_address(rest.split_once(']').map_or(rest, |(address, _)| address));
    let mut opening = Opening {
        stamp: line.prefix.stamp.or_else(|| stamp_in(before)),
        ..Opening::default()
    };
    opening.hop.transport = transport_name(transport);
    opening.hop.sent = Some(sent);
    match sent {
        true => opening.hop.destination = address,
        false => opening.hop.source = address,
    }
    Some(opening)
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let from = margin(line, opening);
    let text = line.text.get(from..).unwrap_or_default();
    let other = text.starts_with(b"channel [")
        || text.starts_with(b"bel/")
        || text.starts_with(b"lib/")
        || stamp_in(text).is_some()
        || memmem::find(text, b"belle-sip-").is_some()
            && memmem::find(text, b"-message-").is_some();
    match other {
        true => Cut::Foreign,
        false => Cut::Text(from),
    }
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    const OK: &str = "SIP/2.0 200 OK\nContent-Length: 0\n\n";

    #[test]
    fn envelopes_behind_all_prefixes() {
        for prefix in [
            "",
            "2019-02-26 16:44:30:519 belle-sip-message-",
            "2019-02-26 16:44:30.519 30774-31321/app I/Phone: ",
            "02-26 16:44:30.519  3077  3132 I Phone  : ",
            "2019-02-26 16:44:30.519+0100 App[77:88] [Info] \t",
            "Dec 15 18:39:30  linphone[3434] <Notice>: bel/",
            "I/Phone: ",
        ] {
            let text = format!(
                "{prefix}channel [0x75df]: received [99] new bytes from [UDP://::ffff:192.0.2.1:5060]:\n{OK}\n{OK}\n"
            );
            let (messages, summary) = cut(&text);
            assert_eq!(
                (messages.len(), summary.format.as_str()),
                (2, "log:belle-sip"),
                "{prefix}"
            );
            for message in messages {
                assert_eq!(message.text, OK, "{prefix}");
                assert_eq!(message.hop.source, "[::ffff:192.0.2.1]:5060".parse().ok());
                let dated = message.time.is_some() || message.time_of_day.is_some();
                assert_eq!(dated, prefix.contains(":30"), "{prefix}");
            }
        }
    }
}
