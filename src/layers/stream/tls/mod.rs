//! Transport Layer Security 1.0 to 1.3, listened to (RFC 2246, 4346, 5246, 8446): records to the
//! bytes that they protect, where there is a key.

mod cipher;
mod failure;
mod handshake;
mod keylog;
mod protection;
mod record;
mod report;
mod rsa;
mod schedule;
mod suite;

pub use failure::TlsFailure;
pub use keylog::Keys;
pub use report::{ClosedTls, TlsReport};

use super::frames::Mark;
use cipher::Agreed;
use failure::Progress;
use handshake::{ClientHello, Messages, ServerHello};
use protection::{Protection, Terms, Why};
use record::{ALERT, CHANGE_CIPHER_SPEC, DATA, HANDSHAKE, Records};
use std::borrow::Cow;

/// Bytes of a client held until the server has answered.
const MOST_WAITING: usize = 64 * 1024;
/// Bytes of handshake messages kept for their hash.
const MOST_TRANSCRIPT: usize = 256 * 1024;

/// What a record brought.
pub(super) enum Brought {
    /// Nothing for anyone: a handshake message, an alert.
    Quiet,
    /// Bytes of the application.
    Data(Vec<u8>),
    /// It stays closed.
    Closed(&'static str, Cow<'static, str>),
}

impl Brought {
    pub(super) fn mark(&self) -> Mark {
        match self {
            Brought::Quiet => Mark::Other("tls"),
            Brought::Data(_) => Mark::Open,
            Brought::Closed(reason, detail) => Mark::Closed(reason, detail.clone()),
        }
    }
}

/// A connection.
#[derive(Debug, Default)]
pub(super) struct Tls {
    /// The direction that the client sends.
    client: Option<usize>,
    hello: Option<ClientHello>,
    server: Option<ServerHello>,
    retried: bool,
    /// The answer was captured before what it answers.
    ahead: bool,
    /// Handshake messages so far, where a private key may need their hash.
    transcript: Vec<u8>,
    premaster: Option<Vec<u8>>,
    session_hash: Option<Vec<u8>>,
    sides: [Side; 2],
    decrypted: bool,
    /// Why the first record of data stayed closed.
    reason: Option<&'static str>,
    alert: Option<u8>,
    progress: Progress,
}

#[derive(Debug, Default)]
struct Side {
    records: Records,
    messages: Messages,
    /// Records are protected from here on.
    protected: bool,
    protection: Option<Protection>,
    /// Protected records that were seen.
    sealed: u64,
}

impl Tls {
    /// Takes the next bytes of a direction.
    pub(super) fn add(&mut self, direction: usize, bytes: &[u8]) {
        self.sides[direction & 1].records.add(bytes);
        self.note_bytes(direction & 1);
    }

    /// Takes the next whole record of a direction.
    pub(super) fn next(&mut self, direction: usize, keys: &Keys) -> Option<Brought> {
        let direction = direction & 1;
        loop {
            let waits = self.must_wait(direction);
            let side = &mut self.sides[direction];
            let seeking = side.records.is_seeking();
            let (kind, fragment) = side.records.peek()?;
            let goes_on = match side.protected {
                false => kind == HANDSHAKE,
                // A renegotiation: data may come before the answer, new keys may not.
                true => kind != CHANGE_CIPHER_SPEC,
            };
            if waits && !goes_on {
                return None;
            }
            let (fragment, length) = (fragment.to_vec(), fragment.len());
            let brought = self.record(direction, kind, fragment, keys);
            let records = &mut self.sides[direction].records;
            if seeking && matches!(brought, Brought::Closed("tls-lost", _)) {
                records.reject();
                continue;
            }
            records.pass(length);
            return Some(brought);
        }
    }

    /// The client goes on before the answer of the server was captured: reordered frames.
    fn must_wait(&self, direction: usize) -> bool {
        let side = &self.sides[direction];
        self.client == Some(direction)
            && self.server.is_none()
            && !self.retried
            && side.records.held() < MOST_WAITING
    }

    /// Whether bytes are left that belong to an unfinished record.
    pub(super) fn has_rest(&self, direction: usize) -> bool {
        self.sides[direction & 1].records.has_rest()
    }

    /// Ends a round of [`Tls::next`].
    pub(super) fn compact(&mut self, direction: usize) {
        self.sides[direction & 1].records.compact();
    }

    /// Bytes were not captured.
    pub(super) fn gap(&mut self, direction: usize, missing: u64) {
        let side = &mut self.sides[direction & 1];
        let hole = side.records.gap(missing);
        side.messages.clear();
        if let Some(protection) = &mut side.protection {
            if hole.one {
                protection.skipped();
            }
            protection.lost(hole.lost);
        }
    }

    /// A direction is over.
    pub(super) fn closed(&mut self, direction: usize) {
        let side = &mut self.sides[direction & 1];
        side.records.clear();
        side.messages.clear();
        side.protection = None;
    }

    pub(super) fn held(&self) -> usize {
        let held = |side: &Side| side.records.held() + side.messages.held();
        self.transcript.len() + self.sides.iter().map(held).sum::<usize>()
    }

    pub(super) fn was_decrypted(&self) -> bool {
        self.decrypted
    }

    /// Why its records stay closed, as far as that is known.
    pub(super) fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    fn record(&mut self, direction: usize, kind: u8, bytes: Vec<u8>, keys: &Keys) -> Brought {
        let side = &mut self.sides[direction];
        let modern = side.protection.as_ref().is_some_and(Protection::is_modern);
        // Before its Finished a TLS 1.3 peer may send alerts in the clear, and a ChangeCipherSpec
        // for the sake of middleboxes (RFC 8446 appendix D.4).
        let sealed = match (side.protected, modern) {
            (true, true) => kind == DATA,
            (true, false) => kind != CHANGE_CIPHER_SPEC,
            (false, _) => kind == DATA,
        };
        if sealed {
            return self.sealed(direction, kind, &bytes, keys);
        }
        match kind {
            HANDSHAKE => self.messages(direction, &bytes, keys),
            CHANGE_CIPHER_SPEC if !modern => self.change_cipher_spec(direction),
            ALERT => self.alert(direction, &bytes),
            _ => {}
        }
        Brought::Quiet
    }

    fn sealed(&mut self, direction: usize, kind: u8, bytes: &[u8], keys: &Keys) -> Brought {
        self.note_sealed(direction, bytes.len());
        let side = &mut self.sides[direction];
        side.sealed += 1;
        let Some(protection) = &mut side.protection else {
            return self.stays_closed(self.unknown_terms());
        };
        match protection.open(kind, bytes, keys) {
            Ok((kind, content)) => {
                self.decrypted = true;
                self.note_content(direction, kind);
                match kind {
                    DATA if !content.is_empty() => return Brought::Data(content),
                    HANDSHAKE => self.messages(direction, &content, keys),
                    CHANGE_CIPHER_SPEC => self.change_cipher_spec(direction),
                    ALERT => self.alert(direction, &content),
                    _ => {}
                }
                Brought::Quiet
            }
            Err(why) => {
                let early = protection.in_handshake()
                    && self.client == Some(direction)
                    && self.hello.as_ref().is_some_and(|hello| hello.early_data);
                let closed = match why {
                    Why::Lost | Why::WrongKey if early => EARLY_DATA,
                    Why::NoKeyLog => NO_KEY_LOG,
                    Why::NotInKeyLog => NOT_IN_KEY_LOG,
                    Why::PrivateKeyOnly => PRIVATE_KEY_ONLY,
                    Why::WrongKey => WRONG_KEY,
                    Why::Lost => LOST,
                };
                self.stays_closed(closed)
            }
        }
    }

    fn stays_closed(&mut self, (reason, detail): (&'static str, &'static str)) -> Brought {
        self.reason.get_or_insert(reason);
        Brought::Closed(reason, detail.into())
    }

    /// Why nothing is known that a key could be asked for.
    fn unknown_terms(&self) -> (&'static str, &'static str) {
        match (&self.hello, &self.server) {
            (Some(_), Some(server)) if suite::find(server.suite).is_none() => SUITE,
            _ => NO_HANDSHAKE,
        }
    }

    fn messages(&mut self, direction: usize, content: &[u8], keys: &Keys) {
        let keeps = !keys.private().is_empty();
        let mut messages = std::mem::take(&mut self.sides[direction].messages);
        messages.add(content);
        while let Some((kind, body, all)) = messages.next() {
            if kind == handshake::CLIENT_HELLO && !self.retried {
                self.transcript.clear();
            }
            let fits = self.transcript.len() + all.len() <= MOST_TRANSCRIPT;
            if keeps && fits && kind != handshake::HELLO_REQUEST {
                self.transcript.extend_from_slice(all);
            }
            self.message(direction, kind, body);
        }
        self.sides[direction].messages = messages;
    }

    fn message(&mut self, direction: usize, kind: u8, body: &[u8]) {
        self.note_message(direction, kind, body);
        let side = &mut self.sides[direction];
        let modern = side.protection.as_ref().is_some_and(Protection::is_modern);
        match kind {
            handshake::CLIENT_HELLO => {
                if let Some(hello) = handshake::client_hello(body) {
                    self.client_hello(direction, hello);
                }
            }
            handshake::SERVER_HELLO => {
                if let Some(hello) = handshake::server_hello(body) {
                    self.server_hello(direction, hello);
                }
            }
            handshake::CLIENT_KEY_EXCHANGE => self.client_key_exchange(body),
            handshake::FINISHED if modern => {
                if let Some(protection) = &mut side.protection {
                    protection.finished();
                }
            }
            handshake::KEY_UPDATE if modern => {
                if let Some(protection) = &mut side.protection {
                    protection.key_update();
                }
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, direction: usize, hello: ClientHello) {
        let answered = self.ahead || self.hello.is_none();
        self.client = Some(direction);
        self.hello = Some(hello);
        (self.premaster, self.session_hash, self.ahead) = (None, None, false);
        if answered {
            self.protect();
        } else {
            self.server = None;
        }
    }

    fn server_hello(&mut self, direction: usize, hello: ServerHello) {
        self.client.get_or_insert(1 - direction);
        if hello.is_retry() {
            self.retried = true;
            return;
        }
        self.retried = false;
        self.ahead = self.server.replace(hello).is_some();
        self.protect();
    }

    /// From the hellos of TLS 1.3 on all records are protected.
    fn protect(&mut self) {
        if self.server.is_none_or(|server| server.version != 0x0304) {
            return;
        }
        let terms = self.terms();
        for (index, side) in self.sides.iter_mut().enumerate() {
            let client = self.client == Some(index);
            side.protected = true;
            side.protection = terms.clone().map(|terms| Protection::new(terms, client));
        }
    }

    fn client_key_exchange(&mut self, body: &[u8]) {
        if self.transcript.is_empty() {
            return;
        }
        self.premaster = handshake::encrypted_premaster(body).map(<[u8]>::to_vec);
        let agreed = self.agreed();
        let extended = self.server.is_some_and(|s| s.extended_master_secret);
        self.session_hash = agreed
            .filter(|_| extended)
            .map(|agreed| Terms::session_hash(&agreed, &self.transcript));
        self.transcript = Vec::new();
    }

    fn change_cipher_spec(&mut self, direction: usize) {
        // In TLS 1.3 it says nothing (RFC 8446 §5).
        let version = self.server.map(|server| server.version);
        if version == Some(0x0304) || (version.is_none() && self.retried) {
            return;
        }
        let client = self.client == Some(direction);
        let terms = self.terms();
        let side = &mut self.sides[direction];
        side.protected = true;
        side.messages.clear();
        side.protection = terms.map(|terms| Protection::new(terms, client));
    }

    fn agreed(&self) -> Option<Agreed> {
        let server = self.server?;
        if !(0x0301..=0x0304).contains(&server.version) {
            return None;
        }
        Some(Agreed {
            version: server.version,
            suite: suite::find(server.suite)?,
            encrypt_then_mac: server.encrypt_then_mac,
        })
    }

    fn terms(&self) -> Option<Terms> {
        Some(Terms {
            agreed: self.agreed()?,
            client_random: self.hello.as_ref()?.random,
            server_random: self.server?.random,
            premaster: self.premaster.clone(),
            session_hash: self.session_hash.clone(),
        })
    }

    fn alert(&mut self, direction: usize, content: &[u8]) {
        // Neither the end nor a renegotiation that was not wanted is a failure.
        if let [level, number] = content
            && !matches!(number, 0 | 90 | 100)
        {
            self.alert.get_or_insert(*number);
            self.note_alert(direction, *level, *number);
        }
    }

    /// Says what became of the connection.
    pub(super) fn report(&self, report: &mut TlsReport) {
        if self.decrypted {
            return report.add_decrypted();
        }
        report.add_closed(ClosedTls {
            connections: 1,
            reason: self.reason.unwrap_or(report::NO_DATA),
            handshake: self.outcome(),
            server_name: self.hello.as_ref().and_then(|h| h.server_name.clone()),
            version: self.server.map(|server| suite::version(server.version)),
            suite: self.server.map(|server| suite::name(server.suite)),
        });
    }

    fn outcome(&self) -> String {
        let sealed = |side: &Side| side.sealed > 0;
        match (self.alert, &self.hello, &self.server) {
            (Some(number), ..) => format!("alert {}", handshake::alert(number)),
            (None, None, _) => "not-captured".to_owned(),
            (None, Some(_), None) => "no-answer".to_owned(),
            _ if self.sides.iter().all(sealed) => "complete".to_owned(),
            _ => "incomplete".to_owned(),
        }
    }
}

const NO_KEY_LOG: (&str, &str) = (
    "tls-no-key",
    "TLS records, and no key log was given: one would open them",
);
const NOT_IN_KEY_LOG: (&str, &str) = (
    "tls-key-missing",
    "TLS records; the key log has no key for this connection",
);
const PRIVATE_KEY_ONLY: (&str, &str) = (
    "tls-key-missing",
    "TLS records that no private key given opens, and no key log was given: one would open them",
);
const WRONG_KEY: (&str, &str) = (
    "tls-key-wrong",
    "TLS records; the key in the key log does not fit",
);
const SUITE: (&str, &str) = (
    "tls-suite",
    "TLS records under a cipher suite that is not opened",
);
const NO_HANDSHAKE: (&str, &str) = (
    "tls-no-handshake",
    "TLS records whose handshake was not captured: no key can be found for them",
);
const EARLY_DATA: (&str, &str) = (
    "tls-early-data",
    "TLS data sent before the end of the handshake (0-RTT)",
);
const LOST: (&str, &str) = (
    "tls-lost",
    "TLS records that do not open, of a connection whose others do: damaged, or behind a hole",
);
