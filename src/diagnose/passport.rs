//! The PASSporT of an Identity header (RFC 8224 §4, RFC 8225), read and not verified.

use crate::message::params;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Longest part that is decoded, in characters.
const LONGEST: usize = 64 * 1024;

/// The claims that matter to a call (RFC 8225 §5, RFC 8588 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passport {
    /// Extension: `shaken`, `div`, `rcd`, ...
    pub ppt: Option<String>,
    /// Attestation: A, B or C.
    pub attest: Option<String>,
    /// Caller's number or URI.
    pub orig: Option<String>,
    /// Called numbers or URIs.
    pub dest: Vec<String>,
    /// When it was signed, in seconds since 1970.
    pub iat: Option<i64>,
    /// Origination identifier.
    pub origid: Option<String>,
    /// Where the certificate is.
    pub x5u: Option<String>,
}

/// Decodes the value of an Identity header; `None` where it holds no full-form PASSporT.
pub fn decode(value: &[u8]) -> Option<Passport> {
    let token = value.split(|b| *b == b';').next()?.trim_ascii();
    let mut parts = token.split(|b| *b == b'.');
    let header = part(parts.next()?)?;
    let claims = part(parts.next()?)?;
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let listed = params::semicolon_list(value);
    Some(Passport {
        ppt: text(&header, "ppt").or_else(|| params::find(&listed, "ppt").map(str::to_owned)),
        attest: text(&claims, "attest"),
        orig: claims
            .get("orig")
            .and_then(|orig| identities(orig).into_iter().next()),
        dest: claims.get("dest").map(identities).unwrap_or_default(),
        iat: claims.get("iat").and_then(Value::as_i64),
        origid: text(&claims, "origid"),
        x5u: text(&header, "x5u"),
    })
}

fn part(text: &[u8]) -> Option<Value> {
    let text = text.get(..text.len().min(LONGEST))?;
    let bytes = URL_SAFE_NO_PAD
        .decode(
            text.strip_suffix(b"==")
                .or_else(|| text.strip_suffix(b"="))
                .unwrap_or(text),
        )
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}

// `{"tn": "1212..."}`, `{"tn": ["1212...", ...]}` or the same with "uri".
fn identities(claim: &Value) -> Vec<String> {
    let values = ["tn", "uri"].iter().filter_map(|name| claim.get(name));
    let flat = values.flat_map(|value| match value {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    });
    flat.filter_map(|value| value.as_str().map(str::to_owned))
        .take(16)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_nonsense_is_none() {
        let header = URL_SAFE_NO_PAD.encode(
            r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://c.example/s.pem"}"#,
        );
        let claims = URL_SAFE_NO_PAD.encode(r#"{"attest":"B","dest":{"tn":["12125550123"]},"iat":1790000000,"orig":{"tn":"12125550100"},"origid":"x"}"#);
        let passport = decode(
            format!("{header}.{claims}.c2ln;info=<https://c.example/s.pem>;alg=ES256").as_bytes(),
        )
        .unwrap();
        assert_eq!(passport.attest.as_deref(), Some("B"));
        assert_eq!(
            (passport.orig.as_deref(), passport.dest),
            (Some("12125550100"), vec!["12125550123".to_owned()])
        );
        assert_eq!(
            (passport.iat, passport.ppt.as_deref()),
            (Some(1_790_000_000), Some("shaken"))
        );
        for other in [&b""[..], b"..", b"a.b.c", b"\xff", b"e30.e30"] {
            assert!(decode(other).is_none_or(|p| p.attest.is_none()));
        }
    }
}
