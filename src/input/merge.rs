//! Several inputs as one sequence of records, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::archive::{self, Walker};
use super::buffer::Buffer;
use super::follow::{End, Followed, Following};
use super::members::{Archives, Place};
use super::source::{Named, Reader};
use super::summary::{Damage, InputError, InputErrorKind, InputSummary};
use super::unpack::{self, Meter, PEEK, Source};
use super::{Body, Origin, Record};

/// The most inputs that are kept open between their first record and their turn.
const MOST_OPEN: usize = 64;
const MOST_INPUTS: usize = u16::MAX as usize;
const WINDOW: usize = 1 << 18;
const SMALL_WINDOW: usize = 64 << 10;
/// What recognising a growing file waits for.
const FOLLOWED_PEEK: usize = 16;

/// The records of all inputs, merged by time. Equal times keep the order of the arguments; records
/// without a time follow those before them in their input, and inputs without times come last.
pub struct Inputs {
    slots: Vec<Slot>,
    /// The slot whose record was handed out last.
    current: Option<usize>,
    /// The slots that wait, by the time of their next record.
    waiting: BinaryHeap<Reverse<(i64, usize)>>,
    window: usize,
    skipped: Vec<SkippedFiles>,
    archives: Archives,
    /// The one input that is followed, and how it is doing.
    following: Option<(Named, Following)>,
}

/// Files in a folder or archive that are neither captures nor logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFiles {
    /// The folder or archive.
    pub folder: String,
    /// How many.
    pub files: u64,
}

struct Slot {
    /// How to open it again.
    name: Option<Named>,
    /// Its place in an archive.
    member: Option<Place>,
    /// What walks over that archive, while the slot is open.
    walker: Option<Walker>,
    state: State,
    key: i64,
    summary: InputSummary,
    /// What is wrong with what is around it.
    around: Vec<Damage>,
}

enum State {
    Open(Reader),
    /// Closed after its first record was seen, to be opened again when its time comes.
    Dormant,
    Done,
}

/// Where an input comes from.
#[derive(Clone, Copy, Default)]
struct From {
    /// The folder, which counts it if it is not recognised.
    folder: Option<usize>,
    keep_open: bool,
}

impl Inputs {
    /// Opens everything that is named. What cannot be read becomes an error in its summary, and the
    /// others are read all the same.
    pub fn open(paths: &[Named]) -> Self {
        let mut listed = Vec::new();
        let mut skipped = Vec::new();
        for name in paths {
            match name.files() {
                None => match name.fitting() {
                    Some(files) => listed.extend(files.into_iter().map(|file| (file, Ok(None)))),
                    None => listed.push((name.clone(), Ok(None))),
                },
                Some(Ok(files)) => {
                    let folder = skipped.len();
                    skipped.push(SkippedFiles {
                        folder: name.display(),
                        files: 0,
                    });
                    listed.extend(files.into_iter().map(|file| (file, Ok(Some(folder)))));
                }
                Some(Err(error)) => listed.push((name.clone(), Err(error))),
            }
        }
        let few = listed.len() <= 8;
        let mut inputs = Self::empty(if few { WINDOW } else { SMALL_WINDOW });
        inputs.skipped = skipped;
        let all_open = listed.len() <= MOST_OPEN;
        for (name, folder) in listed {
            match folder.and_then(|folder| Ok((folder, name.open()?))) {
                Ok((folder, source)) => {
                    let keep_open = all_open || !name.reopens();
                    let path = name.display();
                    inputs.add(path, Some(name), source, From { folder, keep_open });
                }
                Err(error) => inputs.refuse(unreadable(&name.display(), error.to_string())),
            }
        }
        inputs
    }

    /// Opens an input that still grows: at its end the reading waits for more, until nothing came for
    /// as long as `idle` says. A file that replaces it is read on as a further input.
    pub fn follow(name: &Named, idle: Option<Duration>) -> Self {
        let mut inputs = Self::empty(WINDOW);
        let state = Following::new(idle);
        inputs.following = Some((name.clone(), state));
        inputs.add_followed();
        inputs
    }

    /// Reads from sources that are open already, each with the name to show for it.
    pub fn from_readers(sources: Vec<(String, Source)>) -> Self {
        let mut inputs = Self::empty(WINDOW);
        for (path, source) in sources {
            let keep_open = true;
            inputs.add(
                path,
                None,
                source,
                From {
                    folder: None,
                    keep_open,
                },
            );
        }
        inputs
    }

    /// The next record, borrowed until the call after.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend")]
    pub fn next(&mut self) -> Option<Record<'_>> {
        if let Some(index) = self.current {
            self.step(index);
        } else {
            self.take_turn();
        }
        let index = self.current?;
        let slot = self.slots.get(index)?;
        let State::Open(reader) = &slot.state else {
            return None;
        };
        Some(Record {
            origin: Origin {
                input: index as u16,
                place: reader.place(),
            },
            time: reader.time(),
            body: reader.body(),
        })
    }

    /// What is known of each input so far, in the order of [`Origin::input`].
    pub fn summaries(&self) -> Vec<InputSummary> {
        self.slots
            .iter()
            .map(|slot| {
                let mut summary = slot.summary.clone();
                if let State::Open(reader) = &slot.state {
                    reader.summarise(&mut summary);
                }
                for damage in &slot.around {
                    let known = |known: &Damage| known.reason == damage.reason;
                    if !summary.damage.iter().any(known) {
                        summary.damage.push(damage.clone());
                    }
                }
                summary
            })
            .collect()
    }

    /// How many files in folders and archives were passed over because they are neither captures nor
    /// logs; complete at the end.
    pub fn skipped(&self) -> impl Iterator<Item = &SkippedFiles> {
        self.skipped.iter().filter(|skipped| skipped.files > 0)
    }

    /// Whether the next record may be long in coming, because a followed input has no more for now.
    #[inline]
    pub fn live(&self) -> bool {
        self.following
            .as_ref()
            .is_some_and(|(_, state)| state.live())
    }

    fn empty(window: usize) -> Self {
        Self {
            slots: Vec::new(),
            current: None,
            waiting: BinaryHeap::new(),
            window,
            skipped: Vec::new(),
            archives: Archives::default(),
            following: None,
        }
    }

    /// Adds an input, or those in it where it is an archive.
    fn add(&mut self, path: String, name: Option<Named>, source: Source, from: From) {
        let meter = Meter::default();
        let (buffer, compression) = unpack::unpack(meter.watch(source), PEEK, &meter);
        if let Some(kind) = archive::kind(buffer.available()) {
            let walker = Walker::new(kind, buffer, path.clone(), meter.clone());
            return self.add_archive(kind.name, path, name, (walker, meter), from);
        }
        self.add_single(path, name, (buffer, compression), from);
    }

    fn add_single(&mut self, path: String, name: Option<Named>, content: Content, from: From) {
        let mut slot = Slot::new(path);
        slot.name = name;
        slot.read_from(content, self.window);
        if slot.is_unrecognised()
            && let Some(skipped) = from.folder.and_then(|folder| self.skipped.get_mut(folder))
        {
            skipped.files += 1;
            return;
        }
        if !from.keep_open {
            slot.sleep();
        }
        self.push(slot);
    }

    /// Adds a slot to those that wait; its index.
    fn push(&mut self, slot: Slot) -> Option<usize> {
        if self.slots.len() >= MOST_INPUTS {
            self.refuse_more(slot.summary.path);
            return None;
        }
        let index = self.slots.len();
        if !matches!(slot.state, State::Done) {
            self.waiting.push(Reverse((slot.key, index)));
        }
        self.slots.push(slot);
        Some(index)
    }

    /// Adds the captures and logs in an archive. One that can be opened again gives them up in the
    /// order of their times: each is looked at now, and opened again when its turn comes. Otherwise
    /// they are read as they lie, one after the other.
    fn add_archive(
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
    fn next_member(&mut self, archive: usize, walker: &mut Walker) -> Option<(Slot, u32)> {
        loop {
            let leaf = walker.next()?;
            let mut slot = Slot::new(leaf.path);
            slot.member = Some(Place {
                archive,
                ordinal: leaf.ordinal,
            });
            match leaf.content {
                Ok(content) => slot.read_from(content, self.window),
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

    fn hand_over(&mut self, index: Option<usize>, walker: Walker) {
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            slot.walker = Some(walker);
        }
    }

    /// What is wrong with an archive itself is said with the last input that came out of it.
    fn end_of_archive(&mut self, walker: &mut Walker) {
        if let Some(slot) = self.slots.last_mut() {
            slot.around.append(&mut walker.damages);
        }
    }

    fn refuse(&mut self, error: InputError) {
        if self.slots.len() >= MOST_INPUTS {
            return self.refuse_more(error.path);
        }
        let mut slot = Slot::new(error.path.clone());
        slot.summary.error = Some(error);
        self.slots.push(slot);
    }

    /// Says once, in the last place that an [`Origin`] can name, that the list was too long.
    fn refuse_more(&mut self, path: String) {
        if self.slots.len() == MOST_INPUTS {
            let mut slot = Slot::new(path.clone());
            slot.summary.error = Some(InputError {
                path,
                kind: InputErrorKind::Unreadable,
                reason: format!("more than {MOST_INPUTS} inputs; this and the rest were not read"),
            });
            self.slots.push(slot);
        }
    }

    /// Moves the current input on, and lets another have its turn if that one is earlier.
    #[inline]
    fn step(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        let more = slot.advance();
        if more {
            let key = (slot.key, index);
            match self.waiting.peek() {
                Some(Reverse(first)) if *first < key => self.waiting.push(Reverse(key)),
                _ => return,
            }
        } else {
            self.ended(index);
        }
        self.take_turn();
    }

    #[cold]
    fn take_turn(&mut self) {
        self.current = None;
        while let Some(Reverse((_, index))) = self.waiting.pop() {
            if self.wake(index) {
                self.current = Some(index);
                return;
            }
        }
    }

    /// Opens an input again if it was closed to wait; false if it is not its turn after all.
    fn wake(&mut self, index: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else {
            return false;
        };
        if !matches!(slot.state, State::Dormant) {
            return matches!(slot.state, State::Open(_));
        }
        if let Some(place) = slot.member {
            if !self.archives.may_open() {
                slot.around.push(self.archives.too_many(index));
                return false;
            }
            slot.state = State::Done;
            match self.archives.open(place) {
                Ok((walker, content)) => {
                    slot.read_from(content, self.window);
                    slot.walker = Some(walker);
                }
                Err(why) => slot.summary.error = Some(unreadable(&slot.summary.path, why)),
            }
        } else {
            slot.state = State::Done;
            match slot.name.as_ref().map(Named::open) {
                Some(Ok(source)) => {
                    let meter = Meter::default();
                    let content = unpack::unpack(meter.watch(source), PEEK, &meter);
                    slot.read_from(content, self.window);
                }
                Some(Err(error)) => {
                    let error = unreadable(&slot.summary.path, error.to_string());
                    slot.summary.error = Some(error);
                }
                None => {}
            }
        }
        let open = matches!(slot.state, State::Open(_));
        if !open {
            self.ended(index);
        }
        open
    }

    /// An input was read through: the next of its archive follows, or the file in its place.
    #[cold]
    fn ended(&mut self, index: usize) {
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
    fn follow_on(&mut self, index: usize) {
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

    fn add_followed(&mut self) {
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

/// What is inside every compression, and the name of the innermost.
pub(crate) type Content = (Buffer, Option<&'static str>);

fn unreadable(path: &str, reason: String) -> InputError {
    InputError {
        path: path.to_owned(),
        kind: InputErrorKind::Unreadable,
        reason,
    }
}

impl Slot {
    fn new(path: String) -> Self {
        Self {
            name: None,
            member: None,
            walker: None,
            state: State::Done,
            key: i64::MAX,
            summary: InputSummary {
                path,
                ..InputSummary::default()
            },
            around: Vec::new(),
        }
    }

    /// Whether it is neither a capture nor a log with SIP.
    fn is_unrecognised(&self) -> bool {
        let error = self.summary.error.as_ref();
        error.is_some_and(|error| error.kind != InputErrorKind::Unreadable)
    }

    /// Closes the input until its time comes, which the first record that has one tells.
    fn sleep(&mut self) {
        if let State::Open(reader) = &self.state {
            let keys_first = matches!(reader.body(), Body::Secrets { .. });
            if keys_first {
                self.key = i64::MAX;
            }
            while keys_first && self.key == i64::MAX && self.advance() {}
        }
        if let State::Open(reader) = &self.state {
            reader.summarise(&mut self.summary);
            self.state = State::Dormant;
        }
    }

    /// Recognises the content and finds its first record.
    fn read_from(&mut self, (buffer, compression): Content, window: usize) {
        match Reader::new(buffer, compression, window) {
            Ok(reader) => {
                self.state = State::Open(reader);
                self.advance();
                self.keys_first();
            }
            Err((kind, reason)) => {
                self.summary.error = Some(InputError {
                    path: self.summary.path.clone(),
                    kind,
                    reason,
                });
            }
        }
    }

    /// Keys have no time, and are wanted before the frames, whenever those were captured.
    fn keys_first(&mut self) {
        if let State::Open(reader) = &self.state
            && matches!(reader.body(), Body::Secrets { .. })
        {
            self.key = i64::MIN;
        }
    }

    /// Finds the next record; at the end, writes the summary and closes the input.
    #[inline]
    fn advance(&mut self) -> bool {
        let State::Open(reader) = &mut self.state else {
            return false;
        };
        if !reader.advance() {
            self.close();
            return false;
        }
        if let Some(time) = reader.time() {
            self.key = time.0;
            let (first, last) = (&mut self.summary.first_time, &mut self.summary.last_time);
            *first = Some(first.map_or(time, |first| first.min(time)));
            *last = Some(last.map_or(time, |last| last.max(time)));
        }
        true
    }

    #[cold]
    fn close(&mut self) {
        if let State::Open(reader) = &self.state {
            reader.summarise(&mut self.summary);
            if reader.is_text_without_sip() {
                self.summary.error = Some(InputError::no_sip(&self.summary.path));
            }
        }
        self.state = State::Done;
    }
}

#[cfg(test)]
mod tests;
