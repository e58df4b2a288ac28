//! What is wrong with a message.

/// What is wrong with a message; kept beside the value, never instead of it. Only what one walk over
/// its headers tells for nothing; the rest is looked at where somebody asks ([`super::lint`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Flaw {
    /// A line in the header section that is no header.
    BrokenHeaderLine,
    /// No blank line after the headers.
    NoBlankLine,
    /// Content-Length says more than is there.
    BodyCut,
    /// Content-Length says less than is there (datagrams).
    BodyExcess,
    /// Content-Length is no number, or two of them differ.
    BadContentLength,
    /// Call-ID, CSeq, From, To or Via is missing.
    MandatoryMissing,
    /// CSeq cannot be read.
    BadCseq,
    /// A line ends with LF alone.
    LineFeedOnly,
    /// Bytes before the start line.
    LeadingJunk,
    /// The capture holds only the beginning of the message.
    CutByCapture,
    /// CSeq of a request names another method.
    CseqMethod,
    /// The number in CSeq is 2^31 or more (RFC 3261 §8.1.1.5).
    CseqTooLarge,
    /// The branch of the topmost Via is the magic cookie and nothing more (RFC 3261 §8.1.1.7).
    CookieOnly,
    /// A request without Max-Forwards (RFC 3261 §8.1.1.6).
    NoMaxForwards,
    /// Max-Forwards is no number from 0 to 255 (RFC 3261 §20.22).
    BadMaxForwards,
    /// From, To, Call-ID, CSeq, Max-Forwards, Content-Length or Content-Type stands there twice.
    Repeated,
    /// From or To has two tags.
    TwoTags,
    /// A URI, or what is around it, breaks the grammar (RFC 3261 §19.1.1, §20.10).
    BadUri,
    /// A body without Content-Type (RFC 3261 §20.15).
    Untyped,
    /// A multipart body whose boundary is not told or not there (RFC 2046 §5.1).
    BadMultipart,
    /// A number or date that is none.
    BadNumber,
    /// The checksum of the datagram does not fit: its bytes are not those that were sent. Looked at
    /// only where there is another flaw.
    Damaged,
    /// A response that requires 100rel and has no RSeq, or timer and no Session-Expires (RFC 3262 §3,
    /// RFC 4028 §9).
    Unmet,
}

/// A set of flaws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws(u32);

impl Flaws {
    /// Adds one.
    pub fn add(&mut self, flaw: Flaw) {
        self.0 |= 1 << flaw as u8;
    }

    /// Adds one where it is met.
    pub fn add_if(&mut self, met: bool, flaw: Flaw) {
        self.0 |= u32::from(met) << flaw as u8;
    }

    /// Is it there?
    pub fn has(self, flaw: Flaw) -> bool {
        self.0 & (1 << flaw as u8) != 0
    }

    /// Is nothing wrong?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    pub fn and(self, other: Flaws) -> Flaws {
        Flaws(self.0 | other.0)
    }
}
