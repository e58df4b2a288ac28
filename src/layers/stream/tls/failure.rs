//! Handshakes that did not come to their end: who ended them, and what had been said by then.

use super::{DATA, Tls, handshake, suite};

/// A protected alert is shorter than this; a Finished and everything else of a handshake is longer
/// (RFC 8446 §4.4.4, §6: two bytes, their type and a tag of 8 or 16 against a hash and its header).
const LONGEST_ALERT: usize = 30;

/// Why a TLS handshake failed, as far as that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFailure {
    /// Who ended it: the client?
    pub by_client: bool,
    /// Name of the alert that ended it (RFC 8446 §6); `None` where none was seen.
    pub alert: Option<&'static str>,
    /// It ended with a record of the length of an alert that no key opens.
    pub hidden: bool,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// The versions that the client offers, as it lists them.
    pub offered: Vec<&'static str>,
    /// The version that the server chose; `None` where it chose none.
    pub chosen: Option<&'static str>,
    /// The server sent something that is no TLS.
    pub not_tls: bool,
    /// The server asked the client for a certificate, and whether it got one, as far as it was seen.
    pub client_certificate: Option<bool>,
}

/// What is remembered of a handshake to tell how it failed.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Somebody was told.
    told: bool,
    told_sealed: bool,
    /// The alert, and the direction that sent it.
    alert: Option<(u8, usize)>,
    /// Direction by direction: the longest protected record, and the last.
    longest: [usize; 2],
    last: [usize; 2],
    /// Protected records of the server after the client was done, and the length of the last.
    after: (u32, usize),
    /// The server sent data that was opened.
    answered: bool,
    /// Bytes came from this direction.
    spoke: [bool; 2],
    asked_client: bool,
    client_certificate: Option<bool>,
}

impl Tls {
    /// Notes that bytes came.
    pub(super) fn note_bytes(&mut self, direction: usize) {
        self.progress.spoke[direction] = true;
    }

    /// Notes a protected record.
    pub(super) fn note_sealed(&mut self, direction: usize, length: usize) {
        let done = self.is_complete();
        let progress = &mut self.progress;
        progress.longest[direction] = progress.longest[direction].max(length);
        progress.last[direction] = length;
        if done && self.client == Some(1 - direction) {
            progress.after = (progress.after.0.saturating_add(1), length);
        }
    }

    /// Notes what a record held.
    pub(super) fn note_content(&mut self, direction: usize, kind: u8) {
        self.progress.answered |= kind == DATA && self.client == Some(1 - direction);
    }

    /// Notes a message of the handshake that is not needed for its keys.
    pub(super) fn note_message(&mut self, direction: usize, kind: u8, body: &[u8]) {
        let by_client = self.client == Some(direction);
        match kind {
            handshake::CERTIFICATE_REQUEST => self.progress.asked_client = true,
            handshake::CERTIFICATE if by_client => {
                // Before TLS 1.3 a list in three bytes of length, empty where there is none.
                self.progress.client_certificate = Some(body.len() > 4);
            }
            _ => {}
        }
    }

    /// Notes an alert; those that only say good-bye are none. Before TLS 1.3 a warning ends nothing.
    pub(super) fn note_alert(&mut self, direction: usize, level: u8, number: u8) {
        const WARNING: u8 = 1;
        let modern = self.server.is_some_and(|server| server.version == 0x0304);
        if level != WARNING || modern {
            self.progress.alert.get_or_insert((number, direction));
        }
    }

    // Are both sides through, as far as lengths tell?
    fn is_complete(&self) -> bool {
        let Some(client) = self.client else {
            return false;
        };
        let sealed = |side: usize| self.sides[side & 1].sealed > 0;
        match self.server.map(|server| server.version) {
            None => false,
            Some(0x0304) => self.progress.longest[client & 1] > LONGEST_ALERT,
            Some(_) => sealed(client) && sealed(1 - client),
        }
    }

    /// The direction of the client, as far as its hello was captured.
    pub(in crate::layers::stream) fn client(&self) -> Option<usize> {
        self.client
    }

    /// Does data of both sides stay closed? Told once. The client is through then, so this is no
    /// part of a handshake.
    pub(in crate::layers::stream) fn begins_sealed(&mut self) -> bool {
        let progress = &mut self.progress;
        let sealed = self.reason.is_some() && !self.decrypted && !progress.told;
        let both = progress
            .longest
            .iter()
            .all(|length| *length > LONGEST_ALERT);
        sealed && both && !std::mem::replace(&mut progress.told_sealed, true)
    }

    // In TLS 1.3 a server checks the client when that is through already. Nothing came from it but a
    // record of that length, not even a ticket, and the client had not said good-bye before: that
    // may be a refusal, or a good-bye of the server.
    fn is_turned_away(&self, client: usize) -> bool {
        let modern = self.server.is_some_and(|server| server.version == 0x0304);
        let (count, length) = self.progress.after;
        let goes_on = self.progress.last[client & 1] > LONGEST_ALERT;
        modern && count == 1 && length <= LONGEST_ALERT && goes_on
    }

    /// The failure of the handshake and the direction of the client, told once; `ended_by`: the
    /// direction that closed or reset the connection, if one did.
    pub(in crate::layers::stream) fn failure(
        &mut self,
        ended_by: Option<usize>,
    ) -> Option<(usize, TlsFailure)> {
        let client = self.client?;
        let hello = self.hello.as_ref()?;
        if self.progress.told || self.progress.answered {
            return None;
        }
        let (by, alert, hidden) = match (self.progress.alert, ended_by, self.is_complete()) {
            (Some((number, by)), ..) => (by, Some(handshake::alert(number)), false),
            (None, Some(_), true) => {
                self.is_turned_away(client)
                    .then_some((1 - client, None, true))?
            }
            (None, Some(by), false) => {
                let hidden = self.progress.longest[client & 1] > 0;
                (if hidden { client } else { by }, None, hidden)
            }
            (None, None, _) => return None,
        };
        self.progress.told = true;
        let asked = self.progress.asked_client;
        let failure = TlsFailure {
            by_client: by == client,
            alert,
            hidden,
            server_name: hello.server_name.clone(),
            offered: hello.versions.iter().map(|v| suite::version(*v)).collect(),
            chosen: self.server.map(|server| suite::version(server.version)),
            not_tls: self.server.is_none()
                && self.progress.alert.is_none()
                && self.progress.spoke[(1 - client) & 1],
            client_certificate: asked.then_some(self.progress.client_certificate.unwrap_or(false)),
        };
        Some((client, failure))
    }
}
