//! The source beneath a decoder: decoders wrap errors in their own, and this one remembers them.

use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::Source;

/// What happened beneath a decoder.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Happened>>);

#[derive(Default)]
struct Happened {
    ended: bool,
    error: Option<io::Error>,
}

impl Trouble {
    /// The error that reading gave, once.
    pub(super) fn take(&self) -> Option<io::Error> {
        self.happened(|happened| happened.error.take())
    }

    /// Whether the source came to its end.
    pub(super) fn ended(&self) -> bool {
        self.happened(|happened| happened.ended)
    }

    fn happened<T>(&self, ask: impl FnOnce(&mut Happened) -> T) -> T {
        ask(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A source that remembers how it ended.
pub(crate) struct Tap {
    source: Source,
    /// Bytes that were looked at and come again.
    again: io::Cursor<Vec<u8>>,
    trouble: Trouble,
}

impl Tap {
    pub(super) fn new(source: Source, trouble: Trouble) -> Self {
        Self {
            source,
            again: io::Cursor::default(),
            trouble,
        }
    }

    /// Whether the source came to its end.
    pub(super) fn ended(&self) -> bool {
        self.trouble.ended()
    }

    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.again = io::Cursor::new(bytes.to_vec());
    }
}

impl Read for Tap {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.again.read(out)?;
        if count > 0 || out.is_empty() {
            return Ok(count);
        }
        loop {
            match self.source.read(out) {
                // Decoders are not all able to go on after an interruption.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(count) => {
                    self.trouble
                        .happened(|happened| happened.ended |= count == 0);
                    return Ok(count);
                }
                Err(error) => {
                    self.trouble
                        .happened(|happened| happened.error = Some(error));
                    return Err(io::Error::other("the source failed"));
                }
            }
        }
    }
}
