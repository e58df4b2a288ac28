//! The protected records of one direction: which keys, which sequence number.

use super::cipher::{Agreed, Cipher};
use super::keylog::{Keys, Label};
use super::schedule::{digest, expand_label, prf};

/// Sequence numbers tried above and below the expected one.
const REACH: u64 = 256;
/// Tries of unexpected sequence numbers without success.
const TRIES: u32 = 4096;

/// What a handshake brought about that its keys depend on.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) agreed: Agreed,
    pub(super) client_random: [u8; 32],
    pub(super) server_random: [u8; 32],
    /// Of the RSA key exchange.
    pub(super) premaster: Option<Vec<u8>>,
    /// Of the transcript, where the master secret depends on it (RFC 7627).
    pub(super) session_hash: Option<Vec<u8>>,
}

impl Terms {
    /// The master secret of TLS 1.0 to 1.2: from the key log, or with a private key.
    fn master(&self, keys: &Keys) -> Option<Vec<u8>> {
        if let Some(master) = keys.secret(Label::Master, &self.client_random) {
            return Some(master.to_vec());
        }
        let encrypted = self.premaster.as_deref()?;
        let mut keys = keys.private().iter();
        let premaster = keys.find_map(|key| key.premaster(encrypted))?;
        let hash = self.agreed.prf();
        Some(match &self.session_hash {
            Some(seed) => prf(hash, &premaster, b"extended master secret", seed, 48),
            None => {
                let seed = [self.client_random, self.server_random].concat();
                prf(hash, &premaster, b"master secret", &seed, 48)
            }
        })
    }

    fn randoms(&self) -> [u8; 64] {
        let mut randoms = [0; 64];
        let (first, last) = randoms.split_at_mut(32);
        first.copy_from_slice(&self.server_random);
        last.copy_from_slice(&self.client_random);
        randoms
    }

    /// The hash that the extended master secret takes of the messages so far.
    pub(super) fn session_hash(agreed: &Agreed, transcript: &[u8]) -> Vec<u8> {
        digest(agreed.prf(), transcript)
    }
}

/// Why a record stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nobody gave any key.
    NoKeyLog,
    /// Keys were given, none for this connection.
    NotInKeyLog,
    /// Only private keys of servers were given, and none serves here.
    PrivateKeyOnly,
    /// There is a key, and no record opens with it.
    WrongKey,
    /// Others were opened; this one is damaged, or after a hole too wide to search.
    Lost,
}

/// A key, and how far its sequence numbers have come.
#[derive(Debug)]
struct Slot {
    label: Label,
    cipher: Option<Box<Cipher>>,
    /// Of TLS 1.3, so that the next one can be made of it.
    secret: Vec<u8>,
    /// Generation of the keys that were asked last.
    asked: Option<u64>,
    next: u64,
    /// Records since the last one that was opened.
    missed: u64,
    /// Records that may have gone by unseen since then.
    lost: u64,
    tries: u32,
    opened: bool,
}

impl Slot {
    fn new(label: Label) -> Slot {
        Slot {
            label,
            cipher: None,
            secret: Vec::new(),
            asked: None,
            next: 0,
            missed: 0,
            lost: 0,
            tries: TRIES,
            opened: false,
        }
    }

    /// Asks for the key, again where there are new ones and the old one never fitted.
    fn ask(&mut self, terms: &Terms, client: bool, keys: &Keys) {
        if self.opened || self.asked == Some(keys.generation()) {
            return;
        }
        self.asked = Some(keys.generation());
        self.tries = TRIES;
        if self.label == Label::Master {
            let master = terms.master(keys);
            self.cipher = master.and_then(|master| {
                Cipher::of_master(&terms.agreed, &master, &terms.randoms(), client).map(Box::new)
            });
        } else if let Some(secret) = keys.secret(self.label, &terms.client_random) {
            self.secret = secret.to_vec();
            self.cipher = Cipher::of_traffic(terms.agreed.suite, secret).map(Box::new);
        }
    }

    fn open(&mut self, kind: u8, record: &[u8]) -> Option<Vec<u8>> {
        let found = self.cipher.as_ref().and_then(|cipher| {
            let expected = self.next + self.missed;
            let below = (self.next..expected).rev().take(REACH as usize);
            let above = expected + 1..=expected + self.lost.min(REACH);
            let first = cipher.open(expected, kind, record);
            let mut others = below.chain(above);
            first.map(|content| (expected, content)).or_else(|| {
                others.find_map(|sequence| {
                    self.tries = self.tries.checked_sub(1)?;
                    let content = cipher.open(sequence, kind, record)?;
                    Some((sequence, content))
                })
            })
        });
        if let Some(cipher) = &mut self.cipher {
            cipher.passed(record);
        }
        let Some((sequence, content)) = found else {
            self.missed += 1;
            return None;
        };
        (self.next, self.missed, self.lost) = (sequence + 1, 0, 0);
        (self.opened, self.tries) = (true, TRIES);
        Some(content)
    }
}

/// Opens the records of one direction, from where they are protected on.
#[derive(Debug)]
pub(super) struct Protection {
    terms: Terms,
    client: bool,
    /// Data of a client before its Finished (0-RTT, RFC 8446 §2.3).
    early: Option<Slot>,
    /// TLS 1.3, until Finished.
    handshake: Option<Slot>,
    data: Slot,
}

impl Protection {
    pub(super) fn new(terms: Terms, client: bool) -> Protection {
        let modern = terms.agreed.version == 0x0304;
        let (handshake, data) = match (modern, client) {
            (false, _) => (None, Label::Master),
            (true, true) => (Some(Label::ClientHandshake), Label::ClientTraffic),
            (true, false) => (Some(Label::ServerHandshake), Label::ServerTraffic),
        };
        Protection {
            terms,
            client,
            early: (modern && client).then(|| Slot::new(Label::ClientEarly)),
            handshake: handshake.map(Slot::new),
            data: Slot::new(data),
        }
    }

    pub(super) fn is_modern(&self) -> bool {
        self.terms.agreed.version == 0x0304
    }

    pub(super) fn in_handshake(&self) -> bool {
        self.handshake.is_some()
    }

    /// Opens a record: its type and content.
    pub(super) fn open(
        &mut self,
        kind: u8,
        record: &[u8],
        keys: &Keys,
    ) -> Result<(u8, Vec<u8>), Why> {
        let Protection {
            terms,
            client,
            early,
            handshake,
            data,
        } = self;
        data.ask(terms, *client, keys);
        for slot in [early, handshake].into_iter().flatten() {
            slot.ask(terms, *client, keys);
            if let Some(content) = slot.open(kind, record) {
                return inner(content).ok_or(Why::Lost);
            }
        }
        if let Some(content) = data.open(kind, record) {
            // Without the handshake keys this is how its end shows.
            (self.early, self.handshake) = (None, None);
            return match self.is_modern() {
                true => inner(content).ok_or(Why::Lost),
                false => Ok((kind, content)),
            };
        }
        Err(self.why(keys))
    }

    fn why(&self, keys: &Keys) -> Why {
        let opened = |slot: &Slot| slot.opened;
        if opened(&self.data) || self.handshake.as_ref().is_some_and(opened) {
            Why::Lost
        } else if self.data.cipher.is_some() {
            Why::WrongKey
        } else if keys.has_log() {
            Why::NotInKeyLog
        } else if !keys.private().is_empty() {
            Why::PrivateKeyOnly
        } else {
            Why::NoKeyLog
        }
    }

    /// The handshake is over: the next records are under the keys for data.
    pub(super) fn finished(&mut self) {
        self.early = None;
        if self.handshake.take().is_some() {
            self.data.missed = 0;
        }
    }

    /// The sender has changed its key (RFC 8446 §7.2).
    pub(super) fn key_update(&mut self) {
        let suite = self.terms.agreed.suite;
        let secret = expand_label(
            suite.prf,
            &self.data.secret,
            "traffic upd",
            suite.prf.length(),
        );
        self.data.cipher = Cipher::of_traffic(suite, &secret).map(Box::new);
        (self.data.secret, self.data.next, self.data.missed) = (secret, 0, 0);
    }

    /// Up to so many records went by unseen.
    pub(super) fn lost(&mut self, records: u64) {
        for slot in self.handshake.iter_mut().chain([&mut self.data]) {
            slot.lost = slot.lost.saturating_add(records);
        }
    }

    /// A record went by that is not all there.
    pub(super) fn skipped(&mut self) {
        for slot in self.handshake.iter_mut().chain([&mut self.data]) {
            slot.missed += 1;
        }
    }
}

/// Content, type and padding (RFC 8446 §5.4).
fn inner(mut plain: Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let end = plain.iter().rposition(|byte| *byte != 0)?;
    let kind = plain[end];
    plain.truncate(end);
    Some((kind, plain))
}
