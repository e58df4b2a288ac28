//! The SIP grammar: payload to [`Message`] and its flaws. Knows nothing of packets.
//!
//! Reading has two levels. [`Head::read`] runs on every message: it walks the header lines once,
//! allocates nothing, and keeps the byte ranges that correlation needs. Everything else is read
//! from the raw bytes when a rule or a report asks for it.

/// The headers that diagnoses ask for.
pub mod field;
/// What is wrong with a message.
pub mod flaw;
/// What correlation needs of a message.
mod head;
/// Header lines.
pub mod header;
/// What rules ask of every message.
pub mod hints;
/// What breaks the grammar, to the byte.
pub mod lint;
/// Request methods.
pub mod method;
/// Generic `name=value` parameters.
pub mod params;
/// Session descriptions.
pub mod sdp;
/// Byte ranges inside a message.
pub mod span;
/// Request-Line and Status-Line.
pub mod start_line;
/// Typed views of single headers, through rsip.
pub mod typed;
/// URIs and name-addr.
pub mod uri;

/// What became of the frames of an input.
pub mod account;
/// Where a message begins and ends.
mod boundary;
/// Datagrams and streams to whole messages, and the account of every frame.
pub mod framing;
/// What a log leaves out of a hop.
pub mod inferred;
/// The systems at the ends of a hop.
pub mod party;
/// Where, when and on which hop a message was seen.
pub mod stamp;

pub use flaw::{Flaw, Flaws};
pub use head::{Essentials, Head, MOST_CSEQ};
pub use header::Header;
pub use method::Method;
pub use span::Span;
pub use start_line::StartLine;

use field::{Field, Fields};
use head::cseq;
use header::{Line, is_named};

/// A message: its raw bytes and what was read of them.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The bytes, from the start line to the end of the body.
    pub raw: &'a [u8],
    /// What correlation needs.
    pub head: &'a Head,
}

impl<'a> Message<'a> {
    /// All headers in order.
    pub fn headers(self) -> impl Iterator<Item = Header> + 'a {
        let (raw, mut at) = (self.raw, self.head.headers as usize);
        std::iter::from_fn(move || {
            loop {
                let (line, next) = header::line(raw, at)?;
                at = next;
                match line {
                    Line::Header(header) => return Some(header),
                    Line::Broken => {}
                    Line::Blank => {
                        at = raw.len();
                        return None;
                    }
                }
            }
        })
    }

    /// The headers with this full name, compact form included.
    pub fn all(self, name: &'a str) -> impl Iterator<Item = Header> + 'a {
        let known = Field::of(name.as_bytes());
        let fields = known.map(|field| Fields::of(Some(self)).all(field));
        let named = move |header: &Header| is_named(header.name.of(self.raw), name);
        let others = || self.headers().filter(named);
        let others = known.is_none().then(others);
        fields
            .into_iter()
            .flatten()
            .chain(others.into_iter().flatten())
    }

    /// The first header with this full name.
    pub fn header(self, name: &'a str) -> Option<Header> {
        self.all(name).next()
    }

    /// The value of the first header with this name, unfolded, bytes that are not UTF-8 replaced.
    pub fn text(self, name: &'a str) -> Option<String> {
        self.header(name)
            .map(|header| lossy(&header::unfold(header.value.of(self.raw))))
    }

    /// Start line and headers.
    pub fn header_section(self) -> &'a [u8] {
        self.raw.get(..self.head.body as usize).unwrap_or(self.raw)
    }

    /// The body; what is there of it.
    pub fn body(self) -> &'a [u8] {
        self.raw.get(self.head.body as usize..).unwrap_or_default()
    }

    /// The start line without its line end.
    pub fn start_line(self) -> Span {
        let end = self.head.headers as usize;
        let line = self.raw.get(..end).unwrap_or_default();
        Span::new(0, line.trim_ascii_end().len())
    }

    /// The text of a range.
    pub fn slice(self, span: Span) -> String {
        lossy(span.of(self.raw))
    }

    /// The Request-URI as written.
    pub fn request_uri(self) -> Option<Span> {
        match self.head.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The reason phrase as received.
    pub fn reason(self) -> Option<Span> {
        match self.head.start {
            StartLine::Response { reason, .. } => Some(reason),
            StartLine::Request { .. } => None,
        }
    }

    /// The method as text, also for one that is not registered.
    pub fn method_name(self) -> String {
        match (self.head.method.name(), self.head.start) {
            (Some(name), _) => name.to_owned(),
            (None, StartLine::Request { method, .. }) => self.slice(method),
            (None, StartLine::Response { .. }) => {
                let value = self.header("CSeq").map(|header| header.value.of(self.raw));
                lossy(cseq(value.unwrap_or_default()).1)
            }
        }
    }
}

/// Text of bytes from the wire; what is not UTF-8 is replaced.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:+12125550123@example.net SIP/2.0\r\n\
        v: SIP/2.0/UDP [2001:db8::1]:5060 ; rport ; branch = z9hG4bKabc, SIP/2.0/TCP b;branch=z9hG4bKold\r\n\
        f: \"A; tag=no\" <sip:a@example.org;tag=neither>;x=1;tag=from1\r\n\
        t: sip:b@example.net;tag=to1\r\n\
        i: call@1\r\n\
        CSeq:  7   INVITE\r\n\
        l: 4\r\n\r\nbody";

    #[test]
    fn head_gives_ranges_of_what_correlation_needs() {
        let head = Head::read(INVITE).unwrap();
        let text = |span: Span| lossy(span.of(INVITE));
        assert_eq!(text(head.branch), "z9hG4bKabc");
        assert_eq!(text(head.sent_by), "[2001:db8::1]:5060");
        assert_eq!(
            (text(head.from_tag), text(head.to_tag)),
            ("from1".into(), "to1".into())
        );
        assert_eq!(
            (text(head.call_id), head.cseq, head.method),
            ("call@1".into(), Some(7), Method::Invite)
        );
        assert_eq!((head.vias, head.content_length), (2, Some(4)));
        assert!(head.flaws.has(Flaw::NoMaxForwards) && head.flaws.has(Flaw::Untyped));
        let message = Message {
            raw: INVITE,
            head: &head,
        };
        assert_eq!(message.body(), b"body");
        assert_eq!(message.headers().count(), 6);
        assert_eq!(
            message.text("From").unwrap(),
            "\"A; tag=no\" <sip:a@example.org;tag=neither>;x=1;tag=from1"
        );
    }

    #[test]
    fn damage_is_noted_and_discards_nothing() {
        let raw = b"SIP/2.0 486 Busy\nVia: SIP/2.0/UDP a\nno colon here\nContent-Length: x\nCSeq: INVITE\nTo: \xff<sip:b@c>";
        let head = Head::read(raw).unwrap();
        for flaw in [
            Flaw::LineFeedOnly,
            Flaw::BrokenHeaderLine,
            Flaw::BadContentLength,
            Flaw::BadCseq,
            Flaw::NoBlankLine,
            Flaw::MandatoryMissing,
        ] {
            assert!(head.flaws.has(flaw), "{flaw:?}");
        }
        let message = Message { raw, head: &head };
        assert_eq!(
            message.header("To").unwrap().value.of(raw),
            b"\xff<sip:b@c>"
        );
        assert_eq!(head.final_code(), Some(486));
    }

    #[test]
    fn the_method_of_a_cseq_is_read_also_where_its_number_is_none() {
        for (value, cseq, method) in [
            ("1 INVITE", Some(1), "INVITE"),
            ("1INVITE", Some(1), "INVITE"),
            ("INVITE", None, "INVITE"),
            ("\x11 INVITE", None, "INVITE"),
            ("%s\0 \t REGISTER ", None, "REGISTER"),
            ("99999999999 BYE", None, "BYE"),
        ] {
            let raw = format!("SIP/2.0 200 OK\r\nCSeq: {value}\r\n\r\n");
            let head = Head::read(raw.as_bytes()).unwrap();
            let message = Message {
                raw: raw.as_bytes(),
                head: &head,
            };
            assert_eq!(
                (head.cseq, message.method_name().as_str()),
                (cseq, method),
                "{value:?}"
            );
            assert_eq!(head.flaws.has(Flaw::BadCseq), cseq.is_none(), "{value:?}");
        }
    }
}
