//! Secrets to keys: the PRF (RFC 5246 §5, RFC 2246 §5) and HKDF-Expand-Label (RFC 8446 §7.1).

use super::suite::Hash;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

/// HMAC (RFC 2104) of the parts one after the other.
pub(super) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => with::<Hmac<Sha1>>(key, parts),
        Hash::Sha256 => with::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => with::<Hmac<Sha384>>(key, parts),
        // Only half of a PRF; the other half asks for SHA-1.
        Hash::Md5Sha1 => with::<Hmac<Md5>>(key, parts),
    }
}

fn with<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// The hash of a transcript.
pub(super) fn digest(hash: Hash, bytes: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(bytes).to_vec(),
        Hash::Sha256 => Sha256::digest(bytes).to_vec(),
        Hash::Sha384 => Sha384::digest(bytes).to_vec(),
        Hash::Md5Sha1 => [Md5::digest(bytes).to_vec(), Sha1::digest(bytes).to_vec()].concat(),
    }
}

/// The pseudorandom function; `hash` is that of the suite, or [`Hash::Md5Sha1`] before TLS 1.2.
pub(super) fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    if hash != Hash::Md5Sha1 {
        return expand(hash, secret, label, seed, length);
    }
    let half = secret.len().div_ceil(2);
    let first = secret.get(..half).unwrap_or_default();
    let second = secret.get(secret.len() - half..).unwrap_or_default();
    let mut out = expand(Hash::Md5Sha1, first, label, seed, length);
    let other = expand(Hash::Sha1, second, label, seed, length);
    for (byte, with) in out.iter_mut().zip(other) {
        *byte ^= with;
    }
    out
}

// P_hash.
fn expand(hash: Hash, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    let mut chain = hmac(hash, secret, &[label, seed]);
    while out.len() < length {
        let block = hmac(hash, secret, &[&chain, label, seed]);
        if block.is_empty() {
            break;
        }
        out.extend(block);
        chain = hmac(hash, secret, &[&chain]);
    }
    out.truncate(length);
    out
}

/// HKDF-Expand-Label with an empty context.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, length: usize) -> Vec<u8> {
    let mut info = Vec::with_capacity(32);
    info.extend((length as u16).to_be_bytes());
    info.push(6 + label.len() as u8);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(0);
    let (mut out, mut block) = (Vec::with_capacity(length), Vec::new());
    for counter in 1..=255u8 {
        if out.len() >= length {
            break;
        }
        block = hmac(hash, secret, &[&block, &info, &[counter]]);
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn the_key_schedule_gives_the_keys_of_rfc_8448() {
        // RFC 8448 §3: server handshake traffic secret to write key and IV.
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(
            expand_label(Hash::Sha256, &secret, "key", 16),
            hex("3fce516009c21727d0f2e4e86ee403bc")
        );
        assert_eq!(
            expand_label(Hash::Sha256, &secret, "iv", 12),
            hex("5d313eb2671276ee13000b30")
        );
    }

    #[test]
    fn the_prf_gives_the_published_vector() {
        // The TLS 1.2 SHA-256 vector that was published on the list of the working group.
        let out = prf(
            Hash::Sha256,
            &hex("9bbe436ba940f017b17652849a71db35"),
            b"test label",
            &hex("a0ba9f936cda311827a6f796ffd5198c"),
            100,
        );
        assert_eq!(out[..16], hex("e3f229ba727be17b8d122620557cd453"));
        assert_eq!(out.len(), 100);
    }
}
