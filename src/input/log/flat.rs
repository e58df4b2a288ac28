//! Messages whose line ends were lost: the start line and headers one after another on one line.
//!
//! They are told apart by the names of headers, so what is rebuilt is what was meant, not what was
//! sent; a line with a whole start line and no header behind it is left alone.

use memchr::memmem;

use super::names;
use super::start_line::VERSION;

/// The lines that such a line stands for.
pub(super) fn lines(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    start_line(line)?;
    let (mut lines, mut rest) = (Vec::new(), line);
    while let Some((start, headers)) = start_line(rest) {
        lines.extend(before(rest.get(..start)?));
        lines.push(rest.get(start..headers)?.trim_ascii_end().to_vec());
        let tail = rest.get(headers..)?;
        // The next message, or what was logged before it, ends this one.
        let end = start_line(tail).map_or(tail.len(), |(next, _)| next);
        let end = log_line(tail.get(..end)?).map_or(end, |at| at.min(end));
        message(tail.get(..end)?, &mut lines);
        rest = tail.get(end..)?;
    }
    lines.extend(before(rest));
    Some(lines)
}

/// The first start line with a header behind it: where it begins, and where the header does.
fn start_line(text: &[u8]) -> Option<(usize, usize)> {
    VERSION.find_iter(text).find_map(|at| {
        let behind = text.get(at + 7..)?;
        if behind.strip_prefix(b" ").is_some_and(is_header) {
            // The method and the target are the two words before.
            let target = word_before(text.get(..at)?)?;
            let method = word_before(text.get(..target)?)?;
            let named = text.get(method..target)?.trim_ascii_end();
            let capitals = named.len() > 2 && named.iter().all(u8::is_ascii_uppercase);
            return capitals.then_some((method, at + 8));
        }
        let [
            b' ',
            b'1'..=b'6',
            b'0'..=b'9',
            b'0'..=b'9',
            b' ',
            phrase @ ..,
        ] = behind
        else {
            return None;
        };
        memchr::memchr(b':', phrase)?;
        let free = at == 0 || text.get(at - 1) == Some(&b' ');
        let header = (0..phrase.len().min(60))
            .filter(|n| *n == 0 || phrase.get(n - 1) == Some(&b' '))
            .find(|n| phrase.get(*n..).is_some_and(is_header))?;
        free.then_some((at, at + 12 + header))
    })
}

/// Whether a header with a known name begins the text.
fn is_header(text: &[u8]) -> bool {
    let short = text.get(..24.min(text.len())).unwrap_or_default();
    let name = memchr::memchr(b':', short).and_then(|colon| short.get(..colon));
    name.is_some_and(|name| names::is_common(name.trim_ascii_end()))
}

/// Where the last word of the text begins.
fn word_before(text: &[u8]) -> Option<usize> {
    let text = text.strip_suffix(b" ")?;
    Some(memchr::memrchr(b' ', text).map_or(0, |at| at + 1))
}

/// Where a log line begins that is no part of the message.
fn log_line(text: &[u8]) -> Option<usize> {
    let mut starts = memchr::memchr_iter(b' ', text).map(|at| at + 1);
    starts.find(|at| text.get(*at..).is_some_and(is_log_line))
}

fn is_log_line(text: &[u8]) -> bool {
    let digits = text
        .iter()
        .take(24)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let behind = text.get(digits..).unwrap_or_default();
    // A date, and CUCM's line number.
    digits == 4 && matches!(behind, [b'-', _, _, b'-', _, _, b' ', ..])
        || digits >= 8 && matches!(behind, [b'.', _, _, _, b' ', b'|', ..])
}

/// What stands before a start line: an envelope, in as many lines as it had.
fn before(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    split(text, &mut lines, |rest| {
        let marked = [&b"recv "[..], b"send ", b"--------"]
            .iter()
            .any(|mark| rest.starts_with(mark));
        let net = rest.starts_with(b"[") && rest.trim_ascii_end().ends_with(b",NET]");
        marked || net || is_log_line(rest)
    });
    lines.retain(|line| !line.trim_ascii().is_empty());
    lines
}

/// Headers and a session description.
fn message(text: &[u8], lines: &mut Vec<Vec<u8>>) {
    let body = memmem::find(text, b" v=0 ").unwrap_or(text.len());
    let (head, body) = text.split_at(body);
    split(head, lines, is_header);
    lines.push(Vec::new());
    if !body.is_empty() {
        split(body, lines, |rest| {
            matches!(
                rest,
                [
                    b'v' | b'o' | b's' | b'c' | b't' | b'm' | b'a' | b'b' | b'i',
                    b'=',
                    ..
                ]
            )
        });
        lines.push(Vec::new());
    }
}

fn split(text: &[u8], lines: &mut Vec<Vec<u8>>, begins: impl Fn(&[u8]) -> bool) {
    let text = text.trim_ascii();
    let mut from = 0;
    for at in memchr::memchr_iter(b' ', text) {
        if text.get(at + 1..).is_some_and(&begins) {
            lines.push(text.get(from..at).unwrap_or_default().to_vec());
            from = at + 1;
        }
    }
    lines.push(text.get(from..).unwrap_or_default().to_vec());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::log::tests::texts;

    fn rebuilt(text: &str) -> Option<String> {
        let lines = lines(text.as_bytes())?;
        Some(String::from_utf8_lossy(&lines.join(&b'\n')).into_owned())
    }

    #[test]
    fn lines_are_told_apart_by_header_names() {
        let text = "x: INVITE sip:a@b SIP/2.0 Via: SIP/2.0/UDP c To: \"A b\" <sip:a@b> Call-ID: 1 v=0 s=Some call t=0 0";
        let expected = "x:\nINVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP c\nTo: \"A b\" <sip:a@b>\nCall-ID: 1\n\nv=0\ns=Some call\nt=0 0\n";
        assert_eq!(
            rebuilt(text).as_deref().map(|t| t.replace("x: ", "x:")),
            Some(expected.to_owned())
        );
        let two = "SIP/2.0 100 Trying Via: SIP/2.0/TCP c SIP/2.0 603 Not now Via: SIP/2.0/TCP c";
        let expected =
            "SIP/2.0 100 Trying\nVia: SIP/2.0/TCP c\n\nSIP/2.0 603 Not now\nVia: SIP/2.0/TCP c\n";
        assert_eq!(rebuilt(two).as_deref(), Some(expected));
    }

    #[test]
    fn lines_that_were_never_joined_are_left_alone() {
        for line in [
            "INVITE sip:a@b SIP/2.0",
            "Via: SIP/2.0/UDP c",
            "SIP/2.0 200 OK",
            "We send INVITE sip:a@b SIP/2.0 To: what",
        ] {
            assert_eq!(rebuilt(line).is_some(), line.contains(" To:"), "{line}");
        }
    }

    #[test]
    fn messages_on_one_line_are_found_by_their_headers() {
        let messages = [
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x:5060;branch=1\r\nFrom: <sip:c>;tag=1\r\nTo: <sip:a>\r\n\
             CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 99\r\n\r\nv=0\r\no=- 1 1 IN IP4 x\r\na=ptime:30\r\n",
            "SIP/2.0 407 Proxy Authentication Required\r\nVia: SIP/2.0/UDP x:5060;branch=1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n",
        ];
        let flat = messages.map(|message| {
            message
                .trim_end()
                .replace("\r\n\r\n", "\r\n")
                .replace("\r\n", " ")
        });
        let text = format!(
            "recv 9 bytes at 20:07:57: ---------- {} 2021-05-23 20:07:57 [NOTICE] x {}\n",
            flat[0], flat[1]
        );
        let read = texts(&text);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0], messages[0]);
        assert_eq!(read[1].trim_end(), messages[1].trim_end());
    }
}
