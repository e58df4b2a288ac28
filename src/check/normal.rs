//! Messages without what differs from run to run: addresses, tags, branches, Call-IDs, nonces, ports,
//! lengths and times get stable names, numbered in the order in which they are met in the call.

use crate::diagnose::address::{Class, class};
use crate::diagnose::passport;
use crate::message::header::canonical;
use crate::message::{Message, lossy};
use crate::report::terminal::escape::clean;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// Lines of a body that are written.
const MOST_LINES: usize = 400;
/// Parties beyond these have numbers.
const LETTERS: u8 = 26;
/// A token without a meaning: at least so long, of letters and digits.
const LONG: usize = 16;

/// Parameters whose value differs in every run, and what it is called.
const PARAMETERS: [(&str, &str); 17] = [
    ("branch", "branch"),
    ("tag", "tag"),
    ("from-tag", "tag"),
    ("to-tag", "tag"),
    ("nonce", "nonce"),
    ("nextnonce", "nonce"),
    ("cnonce", "cnonce"),
    ("opaque", "opaque"),
    ("response", "response"),
    ("rspauth", "response"),
    ("rport", "port"),
    ("boundary", "boundary"),
    ("icid-value", "icid"),
    ("rinstance", "instance"),
    ("+sip.instance", "instance"),
    ("pub-gruu", "gruu"),
    ("temp-gruu", "gruu"),
];

/// The same of what proxies and registrations write into URIs; elsewhere such a word may mean something.
const OF_URIS: [(&str, &str); 5] = [
    ("line", "line"),
    ("ftag", "tag"),
    ("did", "id"),
    ("vst", "id"),
    ("lr-id", "id"),
];

/// Headers of such URIs.
const WITH_URIS: [&str; 5] = ["Contact", "Route", "Record-Route", "Path", "Service-Route"];

/// Headers of which nothing stays but the name of what stands there.
const WHOLE: [(&str, &str); 10] = [
    ("Call-ID", "call-id"),
    ("In-Reply-To", "call-id"),
    ("Date", "date"),
    ("Timestamp", "timestamp"),
    ("Content-Length", "length"),
    ("Identity", "identity"),
    ("SIP-ETag", "etag"),
    ("SIP-If-Match", "etag"),
    ("Session-ID", "session-id"),
    ("Content-ID", "content-id"),
];

/// The names given so far in one call.
#[derive(Debug, Default)]
pub struct Names {
    parties: Vec<SocketAddr>,
    known: HashMap<(&'static str, String), usize>,
    counts: HashMap<&'static str, usize>,
    /// Is it a URI of a proxy or registration that is written?
    in_uri: bool,
}

impl Names {
    /// The letter of a system; unknown ones are `?`.
    pub fn party(&mut self, address: Option<SocketAddr>) -> String {
        let Some(address) = address else {
            return "?".to_owned();
        };
        let known = self.parties.iter().position(|known| *known == address);
        let index = known.unwrap_or_else(|| {
            self.parties.push(address);
            self.parties.len() - 1
        });
        letter(index)
    }

    /// The start line and the headers of a message, and the lines of its body.
    pub fn message(&mut self, message: Message<'_>) -> Vec<String> {
        let start = lossy(message.start_line().of(message.raw));
        self.in_uri = true;
        let mut lines = vec![clean(&self.line(&start))];
        self.in_uri = false;
        for header in message.headers() {
            let name = canonical(header.name.of(message.raw));
            let value = header.value.of(message.raw);
            let value = lossy(&crate::message::header::unfold(value));
            lines.push(clean(&format!("{name}: {}", self.value(&name, &value))));
        }
        let body = lossy(message.body());
        if body.is_empty() {
            return lines;
        }
        lines.push(String::new());
        let mut rest = body.lines();
        for line in rest.by_ref().take(MOST_LINES) {
            lines.push(clean(&self.body_line(line)));
        }
        let more = rest.count();
        if more > 0 {
            lines.push(format!("({more} more lines)"));
        }
        lines
    }

    /// The value of a header.
    pub fn value(&mut self, name: &str, value: &str) -> String {
        let same = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
        if let Some((_, kind)) = WHOLE.iter().find(same) {
            return match *kind {
                "length" | "date" | "timestamp" => format!("<{kind}>"),
                "identity" => {
                    let attest = passport::decode(value.as_bytes()).and_then(|p| p.attest);
                    let attest = attest.map_or(String::new(), |a| format!(" (attest {a})"));
                    format!("{}{attest}", self.name(kind, value))
                }
                _ => self.name(kind, value),
            };
        }
        match name {
            "CSeq" | "RAck" | "RSeq" => {
                let numbers = value.split_whitespace();
                let words: Vec<String> = numbers.map(|word| self.number(word)).collect();
                words.join(" ")
            }
            _ => {
                self.in_uri = WITH_URIS
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known));
                let line = self.line(value);
                self.in_uri = false;
                line
            }
        }
    }

    fn number(&mut self, word: &str) -> String {
        match word.bytes().all(|b| b.is_ascii_digit()) {
            true => self.name("number", word),
            false => word.to_owned(),
        }
    }

    fn body_line(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [o, id, version, rest @ ..] if o.starts_with("o=") && rest.len() == 3 => {
                let (id, version) = (self.name("session", id), self.name("version", version));
                format!("{o} {id} {version} {}", self.line(&rest.join(" ")))
            }
            [m, port, rest @ ..] if m.starts_with("m=") && !matches!(*port, "0" | "9") => {
                format!("{m} {} {}", self.name("port", port), rest.join(" "))
            }
            [rtcp, rest @ ..] if rtcp.starts_with("a=rtcp:") => {
                let port = self.name("port", rtcp.get(7..).unwrap_or_default());
                let rest = self.line(&rest.join(" "));
                format!("a=rtcp:{port} {rest}").trim_end().to_owned()
            }
            _ => {
                let secret = [
                    ("a=candidate:", "candidate"),
                    ("a=ice-ufrag:", "ice"),
                    ("a=ice-pwd:", "ice"),
                    ("a=ssrc:", "ssrc"),
                    ("a=ssrc-group:", "ssrc"),
                    ("a=msid", "msid"),
                ];
                let is = |(begin, _): &&(&str, &str)| line.starts_with(begin);
                if let Some((begin, kind)) = secret.iter().find(is) {
                    return format!("{begin}<{kind}>");
                }
                for (begin, kind) in [("a=fingerprint:", "fingerprint"), ("a=crypto:", "key")] {
                    if line.starts_with(begin) {
                        let (kept, _) = line.rsplit_once(' ').unwrap_or((begin, ""));
                        return format!("{kept} <{kind}>");
                    }
                }
                self.line(line)
            }
        }
    }

    /// Any text: parameters that differ in every run, addresses, and tokens without a meaning.
    pub fn line(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut rest, mut inside) = (text, false);
        while let Some(first) = rest.chars().next() {
            // Only where a word begins.
            if !inside
                && let Some((taken, name)) = self.word(rest, out.chars().next_back())
                && taken > 0
            {
                out.push_str(&name);
                rest = rest.get(taken..).unwrap_or_default();
                inside = true;
                continue;
            }
            inside = is_word(first);
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        out
    }

    // What the word is called with which the text begins, and how long it is.
    fn word(&mut self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        if let Some(found) = self.address(text) {
            return Some(found);
        }
        let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
        let word = text.get(..length)?;
        let is_parameter = before.is_none_or(|c| matches!(c, ';' | ',' | ' ' | '?' | '&'));
        let parameter = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case(word);
        let mut of_uris = OF_URIS.iter().filter(|_| self.in_uri);
        if is_parameter
            && let Some((_, kind)) = of_uris
                .find(parameter)
                .or_else(|| PARAMETERS.iter().find(parameter))
            && let Some(value) = text.get(length..)?.strip_prefix('=')
        {
            let quoted = value.strip_prefix('"');
            let (value, end) = match quoted {
                Some(quoted) => (quoted.split('"').next().unwrap_or(quoted), 2),
                None => {
                    let end = value.find([';', ',', '>', ' ', '?', '&', '"']);
                    (value.get(..end.unwrap_or(value.len()))?, 0)
                }
            };
            let taken = (length + 1 + value.len() + end).min(text.len());
            let name = self.name(kind, value);
            let name = if end > 0 { format!("\"{name}\"") } else { name };
            return Some((taken, format!("{word}={name}")));
        }
        is_meaningless(word).then(|| (length, self.name("id", word)))
    }

    fn address(&mut self, text: &str) -> Option<(usize, String)> {
        let (ip, length): (IpAddr, usize) = match text.strip_prefix('[') {
            Some(inner) => {
                let end = inner.find(']')?;
                (inner.get(..end)?.parse().ok()?, end + 2)
            }
            None => {
                let digits = |c: char| c.is_ascii_digit() || c == '.';
                let four = text.find(|c| !digits(c)).unwrap_or(text.len());
                let known = text.get(..four).and_then(|text| text.parse().ok());
                match known {
                    Some(ip) => (ip, four),
                    None => {
                        let hex = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
                        let six = text.find(|c| !hex(c)).unwrap_or(text.len());
                        let ip: std::net::Ipv6Addr = text.get(..six)?.parse().ok()?;
                        (ip.into(), six)
                    }
                }
            }
        };
        let behind = text.get(length..).unwrap_or_default();
        let port = behind.strip_prefix(':').map(|port| {
            let end = port.find(|c: char| !c.is_ascii_digit());
            port.get(..end.unwrap_or(port.len())).unwrap_or_default()
        });
        let of_party = |port: u16| {
            let address = SocketAddr::new(ip, port);
            self.parties.iter().position(|known| *known == address)
        };
        if let Some(port) = port.filter(|port| !port.is_empty()) {
            let taken = length + 1 + port.len();
            let party = port.parse().ok().and_then(of_party);
            let name = match party {
                Some(index) => letter(index),
                None => format!("{}:{}", self.host(ip), self.port(port)),
            };
            return Some((taken, name));
        }
        let name = of_party(5060).map_or_else(|| self.host(ip), letter);
        Some((length, name))
    }

    // The only party on an address stands for it. Of others the class stays: whether all can reach it.
    fn host(&mut self, ip: IpAddr) -> String {
        let mut on = (0..).zip(&self.parties).filter(|(_, p)| p.ip() == ip);
        match (on.next(), on.next()) {
            (Some((index, _)), None) => format!("host-{}", letter(index)),
            _ => match class(ip) {
                Class::Public => self.name("host", &ip.to_string()),
                // Hold, as RFC 2543 writes it.
                Class::Unspecified => ip.to_string(),
                Class::Loopback => self.name("loopback-host", &ip.to_string()),
                _ => self.name("private-host", &ip.to_string()),
            },
        }
    }

    fn port(&mut self, port: &str) -> String {
        match port {
            "5060" | "5061" => port.to_owned(),
            _ => self.name("port", port),
        }
    }

    fn name(&mut self, kind: &'static str, value: &str) -> String {
        let next = self.counts.get(kind).copied().unwrap_or(0) + 1;
        let number = *self.known.entry((kind, value.to_owned())).or_insert(next);
        if number == next {
            self.counts.insert(kind, next);
        }
        format!("<{kind}-{number}>")
    }
}

fn letter(index: usize) -> String {
    match u8::try_from(index) {
        Ok(index) if index < LETTERS => char::from(b'A' + index).to_string(),
        _ => format!("P{index}"),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~' | '%' | '!' | '*')
}

// Long, with letters and digits in turn: an identifier that a program made up. Digits alone may be a
// number that somebody has, unless they are the microseconds or nanoseconds since 1970.
fn is_meaningless(word: &str) -> bool {
    if word.bytes().all(|b| b.is_ascii_digit()) {
        let time = word.starts_with("16") || word.starts_with("17") || word.starts_with("18");
        return time && matches!(word.len(), 16 | 19);
    }
    let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_alphabetic());
    let turns = word.as_bytes().windows(2).filter(|pair| match pair {
        [a, b] => kind(*a) != kind(*b),
        _ => false,
    });
    let hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= LONG && digits >= 4 && !word.contains('.') && (hex || turns.count() >= 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Head;

    fn names() -> Names {
        let mut names = Names::default();
        for address in ["192.0.2.1:5060", "192.0.2.2:5070", "[2001:db8::1]:5060"] {
            names.party(address.parse().ok());
        }
        names
    }

    #[test]
    fn what_differs_in_every_run_has_a_name_and_the_rest_stays() {
        let mut names = names();
        for (line, want) in [
            (
                "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77;rport=5060;received=192.0.2.1",
                "SIP/2.0/UDP A;branch=<branch-1>;rport=<port-1>;received=A",
            ),
            ("<sip:bob@192.0.2.2:5070;lr>", "<sip:bob@B;lr>"),
            ("<sip:bob@192.0.2.2>", "<sip:bob@host-B>"),
            ("<sip:bob@192.0.2.9:4000>", "<sip:bob@<host-1>:<port-2>>"),
            ("<sip:bob@[2001:db8::1]>;tag=a73", "<sip:bob@C>;tag=<tag-1>"),
            (
                "<sip:+14155550100@example.org>",
                "<sip:+14155550100@example.org>",
            ),
            (
                "Digest realm=\"a\", nonce=\"n;1\", qop=auth",
                "Digest realm=\"a\", nonce=\"<nonce-1>\", qop=auth",
            ),
            (
                "Example Phone 2.1.4-release-20260101",
                "Example Phone 2.1.4-release-20260101",
            ),
            ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "<id-1>"),
            ("100rel, replaces, timer", "100rel, replaces, timer"),
            ("stage=1;tag", "stage=1;tag"),
            ("a;line=1;remote=yes", "a;line=1;remote=yes"),
            ("1234567890123456", "1234567890123456"),
            ("1767258000123456", "<id-2>"),
            (
                "<sip:bob@10.0.0.5:4000>",
                "<sip:bob@<private-host-1>:<port-2>>",
            ),
            ("c=IN IP4 100.64.0.9", "c=IN IP4 <private-host-2>"),
            ("c=IN IP4 0.0.0.0", "c=IN IP4 0.0.0.0"),
        ] {
            assert_eq!(names.line(line), want);
        }
        assert_eq!(names.value("CSeq", "4711 INVITE"), "<number-1> INVITE");
        assert_eq!(names.value("Content-Length", "142"), "<length>");
        let contact = names.value("Contact", "<sip:a@192.0.2.1;line=k7>");
        assert_eq!(contact, "<sip:a@A;line=<line-1>>");
        assert_eq!(names.value("Call-ID", "x@y"), names.value("Call-ID", "x@y"));
        assert_ne!(names.value("Call-ID", "x@y"), names.value("Call-ID", "z"));
    }

    #[test]
    fn a_session_description_keeps_what_it_offers() {
        let raw = b"INVITE sip:bob@192.0.2.2:5070 SIP/2.0\r\nl: 9\r\nCall-ID: a\r\n\r\nv=0\r\no=- 4 5 IN IP4 192.0.2.1\r\n\
            c=IN IP4 192.0.2.1\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtcp:40001 IN IP4 192.0.2.1\r\n\
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abcd\r\nm=video 0 RTP/AVP 31\r\n";
        let head = Head::read(raw).unwrap();
        let lines = names().message(Message { raw, head: &head });
        assert_eq!(
            lines,
            [
                "INVITE sip:bob@B SIP/2.0",
                "Content-Length: <length>",
                "Call-ID: <call-id-1>",
                "",
                "v=0",
                "o=- <session-1> <version-1> IN IP4 A",
                "c=IN IP4 A",
                "m=audio <port-1> RTP/AVP 0 8",
                "a=rtcp:<port-2> IN IP4 A",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 <key>",
                "m=video 0 RTP/AVP 31",
            ]
        );
    }

    #[test]
    fn nothing_that_comes_from_the_wire_steers_the_terminal() {
        let raw = b"OPTIONS sip:a SIP/2.0\r\nX: \x1b[31m\xff\xe2\x80\xae1.2.3.4.5:99999\r\n\r\n";
        let head = Head::read(raw).unwrap();
        let lines = names().message(Message { raw, head: &head });
        assert!(
            lines.iter().all(|line| !line.contains(char::is_control)),
            "{lines:?}"
        );
    }
}
