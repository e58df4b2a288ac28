//! Media processing platforms of Avaya's Experience Portal: the message begins behind what was logged of it.

use memchr::memmem;

use super::address::{hop, socket_address};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line, start_line};
use crate::input::LogHop;

/// `@2026-01-01 09:00:00,427||FINEST|Tele|8513|FileName=...|cUAInterface::SendToNetwork: To 192.0.2.7:5060[71:0] <^INVITE ...`,
/// `@...|SIPTCP::ProcessRead: <SIP/2.0 180 Ringing`
pub(super) static FORMAT: Format = Format {
    name: "avaya-mpp",
    signs: Signs {
        first: b"@",
        ..Signs::START_LINE
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let stamp = stamp_in(line.text.strip_prefix(b"@")?)?;
    let (hop, at) = said(line.text)?;
    start_line::find(line.text.get(at..)?).filter(|found| found.at == 0)?;
    Some(Opening {
        hop,
        stamp: Some(stamp),
        starts_at: Some(at),
        ..Opening::default()
    })
}

/// The hop that a record tells, and where its message begins.
fn said(text: &[u8]) -> Option<(LogHop, usize)> {
    const SENT: &[u8] = b"::SendToNetwork: To ";
    const READ: &[u8] = b"::ProcessRead: <";
    if let Some(at) = memmem::find(text, READ) {
        let class = text.get(..at)?.rsplit(|byte| *byte == b'|').next()?;
        let transport = std::str::from_utf8(class).ok()?.strip_prefix("SIP");
        let hop = hop(None, None, transport.unwrap_or_default(), false);
        return Some((hop, at + READ.len()));
    }
    let remote = memmem::find(text, SENT)? + SENT.len();
    let begin = remote + memmem::find(text.get(remote..)?, b" <^")?;
    let remote = std::str::from_utf8(text.get(remote..begin)?).ok()?;
    // Behind the last bracket stand numbers of the program's own.
    let remote = remote.rsplit_once('[').map_or(remote, |(remote, _)| remote);
    Some((hop(None, socket_address(remote), "", true), begin + 3))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let record = line.text.strip_prefix(b"@").and_then(stamp_in).is_some();
    match record || matches!(line.text, b">" | b"^>") {
        true => Cut::End,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::cut;

    #[test]
    fn records_with_a_message_tell_what_they_know_of_the_hop() {
        let head = "@2026-01-01 09:00:00,427||FINEST|Tele|8513|FileName=sip/X.cpp,LineNumber=476|";
        let bye = "BYE sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        for (said, sent, remote, transport) in [
            (
                "cUAInterface::SendToNetwork: To 192.0.2.7:5060[71:0] <^",
                true,
                "192.0.2.7:5060".parse().ok(),
                None,
            ),
            ("SIPTCP::ProcessRead: <", false, None, Some("tcp")),
            ("SIPTLS::ProcessRead: <", false, None, Some("tls")),
        ] {
            for end in ["", ">\r\n", "^>\r\n"] {
                let text = format!("{head}{said}{bye}{end}{head}cX::Y: done\n");
                let (messages, summary) = cut(&text.replace("\r\n", "^M\n"));
                assert_eq!(summary.format, "log:avaya-mpp", "{text}");
                let [message] = messages.as_slice() else {
                    panic!("{text}")
                };
                assert_eq!(message.text, bye, "{text}");
                let hop = message.hop;
                assert_eq!(
                    (hop.sent, hop.source, hop.destination, hop.transport),
                    (Some(sent), None, remote, transport)
                );
                assert_eq!(message.time, Some(1_767_258_000_427_000_000));
            }
        }
        assert_eq!(
            cut(&format!("{head}SIPTCP::ProcessRead: <\n{head}x\n"))
                .0
                .len(),
            0
        );
    }
}
