//! The messages of a trace as the stages before the report see them, by place.

use crate::harness::reading::{Message, held_by_files};
use std::collections::BTreeMap;

/// Where a message stands: input, frame or line, part (0 in a log).
pub(crate) type Place = (u64, u64, u64);

/// All messages of these inputs.
pub(crate) fn messages(paths: &[&str]) -> BTreeMap<Place, Message> {
    let mut all = BTreeMap::new();
    for message in held_by_files(paths).messages {
        let origin = message.stamp.origin;
        let place = (origin.input.into(), origin.place, message.stamp.part.into());
        let old = all.insert(place, message);
        assert!(old.is_none(), "two messages at {place:?}");
    }
    all
}
