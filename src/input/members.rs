//! The archives among the inputs. Each member that is read needs a walk of its own through its
//! archive; walks that are over are used again for members further on.

use std::collections::VecDeque;

use super::archive::{self, Leaf, Walker};
use super::merge::Content;
use super::source::Named;
use super::summary::Damage;
use super::unpack::{self, Meter, PEEK};

/// The most walks at a time: each may take the memory of its decompressors.
const MOST_WALKS: usize = 16;
/// The most that are kept to be used again.
const MOST_IDLE: usize = 4;

/// Where a member stands: in which archive, and which of its files it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) archive: usize,
    pub(crate) ordinal: u32,
}

/// The archives that were opened.
#[derive(Default)]
pub(crate) struct Archives {
    list: Vec<Opened>,
    walks: usize,
    /// Walks that are over and may be used again, with the archive of each; the latest last.
    idle: VecDeque<(usize, Walker)>,
    /// Members whose time came while there were too many walks.
    late: VecDeque<usize>,
}

struct Opened {
    /// How to open it again; `None` where that gives other bytes.
    name: Option<Named>,
    meter: Meter,
    /// Index of the count of files passed over.
    skipped: usize,
}

impl Archives {
    /// Adds an archive; its index.
    pub(crate) fn add(&mut self, name: Option<Named>, meter: Meter, skipped: usize) -> usize {
        self.list.push(Opened {
            name,
            meter,
            skipped,
        });
        self.list.len() - 1
    }

    /// Index of the count of files passed over in an archive.
    pub(crate) fn skipped(&self, archive: usize) -> Option<usize> {
        self.list.get(archive).map(|opened| opened.skipped)
    }

    /// Whether an archive can be opened again.
    pub(crate) fn reopens(&self, archive: usize) -> bool {
        let opened = self.list.get(archive);
        opened.is_some_and(|opened| opened.name.is_some())
    }

    /// Whether another walk is allowed.
    pub(crate) fn may_open(&self) -> bool {
        self.walks < MOST_WALKS
    }

    /// Lets the member of a slot wait for the end of a walk.
    pub(crate) fn too_many(&mut self, slot: usize) -> Damage {
        self.late.push_back(slot);
        Damage {
            reason: "archive-overlap",
            offset: 0,
            detail: format!(
                "more than {MOST_WALKS} files in archives overlap in time; this one was read after \
                 the end of another, so that its messages come late"
            ),
        }
    }

    /// Walks to a member.
    pub(crate) fn open(&mut self, place: Place) -> Result<(Walker, Content), String> {
        const GONE: &str = "the archive has changed since it was looked at";
        let fits = |(archive, walker): &(usize, Walker)| {
            *archive == place.archive && walker.ordinal() < place.ordinal
        };
        let idle = self.idle.iter().position(fits);
        let mut walker = match idle.and_then(|index| self.idle.remove(index)) {
            Some((_, walker)) => walker,
            None => self.list.get(place.archive).ok_or(GONE)?.walk()?,
        };
        let leaf = walker.skip_to(place.ordinal);
        let Some(Leaf {
            content: Ok(content),
            ..
        }) = leaf
        else {
            return Err(match walker.damages.first() {
                Some(damage) => damage.detail.clone(),
                None => GONE.to_owned(),
            });
        };
        self.walks += 1;
        Ok((walker, content))
    }

    /// Takes back the walk of a member that was read through; a slot whose turn it is now.
    pub(crate) fn give_back(&mut self, place: Place, walker: Walker) -> Option<usize> {
        self.walks = self.walks.saturating_sub(1);
        if self.idle.len() >= MOST_IDLE {
            self.idle.pop_front();
        }
        self.idle.push_back((place.archive, walker));
        self.late.pop_front()
    }
}

impl Opened {
    fn walk(&self) -> Result<Walker, String> {
        let name = self.name.as_ref().ok_or("it cannot be opened again")?;
        let source = name.open().map_err(|error| error.to_string())?;
        let meter = self.meter.another_pass();
        let (buffer, _) = unpack::unpack(meter.watch(source), PEEK, &meter);
        let kind = archive::kind(buffer.available()).ok_or("it is no archive any more")?;
        Ok(Walker::new(kind, buffer, name.display(), meter))
    }
}
