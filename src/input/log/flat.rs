//! A trace whose lines were joined to one, as some forms and chats do: recovered by the names of
//! headers, which is a guess where a body ends or a value holds such a name.

use memchr::memmem;

/// Headers that are seen in traces, and begin a line.
const NAMES: &[&str] = &[
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authorization",
    "CSeq",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "History-Info",
    "MIME-Version",
    "Max-Forwards",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Access-Network-Info",
    "P-Asserted-Identity",
    "P-Called-Party-ID",
    "P-Charging-Vector",
    "P-Early-Media",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "RSeq",
    "Reason",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Remote-Party-ID",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "Server",
    "Service-Route",
    "Session-Expires",
    "Subject",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "Via",
    "WWW-Authenticate",
    "Warning",
];

/// The lines that were joined; `None` for a line that is none of this kind.
pub(super) fn undo(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    for name in [&b" Via: "[..], b" From: ", b" To: ", b" CSeq: "] {
        memmem::find(line, name)?;
    }
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut line_of = Vec::new();
    let (mut in_message, mut in_body) = (false, false);
    for word in line.split(|byte| *byte == b' ') {
        // `INVITE sip:a SIP/2.0` and `SIP/2.0 200 OK` begin in front of what shows them.
        if word == b"SIP/2.0" {
            let request = take_request(&mut line_of);
            flush(&mut lines, &mut line_of);
            line_of = request;
            (in_message, in_body) = (true, false);
        } else if in_message && begins(word, in_body) {
            flush(&mut lines, &mut line_of);
            if !in_body && word == b"v=0" {
                lines.push(Vec::new());
                in_body = true;
            }
        } else if in_message && ends(word) {
            // Of the log around the message.
            flush(&mut lines, &mut line_of);
            lines.push(Vec::new());
            in_message = false;
        }
        if !line_of.is_empty() {
            line_of.push(b' ');
        }
        line_of.extend_from_slice(word);
    }
    flush(&mut lines, &mut line_of);
    lines.push(Vec::new());
    Some(lines)
}

fn flush(lines: &mut Vec<Vec<u8>>, line: &mut Vec<u8>) {
    if !line.is_empty() {
        lines.push(std::mem::take(line));
    }
}

/// Takes `INVITE sip:a` from the end of a line.
fn take_request(line: &mut Vec<u8>) -> Vec<u8> {
    let target = line.rsplitn(3, |byte| *byte == b' ').take(2);
    let words: Vec<&[u8]> = target.collect();
    let [uri, method] = words.as_slice() else {
        return Vec::new();
    };
    let request = method.len() > 2
        && method.iter().all(u8::is_ascii_uppercase)
        && memchr::memchr(b':', uri).is_some();
    if !request {
        return Vec::new();
    }
    line.split_off(line.len() - uri.len() - 1 - method.len())
}

fn begins(word: &[u8], in_body: bool) -> bool {
    if in_body || word == b"v=0" {
        return matches!(word, [b'a'..=b'z', b'=', ..]);
    }
    let Some(name) = word.strip_suffix(b":") else {
        return false;
    };
    NAMES
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// `2021-05-23`, `----...`, `<---`
fn ends(word: &[u8]) -> bool {
    let date = word.len() == 10
        && word.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    date || word.starts_with(b"-----") || word == b"<---"
}

#[cfg(test)]
mod tests {
    use crate::input::log::tests::texts;

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
