//! What correlation needs of a message, read in one walk over its headers.

use super::field::{Field, Present};
use super::header::{self, Header, Line};
use super::hints::{Hint, Hints};
use super::span::{self, Span};
use super::start_line::{self, StartLine};
use super::{Flaw, Flaws, Method, lint, params};
use crate::short;

/// Which of the headers that every message carries are there and not empty (RFC 3261 §8.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Essentials(u8);

impl Essentials {
    const VIA: u8 = 1;
    const FROM: u8 = 2;
    const TO: u8 = 4;
    const CALL_ID: u8 = 8;
    const CSEQ: u8 = 16;

    fn add(&mut self, one: u8, value: Span) {
        self.0 |= if value.is_empty() { 0 } else { one };
    }

    fn has(self, one: u8) -> bool {
        self.0 & one != 0
    }

    /// How many of the five.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// What correlation needs of a message: byte ranges and numbers, read in one walk.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The start line.
    pub start: StartLine,
    /// The method of a request, or the one in CSeq of a response.
    pub method: Method,
    /// Sequence number of CSeq.
    pub cseq: Option<u32>,
    /// Offset of the first header.
    pub headers: u32,
    /// Offset of the body; the length of the message where there is none.
    pub body: u32,
    /// Value of Content-Length.
    pub content_length: Option<u32>,
    /// Value of Call-ID.
    pub call_id: Span,
    /// Tag of From.
    pub from_tag: Span,
    /// Tag of To.
    pub to_tag: Span,
    /// Parameter branch of the topmost Via.
    pub branch: Span,
    /// Host and port in the topmost Via.
    pub sent_by: Span,
    /// Value of the first Authorization or Proxy-Authorization.
    pub credentials: Span,
    /// How many Via values there are.
    pub vias: u16,
    /// Value of Max-Forwards.
    pub max_forwards: Option<u8>,
    /// Offset of the first Contact; 0 where there is none.
    pub contact: u32,
    /// What its Contact and its session description may be about.
    pub hints: Hints,
    /// Which headers are there.
    pub present: Present,
    /// Which of Via, From, To, Call-ID and CSeq are there.
    pub essentials: Essentials,
    /// What is wrong.
    pub flaws: Flaws,
}

/// The largest sequence number (RFC 3261 §8.1.1.5).
pub const MOST_CSEQ: u32 = i32::MAX as u32;

/// What only the walk over the headers has to know.
#[derive(Default)]
struct Beside {
    /// There is a Content-Type.
    typed: bool,
    /// Its value, where it may be a multipart one.
    multipart: Span,
    /// There is a Max-Forwards.
    forwards: bool,
    /// Value of the first Contact.
    contact: Span,
    /// Value of the first Require.
    require: Span,
    /// There is a number for what it may require.
    numbered: bool,
}

impl Head {
    /// Reads the message at the beginning of `raw`, as far as its header section goes; `None`
    /// where there is no start line.
    pub fn read(raw: &[u8]) -> Option<Head> {
        let (start, headers) = start_line::parse(raw)?;
        let mut head = Head {
            start,
            method: Method::Other,
            cseq: None,
            headers: u32::try_from(headers).ok()?,
            body: 0,
            content_length: None,
            call_id: Span::default(),
            from_tag: Span::default(),
            to_tag: Span::default(),
            branch: Span::default(),
            sent_by: Span::default(),
            credentials: Span::default(),
            vias: 0,
            max_forwards: None,
            contact: 0,
            hints: Hints::default(),
            present: Present::default(),
            essentials: Essentials::default(),
            flaws: Flaws::default(),
        };
        if let StartLine::Request { method, .. } = start {
            head.method = Method::of(method.of(raw));
        }
        let lone = raw.get(headers.wrapping_sub(2)) != Some(&b'\r');
        head.flaws.add_if(lone, Flaw::LineFeedOnly);
        let beside = head.read_headers(raw, headers);
        head.finish(raw, &beside);
        Some(head)
    }

    fn read_headers(&mut self, raw: &[u8], mut at: usize) -> Beside {
        let mut beside = Beside::default();
        loop {
            while let Some((header, next)) = header::usual(raw, at) {
                self.take(raw, header, &mut beside);
                at = next;
            }
            let Some((line, next)) = header::line(raw, at) else {
                break;
            };
            match line {
                Line::Header(header) => self.take(raw, header, &mut beside),
                Line::Broken => self.flaws.add(Flaw::BrokenHeaderLine),
                Line::Blank => {
                    self.body = u32::try_from(next).unwrap_or(u32::MAX);
                    return beside;
                }
            }
            let lone = raw.get(next.wrapping_sub(2)) != Some(&b'\r');
            self.flaws.add_if(lone, Flaw::LineFeedOnly);
            at = next;
        }
        self.body = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        self.flaws.add(Flaw::NoBlankLine);
        beside
    }

    fn take(&mut self, raw: &[u8], header: Header, beside: &mut Beside) {
        let Some(field) = header.field else {
            return self.present.add_other();
        };
        let value = header.value.of(raw);
        if field == Field::Contact {
            let again = self.present.has(field);
            self.hints.add_if(again, Hint::SeveralContacts);
        }
        self.present.add(field);
        match field {
            Field::Via => self.take_vias(value, header.value.start as usize),
            Field::UserAgent if self.is_request() => self.hints.take_agent(value),
            Field::From if !self.repeats(Essentials::FROM) => {
                if self.is_request() {
                    self.hints.take_sender(value);
                }
                self.essentials.add(Essentials::FROM, header.value);
                self.from_tag = self.take_address(raw, header.value);
            }
            Field::To if !self.repeats(Essentials::TO) => {
                self.essentials.add(Essentials::TO, header.value);
                self.to_tag = self.take_address(raw, header.value);
            }
            Field::CallId if !self.repeats(Essentials::CALL_ID) => {
                self.call_id = header.value;
                self.essentials.add(Essentials::CALL_ID, header.value);
            }
            Field::CSeq if !self.repeats(Essentials::CSEQ) => self.take_cseq(raw, value),
            Field::ContentLength => self.take_length(value),
            Field::ContentType => {
                self.flaws.add_if(beside.typed, Flaw::Repeated);
                beside.typed = true;
                if value.first().is_some_and(|b| b | 0x20 == b'm') {
                    beside.multipart = header.value;
                }
            }
            Field::MaxForwards => {
                self.flaws.add_if(beside.forwards, Flaw::Repeated);
                beside.forwards = true;
                let number = lint::small_number(value);
                self.flaws.add_if(number.is_none(), Flaw::BadMaxForwards);
                self.max_forwards = self.max_forwards.or(number);
            }
            Field::Authorization | Field::ProxyAuthorization if self.credentials.is_empty() => {
                self.credentials = header.value;
            }
            Field::Contact if beside.contact.is_empty() => {
                beside.contact = header.value;
                if self.contact == 0 {
                    self.contact = header.name.start;
                }
            }
            Field::ReferTo => self
                .flaws
                .add_if(lint::address(value).is_some(), Flaw::BadUri),
            Field::Expires
            | Field::MinExpires
            | Field::MinSe
            | Field::SessionExpires
            | Field::RSeq
            | Field::RAck
            | Field::RetryAfter
            | Field::Date => {
                beside.numbered |= matches!(field, Field::RSeq | Field::SessionExpires);
                let bad = !lint::is_number(field, value);
                self.flaws.add_if(bad, Flaw::BadNumber);
            }
            Field::Require if beside.require.is_empty() => beside.require = header.value,
            _ => {}
        }
    }

    // The first of several counts.
    fn repeats(&mut self, one: u8) -> bool {
        let known = self.essentials.has(one);
        self.flaws.add_if(known, Flaw::Repeated);
        known
    }

    // From or To; the tag. In what only repeats the addresses of an earlier request nobody has to
    // look at them again.
    fn take_address(&mut self, raw: &[u8], value: Span) -> Span {
        let bytes = value.of(raw);
        if self.is_request() && self.method.begins() {
            self.flaws
                .add_if(lint::address(bytes).is_some(), Flaw::BadUri);
        }
        let (tag, second) = tag(bytes);
        self.flaws.add_if(second, Flaw::TwoTags);
        match tag.is_empty() {
            true => Span::default(),
            false => tag.shifted(value.start as usize),
        }
    }

    fn take_vias(&mut self, value: &[u8], base: usize) {
        let several = short::find(value, 0, b',').is_some();
        if self.vias == 0 {
            let first = several.then(|| header::elements(value).next()).flatten();
            self.take_via(value, first.unwrap_or(value), base);
        }
        let commas = match several {
            true => header::elements(value).count(),
            false => 1,
        };
        self.vias = self
            .vias
            .saturating_add(u16::try_from(commas).unwrap_or(u16::MAX));
    }

    // `SIP/2.0/UDP host:port;branch=...`, blanks allowed around every part (RFC 3261 §20.42).
    fn take_via(&mut self, value: &[u8], first: &[u8], base: usize) {
        let base = base + span::span_in(value, first).start as usize;
        let semicolon = short::find(first, 0, b';').unwrap_or(first.len());
        let protocol_and_host = first.get(..semicolon).unwrap_or(first).trim_ascii_end();
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
        let blank = protocol_and_host.iter().rposition(is_blank);
        let host = blank.map_or(0, |at| at + 1);
        self.sent_by = Span::new(host, protocol_and_host.len()).shifted(base);
        self.essentials.add(Essentials::VIA, self.sent_by);
        let sent_by = protocol_and_host.get(host..).unwrap_or_default();
        self.hints.take_via(sent_by);
        if let Some(branch) = branch(first, semicolon) {
            self.branch = branch.shifted(base);
        }
    }

    fn take_cseq(&mut self, raw: &[u8], value: &[u8]) {
        let (number, method) = cseq(value);
        self.cseq = number;
        match self.start {
            StartLine::Request { method: asked, .. } => {
                self.flaws.add_if(asked.of(raw) != method, Flaw::CseqMethod)
            }
            StartLine::Response { .. } => self.method = Method::of(method),
        }
        self.essentials
            .add(Essentials::CSEQ, Span::new(0, method.len()));
        let unreadable = number.is_none() || method.is_empty();
        self.flaws.add_if(unreadable, Flaw::BadCseq);
        let too_large = number.is_some_and(|number| number > MOST_CSEQ);
        self.flaws.add_if(too_large, Flaw::CseqTooLarge);
    }

    fn take_length(&mut self, value: &[u8]) {
        let (length, digits) = number(value);
        let length = length.filter(|_| digits == value.len());
        let differs = self
            .content_length
            .is_some_and(|known| Some(known) != length);
        self.flaws
            .add_if(length.is_none() || differs, Flaw::BadContentLength);
        self.flaws
            .add_if(self.content_length.is_some(), Flaw::Repeated);
        self.content_length = self.content_length.or(length);
    }

    fn finish(&mut self, raw: &[u8], beside: &Beside) {
        if self.essentials.count() < 5 {
            self.flaws.add(Flaw::MandatoryMissing);
        }
        let cookie = self.branch.of(raw).len() == lint::COOKIE.len();
        let cookie = cookie && self.branch.of(raw).eq_ignore_ascii_case(lint::COOKIE);
        self.flaws.add_if(cookie, Flaw::CookieOnly);
        if let StartLine::Request { uri, .. } = self.start {
            self.flaws.add_if(!beside.forwards, Flaw::NoMaxForwards);
            if self.to_tag.is_empty() && self.method.begins() {
                let bad = lint::uri(uri.of(raw)).is_some();
                self.flaws.add_if(bad, Flaw::BadUri);
            }
        }
        if !beside.require.is_empty() && !beside.numbered {
            let named = |tag: &[u8]| memchr::memmem::find(beside.require.of(raw), tag).is_some();
            let unmet = match self.code() {
                Some(101..200) => named(b"100rel"),
                Some(200..300) => named(b"timer"),
                _ => false,
            };
            self.flaws.add_if(unmet, Flaw::Unmet);
        }
        if self.contact > 0 {
            self.hints.take_contact(beside.contact.of(raw));
        }
        self.hints
            .take_body(raw.get(self.body as usize..).unwrap_or_default());
        // A registrar only repeats what it was given.
        if self.is_request() || self.method != Method::Register {
            let contact = beside.contact.of(raw);
            let bad = !contact.is_empty() && lint::address(contact).is_some();
            self.flaws.add_if(bad, Flaw::BadUri);
        }
        if self.content_length.is_some_and(|length| length > 0) {
            self.flaws.add_if(!beside.typed, Flaw::Untyped);
            let (multipart, body) = (beside.multipart, raw.get(self.body as usize..));
            let bad = || lint::multipart(multipart.of(raw), body.unwrap_or_default()).is_some();
            self.flaws
                .add_if(!multipart.is_empty() && bad(), Flaw::BadMultipart);
        }
    }

    /// From where on headers of this kind may stand.
    pub(super) fn first_line(&self, field: Field) -> u32 {
        match field {
            Field::Contact if self.contact > 0 => self.contact,
            _ => self.headers,
        }
    }

    /// Is it a request?
    pub fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The status code of a response.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            StartLine::Response { code, .. } => Some(code),
            StartLine::Request { .. } => None,
        }
    }

    /// Does it say that a phone rings? A 181 to 189 only says that the call goes on (RFC 3261 §21.1.2).
    pub fn rings(&self) -> bool {
        self.code() == Some(180)
    }

    /// The status code of a final response (200 to 699).
    pub fn final_code(&self) -> Option<u16> {
        self.code().filter(|code| (200..700).contains(code))
    }
}

// The branch of a Via value whose parameters begin at or behind `from`: nearly always the first one.
fn branch(via: &[u8], from: usize) -> Option<Span> {
    const FIRST: &[u8] = b";branch=";
    let behind = via.get(from..)?.strip_prefix(FIRST);
    match behind {
        Some([value, ..]) if *value > b' ' && *value != b'"' => {
            Some(params::value_span(via, from + FIRST.len()))
        }
        _ => params::value_after(via, from, "branch"),
    }
}

// Number and method of a CSeq value (RFC 3261 §20.16). A number that is none is still followed by
// the method.
pub(super) fn cseq(value: &[u8]) -> (Option<u32>, &[u8]) {
    let (number, digits) = number(value);
    let rest = value.get(digits..).unwrap_or_default().trim_ascii();
    let blank = rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .filter(|_| digits == 0);
    let method = blank.map_or(rest, |at| rest.get(at..).unwrap_or_default().trim_ascii());
    (number, method)
}

// The number at the beginning and how many digits it has; `None` where it is none or too large.
fn number(value: &[u8]) -> (Option<u32>, usize) {
    let (mut number, mut digits) = (0_u64, 0);
    for byte in value {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = (number * 10 + u64::from(digit)).min(u64::from(u32::MAX) + 1);
        digits += 1;
    }
    let number = u32::try_from(number).ok().filter(|_| digits > 0);
    (number, digits)
}

// The tag of a From or To value: a parameter behind the closing bracket, or behind the URI
// where there are no brackets (RFC 3261 §20.10). And whether there is a second one.
fn tag(value: &[u8]) -> (Span, bool) {
    let bracket = short::rfind(value, b'>');
    let behind = bracket.and_then(|at| value.get(at + 1..));
    if let Some([b';', b't', b'a', b'g', b'=', tag @ ..]) = behind
        && short::find_any(tag, 0, *b"\"; ,>").is_none()
    {
        return (Span::new(value.len() - tag.len(), value.len()), false);
    }
    let from = bracket.or_else(|| short::find(value, 0, b';'));
    let Some(tag) = from.and_then(|from| params::value_after(value, from, "tag")) else {
        return (Span::default(), false);
    };
    let second = || params::value_after(value, tag.end as usize, "tag").is_some();
    (tag, !tag.is_empty() && second())
}
