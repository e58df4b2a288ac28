//! The headers that diagnoses ask for. Which of them a message has is known from the walk over its
//! headers, so that a question for one that it does not have costs nothing.

use super::header::{self, Header, Line};
use super::{Head, Message};
use crate::short::{self, Name, Named};

macro_rules! fields {
    ($($field:ident $name:literal $(| $compact:literal)?,)*) => {
        /// A header that is asked for (RFC 3261 §20 and the registry of header fields).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is the header of its name")]
        pub enum Field { $($field,)* }

        impl Field {
            /// Its full name in the usual spelling.
            pub fn name(self) -> &'static str {
                match self { $(Field::$field => $name,)* }
            }

            // The first letters of its name and of its compact form, in lower case.
            fn initials(self) -> (u8, u8) {
                match self {
                    $(Field::$field => ($name.as_bytes()[0] | 0x20, [$($compact.as_bytes()[0],)? $name.as_bytes()[0] | 0x20][0]),)*
                }
            }
        }

        const ALL: &[(&str, Field)] = &[$(($name, Field::$field), $(($compact, Field::$field),)?)*];
    };
}

fields! {
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    Allow "Allow",
    AllowEvents "Allow-Events" | "u",
    Authorization "Authorization",
    CallId "Call-ID" | "i",
    CallInfo "Call-Info",
    Contact "Contact" | "m",
    ContentDisposition "Content-Disposition",
    ContentEncoding "Content-Encoding" | "e",
    ContentLength "Content-Length" | "l",
    ContentType "Content-Type" | "c",
    CSeq "CSeq",
    Date "Date",
    Diversion "Diversion",
    ErrorInfo "Error-Info",
    Event "Event" | "o",
    Expires "Expires",
    From "From" | "f",
    Geolocation "Geolocation",
    HistoryInfo "History-Info",
    Identity "Identity" | "y",
    MaxForwards "Max-Forwards",
    MinExpires "Min-Expires",
    MinSe "Min-SE",
    PAssertedIdentity "P-Asserted-Identity",
    PChargingVector "P-Charging-Vector",
    PPreferredIdentity "P-Preferred-Identity",
    Path "Path",
    Privacy "Privacy",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthorization "Proxy-Authorization",
    ProxyRequire "Proxy-Require",
    RAck "RAck",
    RSeq "RSeq",
    Reason "Reason",
    RecordRoute "Record-Route",
    ReferTo "Refer-To" | "r",
    ReferredBy "Referred-By" | "b",
    RemotePartyId "Remote-Party-ID",
    Replaces "Replaces",
    Require "Require",
    RetryAfter "Retry-After",
    Route "Route",
    Server "Server",
    SessionExpires "Session-Expires" | "x",
    SessionId "Session-ID",
    SubscriptionState "Subscription-State",
    Supported "Supported" | "k",
    To "To" | "t",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Via "Via" | "v",
    Warning "Warning",
    WwwAuthenticate "WWW-Authenticate",
}

static NAMES: Named<Field, 256> = Named::of(ALL);

impl Field {
    /// The header with this name as received, compact form included.
    pub fn of(name: &[u8]) -> Option<Field> {
        Field::named(Name::of(name)?)
    }

    #[inline(always)]
    pub(super) fn named(name: Name) -> Option<Field> {
        NAMES.get(name)
    }
}

/// Which headers a message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present(u64);

const OTHERS: u64 = 1 << 63;
const _: () = assert!((Field::WwwAuthenticate as u8) < 63, "a bit for each field");

impl Present {
    pub(super) fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    /// These.
    pub const fn of(fields: &[Field]) -> Present {
        let (mut bits, mut index) = (0, 0);
        while index < fields.len() {
            bits |= 1 << fields[index] as u8;
            index += 1;
        }
        Present(bits)
    }

    /// Is none there that the other does not have?
    pub fn is_within(self, other: Present) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn add_other(&mut self) {
        self.0 |= OTHERS;
    }

    /// Are there headers that are no [`Field`]?
    pub fn others(self) -> bool {
        self.0 & OTHERS != 0
    }

    /// Is there one?
    pub fn has(self, field: Field) -> bool {
        self.0 & 1 << field as u8 != 0
    }

    /// The headers of either message.
    pub fn and(self, other: Present) -> Present {
        Present(self.0 | other.0)
    }
}

/// The known headers of one message, in the order of the message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The bytes of the message.
    pub raw: &'a [u8],
    head: Option<&'a Head>,
}

impl<'a> Fields<'a> {
    /// Those of a message; none where there is no message.
    pub fn of(message: Option<Message<'a>>) -> Fields<'a> {
        Fields {
            raw: message.map_or(&[], |message| message.raw),
            head: message.map(|message| message.head),
        }
    }

    /// The headers of this kind.
    pub fn all(self, field: Field) -> impl Iterator<Item = Header> + 'a {
        let head = self.head.filter(|head| head.present.has(field));
        let mut at = head.map_or(self.raw.len(), |head| head.first_line(field) as usize);
        std::iter::from_fn(move || next(self.raw, &mut at, field))
    }

    /// The first of them.
    pub fn first(self, field: Field) -> Option<Header> {
        self.all(field).next()
    }

    /// Is there one?
    pub fn has(self, field: Field) -> bool {
        self.head.is_some_and(|head| head.present.has(field))
    }

    /// How many header lines of this kind there are.
    pub fn count(self, field: Field) -> usize {
        self.all(field).count()
    }

    /// The bytes of the first value; folded lines are inside it.
    pub fn value(self, field: Field) -> Option<&'a [u8]> {
        self.first(field).map(|header| header.value.of(self.raw))
    }

    /// The first value as text, unfolded, bytes that are not UTF-8 replaced.
    pub fn text(self, field: Field) -> Option<String> {
        let value = self.value(field)?;
        Some(super::lossy(&header::unfold(value)))
    }

    /// The elements of all headers of this kind that are comma lists of tokens, in lower case.
    pub fn tokens(self, field: Field) -> Vec<String> {
        let values = self.all(field).map(|header| header.value.of(self.raw));
        let words = values.flat_map(|value| value.split(|byte| *byte == b','));
        let words = words.map(|word| super::lossy(word.trim_ascii()).to_ascii_lowercase());
        words.filter(|word| !word.is_empty()).collect()
    }
}

// The next header of this kind from the line at `at` on. Only lines that begin like it are read.
fn next(raw: &[u8], at: &mut usize, field: Field) -> Option<Header> {
    let (full, compact) = field.initials();
    loop {
        let rest = raw.get(*at..)?;
        let first = match rest {
            [] | [b'\n', ..] | [b'\r', b'\n', ..] => {
                *at = raw.len();
                return None;
            }
            [first, ..] => first | 0x20,
        };
        if first == full || first == compact {
            let (line, behind) = header::line(raw, *at)?;
            *at = behind;
            match line {
                Line::Header(header) if header.field == Some(field) => {
                    return Some(header);
                }
                _ => continue,
            }
        }
        *at = short::find(raw, *at, b'\n').map_or(raw.len(), |end| end + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (name, field) in ALL {
            assert_eq!(Field::of(name.as_bytes()), Some(*field), "{name}");
            let upper = name.to_ascii_uppercase();
            assert_eq!(Field::of(upper.as_bytes()), Some(*field), "{upper}");
        }
        for name in ["", "x-foo", "Viaa", "q", "P-Asserted-Identitys-Long"] {
            assert_eq!(Field::of(name.as_bytes()), None, "{name}");
        }
    }
}
