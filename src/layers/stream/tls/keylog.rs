//! Key logs in the format of SSLKEYLOGFILE (RFC 9850), and private keys of servers.

use super::rsa::PrivateKey;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Secrets kept; further ones are not taken.
const MOST_SECRETS: usize = 1 << 20;
/// Longest secret that any hash makes, with room.
const LONGEST_SECRET: usize = 64;

/// What a secret of a key log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Label {
    /// The master secret of TLS 1.0 to 1.2.
    Master,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

/// The labels of a key log; other lines are none of ours.
const LABELS: [(&[u8], Label); 6] = [
    (b"CLIENT_RANDOM", Label::Master),
    (b"CLIENT_EARLY_TRAFFIC_SECRET", Label::ClientEarly),
    (b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", Label::ClientHandshake),
    (b"SERVER_HANDSHAKE_TRAFFIC_SECRET", Label::ServerHandshake),
    (b"CLIENT_TRAFFIC_SECRET_0", Label::ClientTraffic),
    (b"SERVER_TRAFFIC_SECRET_0", Label::ServerTraffic),
];

/// Keys of TLS connections.
#[derive(Debug, Default)]
pub struct Keys {
    secrets: HashMap<(Label, [u8; 32]), Box<[u8]>, RandomState>,
    private: Vec<PrivateKey>,
    /// A key log was given, with keys in it or without.
    given: bool,
    /// Changes with the secrets, so that a connection knows when to ask again.
    generation: u64,
}

impl Keys {
    /// No keys.
    pub fn new() -> Keys {
        Keys::default()
    }

    /// Takes the secrets of a key log; how many lines held one.
    pub fn key_log(&mut self, text: &[u8]) -> usize {
        let before = self.generation;
        for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line(line);
        }
        self.given = true;
        (self.generation - before) as usize
    }

    /// Takes the private RSA key of a server, in PEM.
    ///
    /// # Errors
    /// If the text holds none that can be read.
    pub fn private_key(&mut self, pem: &[u8]) -> Result<(), &'static str> {
        self.private.push(PrivateKey::from_pem(pem)?);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line
            .split(|byte| byte.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        let (label, random, secret) = (words.next()?, words.next()?, words.next()?);
        let (_, label) = LABELS.iter().find(|(name, _)| *name == label)?;
        let random = unhex(random)?.try_into().ok()?;
        let secret = unhex(secret)?;
        if self.secrets.len() < MOST_SECRETS && !secret.is_empty() {
            self.secrets.insert((*label, random), secret.into());
            self.generation += 1;
        }
        Some(())
    }

    pub(super) fn secret(&self, label: Label, client_random: &[u8; 32]) -> Option<&[u8]> {
        self.secrets
            .get(&(label, *client_random))
            .map(|secret| &**secret)
    }

    pub(super) fn private(&self) -> &[PrivateKey] {
        &self.private
    }

    /// Whether a key log was given.
    pub(super) fn has_log(&self) -> bool {
        self.given
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > 2 * LONGEST_SECRET {
        return None;
    }
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |byte: u8| (byte as char).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? * 16 + digit(*low)?) as u8);
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect::<Option<Vec<u8>>>())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_key_log_are_taken_and_all_else_is_passed_over() {
        let random = "ab".repeat(32);
        let master = "01".repeat(48);
        let log = format!(
            "# comment\r\nCLIENT_RANDOM {random} {master}\r\n\
             CLIENT_TRAFFIC_SECRET_0  {random}\t{master}\n\
             EXPORTER_SECRET {random} {master}\nCLIENT_RANDOM {random} 0g\n\
             SERVER_TRAFFIC_SECRET_0 abcd {master}\nCLIENT_RANDOM\n\u{0}\n"
        );
        let mut keys = Keys::new();
        assert_eq!(keys.key_log(log.as_bytes()), 2);
        assert_eq!(keys.secret(Label::Master, &[0xab; 32]), Some(&[1; 48][..]));
        assert!(keys.secret(Label::ClientTraffic, &[0xab; 32]).is_some());
        assert_eq!(keys.secret(Label::ServerTraffic, &[0xab; 32]), None);
        assert!(keys.has_log());
        for end in 0..log.len() {
            Keys::new().key_log(&log.as_bytes()[..end]);
        }
    }
}
