use super::slot::{Slot, State};
use super::{FOLLOWED_PEEK, From, Inputs, SkippedFiles, unreadable};
use std::cmp::Reverse;

use crate::input::archive::Walker;
use crate::input::follow::{End, Followed};
use crate::input::members::Place;
use crate::input::source::Named;
use crate::input::summary::{Damage, InputError, InputErrorKind};
use crate::input::unpack::{self, Meter, Source};

impl Inputs {
    /// Adds the captures and logs in an archive. One that can be opened again gives them up in the
    /// order of their times: each is looked at now, and opened again when its turn comes. Otherwise
    /// they are read as they lie, one after the other.
    pub(super) fn add_archive(
        &mut self,
        kind: &str,
        path: String,
        name: Option<Named>,
        (mut walker, meter): (Walker, Meter),
        from: From,
    ) {
        let skipped = self.skipped.len();
        self.skipped.push(SkippedFiles {
            folder: path.clone(),
            files: 0,
        });
        let name = name.filter(Named::reopens);
        let again = name.is_some();
        let archive = self.archives.add(name, meter, skipped);
        let mut first = None;
        while let Some((slot, _)) = self.next_member(archive, &mut walker) {
            let mut slot = slot;
            let open = matches!(slot.state, State::Open(_));
            if again {
                slot.sleep();
            }
            let index = self.push(slot);
            first = first.or(index);
            if open && !again {
                self.hand_over(index, walker);
                return;
            }
        }
        if first.is_none() {
            let unread = self.skipped.pop();
            if let Some(folder) = from.folder.and_then(|folder| self.skipped.get_mut(folder)) {
                folder.files += 1;
                return;
            }
            let files = unread.map_or(0, |skipped| skipped.files);
            let reason = match walker.damages.first() {
                Some(damage) => format!("{kind}: {}", damage.detail),
                None => {
                    format!("{kind} of {files} files, none of them a capture or a log with SIP")
                }
            };
            return self.refuse(InputError {
                path,
                kind: InputErrorKind::Unrecognised,
                reason,
            });
        }
        self.end_of_archive(&mut walker);
    }

    /// The next capture or log of an archive, or one that could not be looked into.
    pub(super) fn next_member(
        &mut self,
        archive: usize,
        walker: &mut Walker,
    ) -> Option<(Slot, u32)> {
        loop {
            let leaf = walker.next()?;
            let mut slot = Slot::new(leaf.path);
            slot.member = Some(Place {
                archive,
                ordinal: leaf.ordinal,
            });
            match leaf.content {
                Ok(content) => slot.read_from(content, self.manner),
                Err(why) => {
                    let path = slot.summary.path.clone();
                    slot.summary.error = Some(unreadable(&path, why.to_owned()));
                }
            }
            if !slot.is_unrecognised() {
                return Some((slot, leaf.ordinal));
            }
            let skipped = self.archives.skipped(archive);
            if let Some(skipped) = skipped.and_then(|index| self.skipped.get_mut(index)) {
                skipped.files += 1;
            }
        }
    }

    pub(super) fn hand_over(&mut self, index: Option<usize>, walker: Walker) {
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            slot.walker = Some(walker);
        }
    }

    /// What is wrong with an archive itself is said with the last input that came out of it.
    pub(super) fn end_of_archive(&mut self, walker: &mut Walker) {
        if let Some(slot) = self.slots.last_mut() {
            slot.around.append(&mut walker.damages);
        }
    }

    /// An input was read through: the next of its archive follows, or the file in its place.
    #[cold]
    pub(super) fn ended(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if let (Some(place), Some(mut walker)) = (slot.member, slot.walker.take()) {
            if self.archives.reopens(place.archive) {
                let late = self.archives.give_back(place, walker);
                if let Some((index, slot)) = late.and_then(|l| Some((l, self.slots.get(l)?))) {
                    self.waiting.push(Reverse((slot.key, index)));
                }
                return;
            }
            while let Some((slot, _)) = self.next_member(place.archive, &mut walker) {
                let open = matches!(slot.state, State::Open(_));
                let index = self.push(slot);
                if open || index.is_none() {
                    return self.hand_over(index, walker);
                }
            }
            return self.end_of_archive(&mut walker);
        }
        self.follow_on(index);
    }

    /// Reads on in the file that has taken the place of a followed one.
    pub(super) fn follow_on(&mut self, index: usize) {
        let end = self.following.as_ref().and_then(|(_, state)| state.end());
        let (Some(end), Some(slot)) = (end, self.slots.get_mut(index)) else {
            return;
        };
        let (reason, what) = match end {
            End::Replaced => ("replaced", "another file took its place"),
            End::Truncated => ("truncated", "it was cut"),
        };
        slot.around.push(Damage {
            reason,
            offset: 0,
            detail: format!("{what} while it was followed; that is read on as a further input"),
        });
        self.add_followed();
    }

    pub(super) fn add_followed(&mut self) {
        let Some((name, state)) = &self.following else {
            return;
        };
        let path = name.display();
        let opened = match name {
            Named::Path(file) => Followed::open(file.clone(), state.clone())
                .map(|followed| -> Source { Box::new(followed) }),
            Named::Stdin => {
                state.always_live();
                name.open()
            }
        };
        match opened {
            Ok(source) => {
                let meter = Meter::default();
                let content = unpack::unpack(meter.watch(source), FOLLOWED_PEEK, &meter);
                let from = From {
                    folder: None,
                    keep_open: true,
                };
                let further = !self.slots.is_empty();
                self.add_single(path, None, content, from);
                // Nothing came after the last replacement.
                let empty = |slot: &Slot| {
                    let error = slot.summary.error.as_ref();
                    error.is_some_and(|error| error.kind == InputErrorKind::Empty)
                };
                if further && self.slots.last().is_some_and(empty) {
                    self.slots.pop();
                }
            }
            Err(error) => self.refuse(unreadable(&path, error.to_string())),
        }
    }
}
