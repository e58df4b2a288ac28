//! pjsip's message log (`pjsua_core.c`, `sip_msg` loggers): pjsua, MicroSIP, and all that wrap them,
//! and the variant of Avaya's conference phones. The remote address, and the time where it is configured.

use memchr::memmem;

use super::address::{socket_address, transport_name};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, margin, one_line};

/// `09:58:08.473  pjsua_core.c  ....TX 761 bytes Request msg REGISTER/cseq=1 (tdta0x55) to UDP 192.0.2.1:5060:`
pub(super) static FORMAT: Format = Format {
    name: "pjsip",
    signs: Signs {
        last: b":",
        word: " bytes Re",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end().strip_suffix(b":")?;
    let said = memmem::find(text, b" bytes Re")?;
    let (before, after) = text.split_at(said);
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let way = before.get(..before.len() - digits.count())?;
    let sent = way.ends_with(b"TX ");
    if !sent && !way.ends_with(b"RX ") {
        return None;
    }
    memmem::find(after, b" msg ")?;
    let word: &[u8] = if sent { b") to " } else { b") from " };
    let at = memmem::rfind(after, word)? + word.len();
    let remote = std::str::from_utf8(after.get(at..)?).ok()?;
    let (transport, address) = remote.split_once(' ')?;
    let address = socket_address(address);
    let mut opening = Opening {
        stamp: stamp(way).or(line.prefix.stamp),
        ..Opening::default()
    };
    opening.hop.sent = Some(sent);
    opening.hop.transport = transport_name(transport);
    match sent {
        true => opening.hop.destination = address,
        false => opening.hop.source = address,
    }
    Some(opening)
}

/// pjsip's own time, wherever a wrapper put it.
fn stamp(before: &[u8]) -> Option<super::clock::Stamp> {
    before
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .find(|word| word.len() == 12 && word.get(2) == Some(&b':'))
        .and_then(stamp_in)
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let from = margin(line, opening);
    let text = line.text.get(from..).unwrap_or_default();
    let bare = text.trim_ascii();
    if bare.starts_with(b"--end msg--") {
        return Cut::End;
    }
    if bare.len() > 70 && bare.iter().all(|byte| *byte == b'-') {
        return Cut::End;
    }
    // Another entry of pjsip, or of what it runs in.
    let entry = line.prefix.entry
        || stamp_in(text).is_some()
        || text.starts_with(b"[")
        || text.starts_with(b"pjsip: ");
    match entry {
        true => Cut::Foreign,
        false => Cut::Text(from),
    }
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::{cut, texts};

    const BYE: &str = "BYE sip:a@b SIP/2.0\nContent-Length:  0\n\n";

    #[test]
    fn all_spellings_of_the_envelope() {
        let remote = "192.0.2.1:5061".parse().ok();
        for (line, sent) in [
            (
                "09:58:08.477           pjsua_core.c  ....TX 761 bytes Request msg BYE/cseq=1 (tdta0x55abc) to TLS 192.0.2.1:5061:",
                true,
            ),
            (
                "SipService           pjsua_core.c  .RX 1482 bytes Request msg BYE/cseq=102 (rdata0x7c16) from TLS 192.0.2.1:5061:",
                false,
            ),
            (
                "<142>Jan  1 01:06:02 konfsip[1166:1166]: TX 713 bytes Request msg BYE/cseq=3 (tdta0x341fb8) to tls 192.0.2.1:5061:",
                true,
            ),
            (
                "I/flutter ( 123): 09:58:08.477 msg_logger !RX 7 bytes Response msg 200/BYE/cseq=3 (rdata0x3) from TLS 192.0.2.1:5061:",
                false,
            ),
        ] {
            let (messages, summary) = cut(&format!("{line}\n{BYE}\n--end msg--\n"));
            let hop = messages[0].hop;
            assert_eq!(summary.format, "log:pjsip", "{line}");
            assert_eq!(
                (hop.sent, hop.transport),
                (Some(sent), Some("tls")),
                "{line}"
            );
            assert_eq!(
                if sent { hop.destination } else { hop.source },
                remote,
                "{line}"
            );
        }
    }

    #[test]
    fn entries_inside_a_message_are_passed_over() {
        let text = BYE.replace(
            "Content",
            "[2025-06-12 13:51:45] [INFO] [SIP] seen\n13:51:45.542  pjsua_acc.c  x\nContent",
        );
        let head = "13:51:45.542 pjsua_core.c TX 1 bytes Request msg BYE/cseq=1 (tdta0x5) to UDP 192.0.2.1:5060:\n";
        assert_eq!(
            texts(&format!("{head}{text}\n--end msg--\n13:51:45.6 x.c y\n")),
            [BYE]
        );
    }
}
