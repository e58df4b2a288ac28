//! The cipher suites that are opened (RFC 5246 appendix A.5 and those after it, RFC 8446 §B.4).

/// Hash of a pseudorandom function or of a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// Both together, the PRF before TLS 1.2.
    Md5Sha1,
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of its output.
    pub(super) fn length(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Md5Sha1 => 36,
            Hash::Sha384 => 48,
        }
    }
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes128Ccm8,
    Aes256Ccm,
    Aes256Ccm8,
    /// AES-128 in CBC mode with this MAC.
    Aes128Cbc(Hash),
    /// AES-256 in CBC mode with this MAC.
    Aes256Cbc(Hash),
}

impl Bulk {
    /// Bytes of the encryption key.
    pub(super) fn key_length(self) -> usize {
        match self {
            Bulk::Aes128Gcm | Bulk::Aes128Ccm | Bulk::Aes128Ccm8 | Bulk::Aes128Cbc(_) => 16,
            _ => 32,
        }
    }

    /// The MAC, where it is not part of the cipher.
    pub(super) fn mac(self) -> Option<Hash> {
        match self {
            Bulk::Aes128Cbc(hash) | Bulk::Aes256Cbc(hash) => Some(hash),
            _ => None,
        }
    }
}

/// A cipher suite.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) id: u16,
    /// As IANA has it, without `TLS_`.
    pub(super) name: &'static str,
    pub(super) bulk: Bulk,
    /// Of the PRF of TLS 1.2 or the key schedule of TLS 1.3.
    pub(super) prf: Hash,
}

const fn suite(id: u16, name: &'static str, bulk: Bulk, prf: Hash) -> Suite {
    Suite {
        id,
        name,
        bulk,
        prf,
    }
}

use Bulk::{
    Aes128Cbc, Aes128Ccm, Aes128Ccm8, Aes128Gcm, Aes256Cbc, Aes256Ccm, Aes256Ccm8, Aes256Gcm,
    ChaCha20Poly1305,
};
use Hash::{Sha1, Sha256, Sha384};

#[rustfmt::skip]
static SUITES: &[Suite] = &[
    suite(0x1301, "AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x1302, "AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0x1303, "CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0x1304, "AES_128_CCM_SHA256", Aes128Ccm, Sha256),
    suite(0x1305, "AES_128_CCM_8_SHA256", Aes128Ccm8, Sha256),
    suite(0x002f, "RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0x0035, "RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0x003c, "RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0x003d, "RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Sha256), Sha256),
    suite(0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Sha256), Sha256),
    suite(0x009c, "RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x009d, "RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Sha384), Sha384),
    suite(0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Sha384), Sha384),
    suite(0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0xc09c, "RSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    suite(0xc09d, "RSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    suite(0xc09e, "DHE_RSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    suite(0xc09f, "DHE_RSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    suite(0xc0a0, "RSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    suite(0xc0a1, "RSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    suite(0xc0a2, "DHE_RSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    suite(0xc0a3, "DHE_RSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    suite(0xc0ac, "ECDHE_ECDSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    suite(0xc0ad, "ECDHE_ECDSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    suite(0xc0ae, "ECDHE_ECDSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    suite(0xc0af, "ECDHE_ECDSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    suite(0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
];

/// The suite with this number, where it is one that can be opened.
pub(super) fn find(id: u16) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.id == id)
}

/// Its name, or its number.
pub(super) fn name(id: u16) -> String {
    find(id).map_or_else(|| format!("0x{id:04X}"), |suite| suite.name.to_owned())
}

/// What a version number is called.
pub(super) fn version(number: u16) -> &'static str {
    match number {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_names_fit() {
        for (at, suite) in SUITES.iter().enumerate() {
            assert!(!SUITES[..at].iter().any(|other| other.id == suite.id));
            let expected = match suite.bulk {
                Bulk::Aes128Gcm => "AES_128_GCM",
                Bulk::Aes256Gcm => "AES_256_GCM",
                Bulk::ChaCha20Poly1305 => "CHACHA20_POLY1305",
                Bulk::Aes128Ccm | Bulk::Aes128Ccm8 => "AES_128_CCM",
                Bulk::Aes256Ccm | Bulk::Aes256Ccm8 => "AES_256_CCM",
                Bulk::Aes128Cbc(_) => "AES_128_CBC",
                Bulk::Aes256Cbc(_) => "AES_256_CBC",
            };
            assert!(suite.name.contains(expected), "{}", suite.name);
            assert_eq!(suite.name.ends_with("SHA384"), suite.prf == Hash::Sha384);
            assert_eq!(
                suite.name.contains("CCM_8"),
                matches!(suite.bulk, Bulk::Aes128Ccm8 | Bulk::Aes256Ccm8)
            );
        }
    }
}
