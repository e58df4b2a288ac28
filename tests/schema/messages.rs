//! The messages of a trace as the stages before the report see them, by place.

use sipexplain::input::{Body, Inputs, Named};
use sipexplain::layers::{At, Layers};
use sipexplain::message::Head;
use sipexplain::message::framing::{Beside, Framer, Receive};
use sipexplain::message::stamp::{Stamp, When};
use std::collections::BTreeMap;

/// Where a message stands: input, frame or line, part (0 in a log).
pub(crate) type Place = (u64, u64, u64);

/// A message.
#[derive(Debug)]
pub(crate) struct Raw {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its status code; `None` of a request.
    pub(crate) code: Option<u16>,
}

struct Collector(BTreeMap<Place, Raw>);

impl Receive for Collector {
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        let place = (
            stamp.origin.input.into(),
            stamp.origin.place,
            stamp.part.into(),
        );
        let message = Raw {
            bytes: raw.to_vec(),
            code: head.code(),
        };
        let old = self.0.insert(place, message);
        assert!(old.is_none(), "two messages at {place:?}");
    }

    fn beside(&mut self, _: &At, _: Beside<'_>) {}
}

/// All messages of these inputs.
pub(crate) fn messages(paths: &[&str]) -> BTreeMap<Place, Raw> {
    let named: Vec<Named> = paths
        .iter()
        .map(|path| Named::from(&std::ffi::OsString::from(path)))
        .collect();
    let mut inputs = Inputs::open(&named);
    let mut layers = Layers::new();
    let mut framer = Framer::new(Collector(BTreeMap::new()));
    while let Some(record) = inputs.next() {
        match record.body {
            Body::Frame {
                link,
                bytes,
                wire_len,
            } => layers.frame(
                record.origin,
                record.time,
                link,
                bytes,
                wire_len,
                &mut framer,
            ),
            Body::Dump {
                link,
                bytes,
                last_line,
                time_of_day,
            } => {
                let at = At::in_log(record.origin, last_line, record.time, time_of_day);
                layers.dump(at, link, bytes, &mut framer);
            }
            Body::Secrets { bytes } => layers.secrets(bytes),
            Body::Text {
                bytes,
                last_line,
                time_of_day,
                hop,
            } => {
                let when = When::new(record.time, time_of_day);
                let stamp = Stamp::of_log(record.origin, last_line, when, hop);
                framer.text(stamp, bytes);
            }
        }
    }
    layers.end(&mut framer);
    framer.finish().1.0
}
