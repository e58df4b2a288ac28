//! The messages of inputs as the stages before the session see them.

use sipexplain::decode;
use sipexplain::input::{InputSummary, Inputs, Named};
use sipexplain::layers::{At, Layers};
use sipexplain::message::Head;
use sipexplain::message::account::Account;
use sipexplain::message::framing::{Beside, Framer, Receive};
use sipexplain::message::stamp::Stamp;

/// A message as it was read.
pub(crate) struct Message {
    /// Where, when, which hop.
    pub(crate) stamp: Stamp,
    /// Its status code; `None` of a request.
    pub(crate) code: Option<u16>,
    /// Its bytes.
    pub(crate) raw: Vec<u8>,
}

impl Message {
    /// Its lines without their ends and without blanks before those; empty ones at its end are left out.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let lines = self.raw.split(|byte| *byte == b'\n');
        let mut lines: Vec<Vec<u8>> = lines.map(|line| line.trim_ascii_end().to_vec()).collect();
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        lines
    }
}

/// What inputs held.
pub(crate) struct Held {
    /// The messages in the order in which they became complete.
    pub(crate) messages: Vec<Message>,
    /// What became of the frames of each input.
    pub(crate) accounts: Vec<Account>,
    /// What the reader says of each input.
    pub(crate) summaries: Vec<InputSummary>,
}

#[derive(Default)]
struct Collector(Vec<Message>);

impl Receive for Collector {
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        self.0.push(Message {
            stamp: *stamp,
            code: head.code(),
            raw: raw.to_vec(),
        });
    }

    fn beside(&mut self, _: &At, _: Beside<'_>) {}
}

/// Reads inputs through.
pub(crate) fn held_by(mut inputs: Inputs) -> Held {
    let (mut layers, mut framer) = (Layers::new(), Framer::new(Collector::default()));
    while let Some(record) = inputs.next() {
        decode(&mut layers, &mut framer, record);
    }
    layers.end(&mut framer);
    let (accounts, collector) = framer.finish();
    Held {
        messages: collector.0,
        accounts,
        summaries: inputs.summaries(),
    }
}

/// Reads files through, named from the folder of the project.
pub(crate) fn held_by_files(paths: &[&str]) -> Held {
    let named = paths.iter().map(|path| super::root().join(path));
    let named: Vec<Named> = named.map(|path| Named::from(path.as_os_str())).collect();
    held_by(Inputs::open(&named))
}

/// Reads bytes through, as if they were a file.
pub(crate) fn held_by_bytes(bytes: Vec<u8>) -> Held {
    let source = Box::new(std::io::Cursor::new(bytes));
    held_by(Inputs::from_readers(vec![("trace".to_owned(), source)]))
}
