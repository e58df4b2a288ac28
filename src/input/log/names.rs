//! Names of headers, by which a line is known for one in any text.

use std::sync::LazyLock;

/// Those that messages commonly have: what was made one line may be split at them. A name stands whole
/// on its line.
const COMMON: &str = "Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events \
    Authorization CSeq Call-ID Call-Info Cisco-Guid Contact Content-Disposition Content-Encoding \
    Content-Length Content-Type Date Diversion Event Expires From History-Info MIME-Version \
    Max-Forwards Min-Expires Min-SE P-Asserted-Identity P-Charging-Vector P-Preferred-Identity \
    Privacy Proxy-Authenticate Proxy-Authorization RSeq RAck Reason Record-Route Refer-To \
    Referred-By Remote-Party-ID Replaces Require Retry-After Route Server Session-Expires \
    Session-ID Subject Subscription-State Supported Timestamp To Unsupported User-Agent Via \
    WWW-Authenticate Warning";

/// The others that are met, and the compact forms (RFC 3261 §7.3.3, and later RFCs).
const OTHERS: &str = "Accept-Contact Answer-Mode Authentication-Info Error-Info Feature-Caps \
    Flow-Timer Geolocation Identity Identity-Info In-Reply-To Join Organization Path Priority \
    Proxy-Require Reject-Contact Request-Disposition Resource-Priority Security-Client \
    Security-Server Security-Verify Service-Route SIP-ETag SIP-If-Match Target-Dialog User-to-User \
    a b c d e f i j k l m n o r s t u v x y";

/// The longest name of those, and one more.
const WIDEST: usize = 24;

/// Far more than there are names, so that few share a slot.
const SLOTS: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    name: &'static [u8],
    common: bool,
}

/// The names, each in the slot of its hash or in the next free one behind.
static TABLE: LazyLock<[Option<Known>; SLOTS]> = LazyLock::new(|| {
    let mut table = [None; SLOTS];
    let of = |names: &'static str, common| {
        let names = names.split(' ').map(str::as_bytes);
        names.map(move |name| Known { name, common })
    };
    for known in of(COMMON, true).chain(of(OTHERS, false)) {
        let behind = table.iter_mut().skip(slot(known.name));
        if let Some(free) = { behind }.find(|slot| slot.is_none()) {
            *free = Some(known);
        }
    }
    table
});

fn slot(name: &[u8]) -> usize {
    let letter = |byte: Option<&u8>| usize::from(byte.unwrap_or(&0) | 0x20);
    (name.len() * 37 + letter(name.first()) * 11 + letter(name.last()) * 3) % (SLOTS - WIDEST)
}

fn known(name: &[u8]) -> Option<Known> {
    let behind = TABLE.iter().skip(slot(name)).map_while(|known| *known);
    { behind }.find(|known| known.name.eq_ignore_ascii_case(name))
}

/// Whether it is the name of a header that messages commonly have.
pub(super) fn is_common(name: &[u8]) -> bool {
    known(name).is_some_and(|known| known.common)
}

/// The name of the header that the line is, if it begins with one that is known, or with one that
/// nobody but SIP has (`P-...`, `X-...`).
#[inline]
pub(super) fn header(line: &[u8]) -> Option<&[u8]> {
    let head = line.get(..WIDEST + 8).unwrap_or(line);
    let name = head.get(..head.iter().position(|byte| *byte == b':')?)?;
    let extension = matches!(name, [b'P' | b'p' | b'X' | b'x', b'-', ..])
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    (extension || known(name).is_some()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_found_whole_and_in_any_case() {
        for name in COMMON.split(' ').chain(OTHERS.split(' ')) {
            let ends = name.starts_with('-') || name.ends_with('-') || name.is_empty();
            assert!(!ends && name.len() < WIDEST, "{name:?}");
            assert!(
                known(name.to_ascii_uppercase().as_bytes()).is_some(),
                "{name}"
            );
        }
        for name in ["Min-Expires", "Proxy-Authenticate", "WWW-Authenticate"] {
            assert!(is_common(name.as_bytes()), "{name}");
        }
        for other in ["", "Min-", "Authenticate", "Expire", "Viaa", "q"] {
            assert!(known(other.as_bytes()).is_none(), "{other}");
        }
        assert!(!is_common(b"i"));
    }

    #[test]
    fn a_header_has_a_colon_behind_its_name() {
        for (line, name) in [
            ("Via: SIP/2.0/UDP a", Some("Via")),
            ("call-id:1", Some("call-id")),
            ("X-Anything-At-All: 1", Some("X-Anything-At-All")),
            ("v: SIP/2.0/UDP a", Some("v")),
            ("Via", None),
            ("Sent: now", None),
            ("X-ray of it: no", None),
            ("X", None),
        ] {
            assert_eq!(header(line.as_bytes()), name.map(str::as_bytes), "{line}");
        }
    }
}
