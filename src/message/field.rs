//! The headers that diagnoses ask for, found in one walk.

use super::Message;
use super::header::Header;

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

/// Where in [`ALL`] a name is found, plus one; 0 where there is none. Names that meet in a place stand
/// one behind the other.
static PLACES: [u8; PLACES_COUNT] = places();
const PLACES_COUNT: usize = 256;

// Length, first and last letter tell nearly all names apart.
const fn place(name: &[u8]) -> usize {
    let (first, last) = (name[0] | 0x20, name[name.len() - 1] | 0x20);
    (name.len() * 11 + first as usize * 5 + last as usize * 29) % PLACES_COUNT
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the table has fewer than 256 names"
)]
const fn places() -> [u8; PLACES_COUNT] {
    let mut out = [0; PLACES_COUNT];
    let mut index = 0;
    while index < ALL.len() {
        let mut at = place(ALL[index].0.as_bytes());
        while out[at] != 0 {
            at = (at + 1) % PLACES_COUNT;
        }
        out[at] = index as u8 + 1;
        index += 1;
    }
    out
}

impl Field {
    /// The header with this name as received, compact form included.
    pub fn of(name: &[u8]) -> Option<Field> {
        if name.is_empty() {
            return None;
        }
        let mut at = place(name);
        loop {
            let index = usize::from(PLACES[at]).checked_sub(1)?;
            let (known, field) = ALL[index];
            let known = known.as_bytes();
            // Nearly always in the usual spelling.
            if known == name || known.eq_ignore_ascii_case(name) {
                return Some(field);
            }
            at = (at + 1) % PLACES_COUNT;
        }
    }
}

/// The known headers of one message, in the order of the message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The bytes of the message.
    pub raw: &'a [u8],
    pub(crate) found: &'a [(Field, Header)],
}

impl<'a> Fields<'a> {
    /// The headers of this kind.
    pub fn all(self, field: Field) -> impl Iterator<Item = Header> + 'a {
        let of_kind = self.found.iter().filter(move |(known, _)| *known == field);
        of_kind.map(|(_, header)| *header)
    }

    /// The first of them.
    pub fn first(self, field: Field) -> Option<Header> {
        self.all(field).next()
    }

    /// Is there one?
    pub fn has(self, field: Field) -> bool {
        self.found.iter().any(|(known, _)| *known == field)
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
        Some(super::lossy(&super::header::unfold(value)))
    }

    /// The elements of all headers of this kind that are comma lists of tokens, in lower case.
    pub fn tokens(self, field: Field) -> Vec<String> {
        let values = self.all(field).map(|header| header.value.of(self.raw));
        let words = values.flat_map(|value| value.split(|byte| *byte == b','));
        let words = words.map(|word| super::lossy(word.trim_ascii()).to_ascii_lowercase());
        words.filter(|word| !word.is_empty()).collect()
    }
}

/// Appends the known headers of a message.
pub(crate) fn read(message: Message<'_>, into: &mut Vec<(Field, Header)>) {
    let known = message
        .headers()
        .filter_map(|header| Some((Field::of(header.name.of(message.raw))?, header)));
    into.extend(known);
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
