//! Secrets that no report may show: digest responses (RFC 7616) and media keys (RFC 4568, RFC 8839).
//!
//! Masking keeps the length, so that byte spans stay true.

const BETWEEN: [(&[u8], &[u8]); 7] = [
    (b"response=\"", b"\""),
    (b"response=", b", \t\r\n"),
    (b"rspauth=\"", b"\""),
    (b"inline:", b"|; \t\r\n"),
    (b"a=ice-pwd:", b"\r\n"),
    (b"k=clear:", b"\r\n"),
    (b"k=base64:", b"\r\n"),
];

/// `text` with every secret in it replaced by asterisks.
pub fn mask(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let lower = text.to_ascii_lowercase();
    for (before, end) in BETWEEN {
        for at in memchr::memmem::find_iter(&lower, before) {
            let start = at + before.len();
            // `response="` is masked up to its quote; without quote up to the next separator.
            if lower.get(start) == Some(&b'"') {
                continue;
            }
            let secret = out.iter_mut().skip(start).take_while(|b| !end.contains(*b));
            secret.for_each(|b| *b = b'*');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_responses_and_keys_are_masked_in_place() {
        for (plain, want) in [
            (
                &b"Digest nonce=\"n\", Response=\"d41d8\", uri=\"sip:a\""[..],
                &b"Digest nonce=\"n\", Response=\"*****\", uri=\"sip:a\""[..],
            ),
            (b"response=d41d8,x=1", b"response=*****,x=1"),
            (
                b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abcd|2^20",
                b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****|2^20",
            ),
            (b"a=ice-pwd:secret", b"a=ice-pwd:******"),
        ] {
            assert_eq!(mask(plain), want);
        }
    }
}
