//! Several inputs as one sequence of records, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Read;

use super::source::{Named, Reader};
use super::summary::{InputError, InputErrorKind, InputSummary};
use super::{Origin, Record};

/// The most inputs that are kept open between their first record and their turn.
const MOST_OPEN: usize = 64;
const MOST_INPUTS: usize = u16::MAX as usize;
const WINDOW: usize = 1 << 18;
const SMALL_WINDOW: usize = 64 << 10;

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
}

/// Files in a folder that are neither captures nor logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFiles {
    /// The folder.
    pub folder: String,
    /// How many.
    pub files: u64,
}

struct Slot {
    name: Option<Named>,
    state: State,
    key: i64,
    summary: InputSummary,
}

enum State {
    Open(Reader),
    /// Closed after its first record was seen, to be opened again when its time comes.
    Dormant,
    Done,
}

impl Inputs {
    /// Opens everything that is named. What cannot be read becomes an error in its summary, and the
    /// others are read all the same.
    pub fn open(paths: &[Named]) -> Self {
        let mut listed = Vec::new();
        let mut skipped = Vec::new();
        for name in paths {
            match name.files() {
                None => listed.push((name.clone(), Ok(None))),
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
        let keep_open = listed.len() <= MOST_OPEN;
        for (name, folder) in listed {
            let path = name.display();
            match folder.and_then(|folder| Ok((folder, name.open()?))) {
                Ok((folder, source)) => {
                    let keep = keep_open || !name.reopens();
                    inputs.add(path, Some(name), source, folder, keep);
                }
                Err(error) => inputs.refuse(InputError {
                    path,
                    kind: InputErrorKind::Unreadable,
                    reason: error.to_string(),
                }),
            }
        }
        inputs.skipped.retain(|skipped| skipped.files > 0);
        inputs
    }

    /// Reads from sources that are open already, each with the name to show for it.
    pub fn from_readers(sources: Vec<(String, Box<dyn Read + Send>)>) -> Self {
        let mut inputs = Self::empty(WINDOW);
        for (path, source) in sources {
            inputs.add(path, None, source, None, true);
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
                summary
            })
            .collect()
    }

    /// How many files in folders were passed over because they are neither captures nor logs.
    pub fn skipped(&self) -> &[SkippedFiles] {
        &self.skipped
    }

    fn empty(window: usize) -> Self {
        Self {
            slots: Vec::new(),
            current: None,
            waiting: BinaryHeap::new(),
            window,
            skipped: Vec::new(),
        }
    }

    /// Adds an input; `folder` counts it if it came from a folder and is not recognised.
    fn add(
        &mut self,
        path: String,
        name: Option<Named>,
        source: Box<dyn Read + Send>,
        folder: Option<usize>,
        keep_open: bool,
    ) {
        if self.slots.len() >= MOST_INPUTS {
            return self.refuse_more(path);
        }
        let mut slot = Slot::new(path);
        slot.name = name;
        slot.read_from(source, self.window);
        let refused = slot.summary.error.as_ref();
        if refused.is_some_and(|error| error.kind != InputErrorKind::Unreadable)
            && let Some(skipped) = folder.and_then(|folder| self.skipped.get_mut(folder))
        {
            skipped.files += 1;
            return;
        }
        if let State::Open(_) = slot.state {
            self.waiting.push(Reverse((slot.key, self.slots.len())));
            if !keep_open {
                slot.sleep();
            }
        }
        self.slots.push(slot);
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
        }
        self.take_turn();
    }

    #[cold]
    fn take_turn(&mut self) {
        self.current = None;
        while let Some(Reverse((_, index))) = self.waiting.pop() {
            let window = self.window;
            let Some(slot) = self.slots.get_mut(index) else {
                continue;
            };
            if slot.wake(window) {
                self.current = Some(index);
                return;
            }
        }
    }
}

impl Slot {
    fn new(path: String) -> Self {
        Self {
            name: None,
            state: State::Done,
            key: i64::MAX,
            summary: InputSummary {
                path,
                ..InputSummary::default()
            },
        }
    }

    /// Closes the input until its time comes.
    fn sleep(&mut self) {
        if let State::Open(reader) = &self.state {
            reader.summarise(&mut self.summary);
        }
        self.state = State::Dormant;
    }

    /// Recognises the source and finds its first record.
    fn read_from(&mut self, source: Box<dyn Read + Send>, window: usize) {
        match Reader::new(source, window) {
            Ok(reader) => {
                self.state = State::Open(reader);
                self.advance();
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
                self.summary.error = Some(InputError::no_sip(&self.summary.path, reader.instead()));
            }
        }
        self.state = State::Done;
    }

    /// Opens the input again if it was closed to wait; false if there is nothing to read.
    fn wake(&mut self, window: usize) -> bool {
        if let State::Dormant = self.state {
            self.state = State::Done;
            match self.name.as_ref().map(Named::open) {
                Some(Ok(source)) => self.read_from(source, window),
                Some(Err(error)) => {
                    self.summary.error = Some(InputError {
                        path: self.summary.path.clone(),
                        kind: InputErrorKind::Unreadable,
                        reason: error.to_string(),
                    });
                }
                None => {}
            }
        }
        matches!(self.state, State::Open(_))
    }
}

#[cfg(test)]
mod tests;
