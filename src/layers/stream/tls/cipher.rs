//! Opens a record (RFC 5246 §6.2.3, RFC 8446 §5.2). What the tag or MAC does not confirm is never given out.

use super::schedule::{expand_label, hmac, prf};
use super::suite::{Bulk, Hash, Suite};
use aes::cipher::BlockCipherDecrypt;
use aes::{Aes128, Aes256};
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;

/// Keys of one direction.
pub(super) struct Cipher {
    key: Key,
    nonce: Nonce,
    version: u16,
}

enum Key {
    Aes128Gcm(Aes128Gcm),
    Aes256Gcm(Aes256Gcm),
    ChaCha(ChaCha20Poly1305),
    Aes128Ccm(Ccm<Aes128, U16, U12>),
    Aes128Ccm8(Ccm<Aes128, U8, U12>),
    Aes256Ccm(Ccm<Aes256, U16, U12>),
    Aes256Ccm8(Ccm<Aes256, U8, U12>),
    Cbc(Box<Cbc>),
}

struct Cbc {
    aes: Aes,
    mac: Hash,
    mac_key: Vec<u8>,
    encrypt_then_mac: bool,
    /// Last block of the record before, where that is the IV of the next (TLS 1.0).
    chain: Option<[u8; 16]>,
}

enum Aes {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

enum Nonce {
    /// A salt, and 8 bytes that stand before the ciphertext (RFC 5288 §3).
    Explicit([u8; 4]),
    /// XOR with the sequence number (RFC 7905 §2, RFC 8446 §5.3).
    Implicit([u8; 12]),
    /// CBC.
    None,
}

/// What the two hellos agreed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    pub(super) version: u16,
    pub(super) suite: &'static Suite,
    pub(super) encrypt_then_mac: bool,
}

impl Agreed {
    /// Hash of the PRF.
    pub(super) fn prf(&self) -> Hash {
        if self.version < 0x0303 {
            Hash::Md5Sha1
        } else {
            self.suite.prf
        }
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Cipher")
    }
}

impl Cipher {
    /// From a traffic secret of TLS 1.3.
    pub(super) fn of_traffic(suite: &Suite, secret: &[u8]) -> Option<Cipher> {
        let key = expand_label(suite.prf, secret, "key", suite.bulk.key_length());
        let iv = expand_label(suite.prf, secret, "iv", 12);
        Some(Cipher {
            key: aead(suite.bulk, &key)?,
            nonce: Nonce::Implicit(iv.try_into().ok()?),
            version: 0x0304,
        })
    }

    /// From the master secret of TLS 1.0 to 1.2; `randoms` is that of the server and that of the client.
    pub(super) fn of_master(
        agreed: &Agreed,
        master: &[u8],
        randoms: &[u8; 64],
        client: bool,
    ) -> Option<Cipher> {
        let Agreed { version, suite, .. } = *agreed;
        let bulk = suite.bulk;
        let (mac, key) = (bulk.mac().map_or(0, Hash::length), bulk.key_length());
        let iv = match bulk {
            Bulk::ChaCha20Poly1305 => 12,
            _ if bulk.mac().is_none() => 4,
            _ if version == 0x0301 => 16,
            _ => 0,
        };
        let length = 2 * (mac + key + iv);
        let block = prf(agreed.prf(), master, b"key expansion", randoms, length);
        let part = |start: usize, length: usize| {
            let start = start + if client { 0 } else { length };
            block.get(start..start + length)
        };
        let (mac_key, key_bytes) = (part(0, mac)?, part(2 * mac, key)?);
        let iv = part(2 * (mac + key), iv)?;
        let (key, nonce) = match (bulk.mac(), bulk) {
            (Some(hash), _) => {
                let cbc = Cbc {
                    aes: Aes::new(key_bytes)?,
                    mac: hash,
                    mac_key: mac_key.to_vec(),
                    encrypt_then_mac: agreed.encrypt_then_mac,
                    chain: iv.try_into().ok(),
                };
                (Key::Cbc(Box::new(cbc)), Nonce::None)
            }
            (None, Bulk::ChaCha20Poly1305) => {
                (aead(bulk, key_bytes)?, Nonce::Implicit(iv.try_into().ok()?))
            }
            (None, _) => (aead(bulk, key_bytes)?, Nonce::Explicit(iv.try_into().ok()?)),
        };
        Some(Cipher {
            key,
            nonce,
            version,
        })
    }

    /// The content of a record, if it has this sequence number under these keys.
    pub(super) fn open(&self, sequence: u64, kind: u8, record: &[u8]) -> Option<Vec<u8>> {
        if let Key::Cbc(cbc) = &self.key {
            return cbc.open(self.version, sequence, kind, record);
        }
        let (nonce, sealed) = match &self.nonce {
            Nonce::Explicit(salt) => {
                let (explicit, sealed) = record.split_first_chunk::<8>()?;
                let mut nonce = [0; 12];
                let (first, last) = nonce.split_at_mut(4);
                first.copy_from_slice(salt);
                last.copy_from_slice(explicit);
                (nonce, sealed)
            }
            Nonce::Implicit(iv) => {
                let mut nonce = *iv;
                for (byte, with) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
                    *byte ^= with;
                }
                (nonce, record)
            }
            Nonce::None => return None,
        };
        let tag = match self.key {
            Key::Aes128Ccm8(_) | Key::Aes256Ccm8(_) => 8,
            _ => 16,
        };
        let plain = sealed.len().checked_sub(tag)?;
        let aad = match self.version {
            0x0304 => [&[23, 3, 3][..], &(record.len() as u16).to_be_bytes()].concat(),
            version => header(sequence, kind, version, plain).to_vec(),
        };
        self.unseal(&nonce, sealed, &aad)
    }

    /// What TLS 1.0 needs to know of a record, opened or not.
    pub(super) fn passed(&mut self, record: &[u8]) {
        let Key::Cbc(cbc) = &mut self.key else {
            return;
        };
        let sealed = record.len().saturating_sub(cbc.outer_mac());
        let last = record.get(..sealed).and_then(<[u8]>::last_chunk);
        if let (Some(chain), Some(last)) = (&mut cbc.chain, last) {
            *chain = *last;
        }
    }

    fn unseal(&self, nonce: &[u8; 12], msg: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg, aad };
        match &self.key {
            Key::Aes128Gcm(key) => key.decrypt(nonce.into(), payload),
            Key::Aes256Gcm(key) => key.decrypt(nonce.into(), payload),
            Key::ChaCha(key) => key.decrypt(nonce.into(), payload),
            Key::Aes128Ccm(key) => key.decrypt(nonce.into(), payload),
            Key::Aes128Ccm8(key) => key.decrypt(nonce.into(), payload),
            Key::Aes256Ccm(key) => key.decrypt(nonce.into(), payload),
            Key::Aes256Ccm8(key) => key.decrypt(nonce.into(), payload),
            Key::Cbc(_) => return None,
        }
        .ok()
    }
}

fn aead(bulk: Bulk, key: &[u8]) -> Option<Key> {
    Some(match bulk {
        Bulk::Aes128Gcm => Key::Aes128Gcm(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes256Gcm => Key::Aes256Gcm(KeyInit::new_from_slice(key).ok()?),
        Bulk::ChaCha20Poly1305 => Key::ChaCha(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes128Ccm => Key::Aes128Ccm(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes128Ccm8 => Key::Aes128Ccm8(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes256Ccm => Key::Aes256Ccm(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes256Ccm8 => Key::Aes256Ccm8(KeyInit::new_from_slice(key).ok()?),
        Bulk::Aes128Cbc(_) | Bulk::Aes256Cbc(_) => return None,
    })
}

// Sequence number, type, version and length: what a MAC or tag covers beside the content.
fn header(sequence: u64, kind: u8, version: u16, length: usize) -> [u8; 13] {
    let [a, b, c, d, e, f, g, h] = sequence.to_be_bytes();
    let ([high, low], [i, j]) = (version.to_be_bytes(), (length as u16).to_be_bytes());
    [a, b, c, d, e, f, g, h, kind, high, low, i, j]
}

impl Aes {
    fn new(key: &[u8]) -> Option<Aes> {
        match key.len() {
            16 => Some(Aes::Aes128(Box::new(Aes128::new_from_slice(key).ok()?))),
            _ => Some(Aes::Aes256(Box::new(Aes256::new_from_slice(key).ok()?))),
        }
    }

    fn decrypt(&self, block: &mut [u8; 16]) {
        match self {
            Aes::Aes128(aes) => aes.decrypt_block(block.into()),
            Aes::Aes256(aes) => aes.decrypt_block(block.into()),
        }
    }
}

impl Cbc {
    fn open(&self, version: u16, sequence: u64, kind: u8, record: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = record;
        if self.encrypt_then_mac {
            // RFC 7366 §3: the MAC covers the IV and the ciphertext.
            let end = record.len().checked_sub(self.outer_mac())?;
            let (covered, tag) = record.split_at_checked(end)?;
            self.verify(&header(sequence, kind, version, end), covered, tag)?;
            sealed = covered;
        }
        let (iv, sealed) = match &self.chain {
            Some(chain) => (chain, sealed),
            None => sealed.split_first_chunk()?,
        };
        let mut plain = self.decrypt(iv, sealed)?;
        let padding = usize::from(*plain.last()?);
        let end = plain.len().checked_sub(padding + 1)?;
        let is_padding = |rest: &[u8]| rest.iter().all(|byte| usize::from(*byte) == padding);
        if !plain.get(end..).is_some_and(is_padding) {
            return None;
        }
        plain.truncate(end);
        if !self.encrypt_then_mac {
            let end = end.checked_sub(self.mac.length())?;
            let (content, tag) = plain.split_at_checked(end)?;
            self.verify(&header(sequence, kind, version, end), content, tag)?;
            plain.truncate(end);
        }
        Some(plain)
    }

    /// Bytes of the MAC behind the ciphertext.
    fn outer_mac(&self) -> usize {
        if self.encrypt_then_mac {
            self.mac.length()
        } else {
            0
        }
    }

    fn verify(&self, header: &[u8], covered: &[u8], tag: &[u8]) -> Option<()> {
        (hmac(self.mac, &self.mac_key, &[header, covered]) == tag).then_some(())
    }

    fn decrypt(&self, iv: &[u8; 16], sealed: &[u8]) -> Option<Vec<u8>> {
        let (blocks, rest) = sealed.as_chunks::<16>();
        if !rest.is_empty() {
            return None;
        }
        let (mut plain, mut before) = (Vec::with_capacity(sealed.len()), iv);
        for block in blocks {
            let mut clear = *block;
            self.aes.decrypt(&mut clear);
            plain.extend(clear.iter().zip(before).map(|(byte, with)| byte ^ with));
            before = block;
        }
        Some(plain)
    }
}
