//! The list of packets of tshark and Wireshark: a line each, which shows who sent what to whom and not
//! what was in it. No message can be made of that; bytes in hex below a line have its time.

use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line};

/// `    1 2026-01-01 09:00:00.000000   192.0.2.10 → 198.51.100.20 SIP 565 Request: INVITE ...`
pub(super) static FORMAT: Format = Format {
    name: "tshark-summary",
    signs: Signs {
        first: b"0123456789 ",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope: one_line,
    cut: |line, _| match line.text.trim_ascii().is_empty() {
        true => Cut::Beside,
        false => Cut::End,
    },
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if !line.text.first()?.is_ascii_digit() && !line.text.starts_with(b" ") {
        return None;
    }
    let time = time(line.text)?;
    Some(Opening {
        // A time since the first packet does not say when that was.
        stamp: time
            .contains('-')
            .then(|| stamp_in(time.as_bytes()))
            .flatten(),
        packet: true,
        ..Opening::default()
    })
}

/// What a text is where one of its first lines is such a line, if it holds no message.
pub(super) fn instead(head: &[u8]) -> Option<&'static str> {
    let mut lines = head.split(|byte| *byte == b'\n').take(16);
    lines
        .any(|line| time(line.trim_ascii_end()).is_some())
        .then_some("a list of packets without their contents; export with -V or as a capture")
}

/// The time in such a line: between the number of the packet and its addresses.
fn time(line: &[u8]) -> Option<&str> {
    let bare = line.trim_ascii_start();
    let number = bare.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = bare.get(number..)?.strip_prefix(b" ")?;
    let text = std::str::from_utf8(rest).ok()?.trim_start();
    let (before, after) = text
        .split_once(" \u{2192} ")
        .or_else(|| text.split_once(" -> "))?;
    let (time, source) = before.trim_end().rsplit_once(' ')?;
    let mut words = after.split_ascii_whitespace();
    let (destination, _protocol, length) = (words.next()?, words.next()?, words.next()?);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let timed = time
        .trim_end()
        .bytes()
        .all(|b| b.is_ascii_digit() || b"-.: ".contains(&b));
    let plain = |end: &str| end.contains(['.', ':']);
    (number > 0 && timed && digits(length) && plain(source) && plain(destination))
        .then_some(time.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_list_gives_its_time() {
        for (line, expected) in [
            (
                "    1   0.000000 192.0.2.1 \u{2192} 192.0.2.2 SIP 468 Request: BYE sip:a | ",
                "0.000000",
            ),
            (
                "   12 2026-01-01 09:00:00.5 2001:db8::1 -> 2001:db8::2 SIP/SDP 468 Status: 200 OK",
                "2026-01-01 09:00:00.5",
            ),
        ] {
            assert_eq!(time(line.as_bytes()), Some(expected));
            assert!(instead(format!("x\n{line}\r\n").as_bytes()).is_some());
        }
        assert_eq!(time("1 apple \u{2192} pear is 3 fruit".as_bytes()), None);
        assert_eq!(time(b"  12 times"), None);
    }
}
