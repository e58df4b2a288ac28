//! Names of headers, by which a line is known for one in any text.

use std::sync::LazyLock;

use crate::short::{self, Name, Named};

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

/// Whether a known name is a common one.
static KNOWN: LazyLock<Named<bool, 512>> = LazyLock::new(|| {
    let all = |names: &'static str, common| names.split(' ').map(move |name| (name, common));
    let all: Vec<_> = all(COMMON, true).chain(all(OTHERS, false)).collect();
    Named::of(&all)
});

/// Whether it is the name of a header that messages commonly have.
pub(super) fn is_common(name: &[u8]) -> bool {
    Name::of(name).and_then(|name| KNOWN.get(name)) == Some(true)
}

/// The name of the header that the line is, if it begins with one that is known, or with one that
/// nobody but SIP has (`P-...`, `X-...`).
#[inline]
pub(super) fn header(line: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 32;
    if let Some((name, length)) = Name::before(line, b':')
        && KNOWN.get(name).is_some()
    {
        return line.get(..length);
    }
    let [b'P' | b'p' | b'X' | b'x', b'-', ..] = line else {
        return None;
    };
    let name = line.get(..line.len().min(LONGEST))?;
    let name = name.get(..short::find(name, 0, b':')?)?;
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.iter().all(belongs).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_found_whole_and_in_any_case() {
        for name in COMMON.split(' ').chain(OTHERS.split(' ')) {
            let ends = name.starts_with('-') || name.ends_with('-') || name.is_empty();
            assert!(!ends && name.len() < 24, "{name:?}");
            let line = format!("{}: x", name.to_ascii_uppercase());
            assert_eq!(
                header(line.as_bytes()).map(<[u8]>::len),
                Some(name.len()),
                "{name}"
            );
            assert!(
                KNOWN.get(Name::of(name.as_bytes()).unwrap()).is_some(),
                "{name}"
            );
        }
        for name in ["Min-Expires", "Proxy-Authenticate", "WWW-Authenticate"] {
            assert!(is_common(name.as_bytes()), "{name}");
        }
        for other in ["", "Min-", "Authenticate", "Expire", "Viaa", "q"] {
            assert!(
                header(format!("{other}: x").as_bytes()).is_none(),
                "{other}"
            );
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
            ("Authentication-Info: x", Some("Authentication-Info")),
            ("Authentication-Inf0: x", None),
            ("Call\rID: 1", None),
            ("C\u{e1}ll-ID: 1", None),
        ] {
            assert_eq!(header(line.as_bytes()), name.map(str::as_bytes), "{line}");
        }
    }
}
