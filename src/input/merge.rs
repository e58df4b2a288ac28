//! Several inputs as one sequence of records, by time.

/// Inputs that come out of others: files of archives, and files in the place of followed ones.
mod further;
/// One input between its first record and its last.
mod slot;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::archive::{self, Walker};
use super::buffer::Buffer;
use super::follow::Following;
use super::log::LogChoice;
use super::members::Archives;
use super::paths::Paths;
use super::source::{Manner, Named};
use super::summary::{Damage, InputError, InputErrorKind, InputSummary};
use super::unpack::{self, Meter, PEEK, Source};
use super::{Origin, Record};
use slot::{Slot, State};

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
    paths: Paths,
    /// The slot whose record was handed out last.
    current: Option<usize>,
    /// The slots that wait, by the time of their next record.
    waiting: BinaryHeap<Reverse<(i64, usize)>>,
    manner: Manner,
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
        Self::open_as(paths, LogChoice::default())
    }

    /// The same, where only some formats are looked for in text.
    pub fn open_as(paths: &[Named], logs: LogChoice) -> Self {
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
        let mut inputs = Self::empty(if few { WINDOW } else { SMALL_WINDOW }, logs);
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
    pub fn follow(name: &Named, idle: Option<Duration>, logs: LogChoice) -> Self {
        let mut inputs = Self::empty(WINDOW, logs);
        inputs.manner.live = true;
        let state = Following::new(idle);
        inputs.following = Some((name.clone(), state));
        inputs.add_followed();
        inputs
    }

    /// Reads from sources that are open already, each with the name to show for it.
    pub fn from_readers(sources: Vec<(String, Source)>) -> Self {
        let mut inputs = Self::empty(WINDOW, LogChoice::default());
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

    /// The names of the inputs, for those who cannot wait for [`Inputs::summaries`].
    pub fn paths(&self) -> Paths {
        self.paths.clone()
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

    fn empty(window: usize, logs: LogChoice) -> Self {
        Self {
            slots: Vec::new(),
            paths: Paths::default(),
            current: None,
            waiting: BinaryHeap::new(),
            manner: Manner {
                window,
                logs,
                live: false,
            },
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
        slot.summary.in_folder = from.folder.is_some();
        slot.read_from(content, self.manner);
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
        self.keep(slot);
        Some(index)
    }

    fn keep(&mut self, slot: Slot) {
        self.paths.add(&slot.summary.path);
        self.slots.push(slot);
    }

    fn refuse(&mut self, error: InputError) {
        if self.slots.len() >= MOST_INPUTS {
            return self.refuse_more(error.path);
        }
        let mut slot = Slot::new(error.path.clone());
        slot.summary.error = Some(error);
        self.keep(slot);
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
            self.keep(slot);
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
                    slot.read_from(content, self.manner);
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
                    slot.read_from(content, self.manner);
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

#[cfg(test)]
mod tests;
