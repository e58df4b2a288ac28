//! Where a message begins and ends in bytes that may hold anything (RFC 3261 §18.3).
//!
//! This runs on bytes that an attacker chose: nothing here looks at the same bytes again and again.

use super::header::Line;
use super::{Flaw, Head, StartLine, header, start_line};

/// Longest header section and body of a message on a stream; more is no SIP that anyone sends.
const LONGEST_HEADERS: usize = 256 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;

/// What stands at the beginning of the bytes at hand.
pub(super) enum Next {
    /// A whole message of this length.
    Message(Box<Head>, usize),
    /// More bytes are needed, at least up to this length.
    More(usize),
    /// No message begins here, nor anywhere before this offset, which is not 0.
    Skip(usize),
}

/// Reads a message that fills `bytes`; `datagram` says that nothing may follow.
pub(super) fn read_message(bytes: &[u8], datagram: bool) -> Option<Head> {
    let mut head = Head::read(bytes)?;
    if head.essentials.count() == 0 && !(datagram && is_unmistakable(&head, bytes)) {
        return None;
    }
    let there = bytes.len() - (head.body as usize).min(bytes.len());
    match head.content_length.map(|length| length as usize) {
        Some(length) if length > there => head.flaws.add(Flaw::BodyCut),
        Some(length) if length < there && datagram => head.flaws.add(Flaw::BodyExcess),
        _ => {}
    }
    Some(head)
}

// A line of a log that quotes a start line has further words before it.
fn is_unmistakable(head: &Head, bytes: &[u8]) -> bool {
    match head.start {
        StartLine::Response { .. } => true,
        StartLine::Request { uri, .. } => !uri.of(bytes).iter().any(u8::is_ascii_whitespace),
    }
}

/// What stands at the beginning of `rest`, which is not empty. `searched` is how much of it was
/// already searched for the end of the headers.
pub(super) fn next_message(rest: &[u8], searched: &mut usize) -> Next {
    let first_line = memchr::memchr(b'\n', rest);
    if start_line::parse(rest).is_none() {
        return match first_line {
            None if start_line::may_begin(rest) => Next::More(rest.len() + 1),
            None => Next::Skip(rest.len()),
            Some(end) => Next::Skip(end + 1),
        };
    }
    if !header_end(rest, searched) {
        return match rest.len() > LONGEST_HEADERS {
            true => Next::Skip(rest.len()),
            false => Next::More(rest.len() + 1),
        };
    }
    let Some(head) = Head::read(rest) else {
        return Next::Skip(rest.len());
    };
    // On a stream Content-Length ends the message; without it there is no body.
    let length = head.content_length.map_or(0, |length| length as usize);
    let (body, end) = (head.body as usize, head.body as usize + length);
    match length {
        _ if head.essentials.count() == 0 || length > LONGEST_BODY => Next::Skip(body.max(1)),
        _ if end > rest.len() => Next::More(end),
        _ => Next::Message(Box::new(head), end),
    }
}

// Looks only at bytes not searched before, so that a header section that comes in drips costs
// no more than one that comes at once.
fn header_end(rest: &[u8], searched: &mut usize) -> bool {
    let mut at = searched.saturating_sub(3);
    while let Some(found) = rest.get(at..).and_then(|tail| memchr::memchr(b'\n', tail)) {
        at += found + 1;
        if matches!(rest.get(at..), Some([b'\n', ..] | [b'\r', b'\n', ..])) {
            return true;
        }
    }
    *searched = rest.len();
    false
}

/// Looks for the next line that begins a message: its offset, or else how many bytes need not be
/// looked at again.
pub(super) fn find_start(bytes: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memmem::find(rest, b"SIP/2.0"))
    {
        let hit = at + found;
        let before = bytes.get(at..hit).unwrap_or_default();
        let line = memchr::memrchr(b'\n', before).map_or(at, |newline| at + newline + 1);
        if begins_message(bytes.get(line..).unwrap_or_default()) {
            return Ok(line);
        }
        // Whatever else the line holds, it is no start line.
        match bytes
            .get(hit..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
        {
            Some(newline) => at = hit + newline + 1,
            None => break,
        }
    }
    // The last line may be the beginning of a start line, unless it is longer than any.
    let last_line = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    match bytes.len() - last_line > start_line::LONGEST {
        true => Err(bytes.len()),
        false => Err(last_line),
    }
}

// Reads two lines at most.
fn begins_message(bytes: &[u8]) -> bool {
    let Some((_, next)) = start_line::parse(bytes) else {
        return false;
    };
    match header::line(bytes, next) {
        Some((Line::Header(_), _)) | None => true,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_needs_no_header_and_a_text_does() {
        for (bytes, datagram, text) in [
            (&b"SIP/2.0 200 OK\r\nSeq: 0\r\n\r\n"[..], true, false),
            (b"OPTIONS sip:a SIP/2.0\r\n\r\n", true, false),
            (b"Jul 1 gw: OPTIONS sip:a SIP/2.0\n", false, false),
            (b"OPTIONS sip:a SIP/2.0\r\nTo: sip:a\r\n\r\n", true, true),
            (b"OPTIONS sip:a b SIP/2.0\r\nTo: sip:a\r\n\r\n", true, true),
        ] {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(read_message(bytes, true).is_some(), datagram, "{shown}");
            assert_eq!(read_message(bytes, false).is_some(), text, "{shown}");
        }
    }

    #[test]
    fn a_start_is_found_and_what_is_none_is_skipped() {
        let found = |bytes: &[u8]| find_start(bytes);
        assert_eq!(found(b"junk\r\nSIP/2.0 200 OK\r\nVia: x\r\n"), Ok(6));
        assert_eq!(
            found(b"Via: SIP/2.0/UDP a\r\nACK sip:a SIP/2.0\r\nTo: x\r\n"),
            Ok(20)
        );
        assert_eq!(found(b"one SIP/2.0 two SIP/2.0 three"), Err(0));
        assert_eq!(found(b"abc\nINVITE sip:a SI"), Err(4));
        assert_eq!(found(&[b'x'; 40_000]), Err(40_000));
    }

    #[test]
    fn what_begins_no_message_is_skipped_and_not_looked_at_again() {
        for bytes in [
            &b"INVITE sip:a SIP/2.0\r\nVia: x\r\nContent-Length: 99999999\r\n\r\n"[..],
            b"INVITE sip:a SIP/2.0\r\nSubject: x\r\n\r\n",
            b"nothing\r\n",
            b"\x00",
        ] {
            assert!(matches!(next_message(bytes, &mut 0), Next::Skip(1..)));
        }
    }
}
