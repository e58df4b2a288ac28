//! Names of headers, by which a line is known for one in any text.

use std::sync::LazyLock;

use super::words;

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

/// Far more slots than there are names, so that few share one; and some more behind, to give way to.
const SLOTS: usize = 1 << 9;
const MORE: usize = 32;

/// A name in small letters, as far as two words hold it; zeros behind.
type Key = [u64; 2];

#[derive(Clone, Copy, Default)]
struct Known {
    key: Key,
    name: &'static [u8],
    common: bool,
}

/// The names, each in the slot of its key or in the next free one behind; a key of zeros is free.
static TABLE: LazyLock<[Known; SLOTS + MORE]> = LazyLock::new(|| {
    let mut table = [Known::default(); SLOTS + MORE];
    let names = COMMON.split(' ').map(|name| (name.as_bytes(), true));
    for (name, common) in names.chain(OTHERS.split(' ').map(|name| (name.as_bytes(), false))) {
        let key = key(words::two(name), name.len());
        let mut behind = table.iter_mut().skip(slot(key));
        if let Some(free) = behind.find(|known| known.name.is_empty()) {
            *free = Known { key, name, common };
        }
    }
    table
});

/// The key of the name that is so long, of which these are the first words.
#[inline]
fn key([first, second]: [u64; 2], length: usize) -> Key {
    let masked = |word, length: usize| match length {
        8.. => words::lower(word),
        _ => words::lower(word) & ((1 << (8 * length)) - 1),
    };
    [
        masked(first, length),
        masked(second, length.saturating_sub(8)),
    ]
}

#[inline]
fn slot([first, second]: Key) -> usize {
    let mixed = (first ^ second.rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.ilog2())) as usize
}

/// What is known of a name that begins with these words.
#[inline]
fn known(words: [u64; 2], name: &[u8]) -> Option<&'static Known> {
    let (key, table) = (key(words, name.len()), &*TABLE);
    let mut behind = table.get(slot(key)..)?.iter();
    let known = behind.find(|known| known.key == key || known.name.is_empty())?;
    let same = !name.is_empty() && known.name.len() == name.len() && known.ends_with(name);
    same.then_some(known)
}

impl Known {
    /// Whether what the words do not hold is the same.
    #[inline]
    fn ends_with(&self, name: &[u8]) -> bool {
        match (self.name.get(16..), name.get(16..)) {
            (Some(rest), Some(other)) => rest.eq_ignore_ascii_case(other),
            _ => true,
        }
    }
}

/// Whether it is the name of a header that messages commonly have.
pub(super) fn is_common(name: &[u8]) -> bool {
    known(words::two(name), name).is_some_and(|known| known.common)
}

/// The name of the header that the line is, if it begins with one that is known, or with one that
/// nobody but SIP has (`P-...`, `X-...`).
#[inline]
pub(super) fn header(line: &[u8]) -> Option<&[u8]> {
    let words = words::two(line);
    let [first, second] = words;
    let length = words::position(first, b':')
        .or_else(|| Some(8 + words::position(second, b':')?))
        .or_else(|| {
            Some(
                16 + line
                    .get(16..line.len().min(32))?
                    .iter()
                    .position(|byte| *byte == b':')?,
            )
        })?;
    let name = line.get(..length)?;
    let extension = matches!(name, [b'P' | b'p' | b'X' | b'x', b'-', ..])
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    (extension || known(words, name).is_some()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_found_whole_and_in_any_case() {
        for name in COMMON.split(' ').chain(OTHERS.split(' ')) {
            let ends = name.starts_with('-') || name.ends_with('-') || name.is_empty();
            assert!(!ends && name.len() < 24, "{name:?}");
            let capitals = name.to_ascii_uppercase();
            let found = known(words::two(capitals.as_bytes()), capitals.as_bytes());
            assert_eq!(found.map(|known| known.name), Some(name.as_bytes()));
            let beginning = |other: &&str| other.get(..16) == name.get(..16) && name.len() > 16;
            let all = COMMON.split(' ').chain(OTHERS.split(' '));
            assert!(
                all.filter(beginning).count() < 2,
                "only one of {name} is found"
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
