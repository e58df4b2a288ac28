//! The RSA key exchange (RFC 5246 §7.4.7.1) with the private key of the server.
//!
//! Plain arithmetic on recorded bytes: nobody is there to measure how long it takes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

/// Longest modulus: 16 384 bits.
const LONGEST: usize = 2048;

/// An RSA private key.
#[derive(Clone)]
pub(super) struct PrivateKey {
    modulus: BigUint,
    exponent: BigUint,
    length: usize,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PrivateKey({} bits)", self.length * 8)
    }
}

impl PrivateKey {
    /// PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 §A.1.2) in PEM (RFC 7468).
    pub(super) fn from_pem(pem: &[u8]) -> Result<PrivateKey, &'static str> {
        let text = std::str::from_utf8(pem).map_err(|_| "it is not PEM")?;
        let between = |begin: &str, end: &str| {
            let (_, rest) = text.split_once(begin)?;
            let (body, _) = rest.split_once(end)?;
            let body: String = body.split_ascii_whitespace().collect();
            STANDARD.decode(body).ok()
        };
        let name = |kind: &str| {
            (
                format!("-----BEGIN {kind}-----"),
                format!("-----END {kind}-----"),
            )
        };
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("DEK-Info:") {
            return Err("the key is encrypted with a password");
        }
        let (begin, end) = name("RSA PRIVATE KEY");
        if let Some(der) = between(&begin, &end) {
            return Self::from_pkcs1(&der).ok_or("the RSA key in it cannot be read");
        }
        let (begin, end) = name("PRIVATE KEY");
        let der = between(&begin, &end).ok_or("there is no private key in PEM in it")?;
        Self::from_pkcs8(&der).ok_or("the key in it is no RSA key that can be read")
    }

    fn from_pkcs8(der: &[u8]) -> Option<PrivateKey> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        let (0x30, info, _) = item(der)? else {
            return None;
        };
        let (0x02, _, rest) = item(info)? else {
            return None;
        };
        let (0x30, algorithm, rest) = item(rest)? else {
            return None;
        };
        let (0x06, RSA, _) = item(algorithm)? else {
            return None;
        };
        let (0x04, key, _) = item(rest)? else {
            return None;
        };
        Self::from_pkcs1(key)
    }

    fn from_pkcs1(der: &[u8]) -> Option<PrivateKey> {
        let (0x30, key, _) = item(der)? else {
            return None;
        };
        let (0x02, _, rest) = item(key)? else {
            return None;
        };
        let (0x02, modulus, rest) = item(rest)? else {
            return None;
        };
        let (0x02, _, rest) = item(rest)? else {
            return None;
        };
        let (0x02, exponent, _) = item(rest)? else {
            return None;
        };
        if modulus.len() > LONGEST || exponent.len() > LONGEST {
            return None;
        }
        let modulus = BigUint::from_bytes_be(modulus);
        let length = modulus.bits().div_ceil(8) as usize;
        let key = PrivateKey {
            modulus,
            exponent: BigUint::from_bytes_be(exponent),
            length,
        };
        // 3 is the least modulus that the arithmetic takes for granted.
        (length >= 64).then_some(key)
    }

    /// The premaster secret: 48 bytes, if the padding says that this key fits.
    pub(super) fn premaster(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        if encrypted.len() != self.length {
            return None;
        }
        let clear = BigUint::from_bytes_be(encrypted)
            .modpow(&self.exponent, &self.modulus)
            .to_bytes_be();
        // 00 02, padding without zeros, 00; the first zero is lost in the number.
        let [2, rest @ ..] = clear.as_slice() else {
            return None;
        };
        let zero = memchr::memchr(0, rest)?;
        let secret = rest.get(zero + 1..)?;
        (clear.len() + 1 == self.length && secret.len() == 48).then(|| secret.to_vec())
    }
}

/// A DER item with a definite length: tag, content, and what follows.
fn item(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else {
        return None;
    };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
