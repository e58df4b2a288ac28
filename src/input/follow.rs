//! A file that grows while it is read (`--follow`): at its end the reader waits for more.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// How often the end of the file is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// How a followed input is doing, seen from outside its reader.
#[derive(Clone, Default)]
pub(crate) struct Following {
    live: Arc<AtomicBool>,
    end: Arc<AtomicU8>,
    /// Without growth for so long, it is over; `None`: never.
    pub(crate) idle: Option<Duration>,
}

/// Why a followed file came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Another file has its name now.
    Replaced,
    /// It is shorter than what was read of it.
    Truncated,
}

impl Following {
    /// Of an input that is over after `idle` without growth.
    pub(crate) fn new(idle: Option<Duration>) -> Self {
        Self {
            idle,
            ..Self::default()
        }
    }

    /// Whether everything that was there has been read: the next read may have to wait.
    #[inline]
    pub(crate) fn live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Why the file ended, if another is to be read in its place.
    pub(crate) fn end(&self) -> Option<End> {
        match self.end.swap(0, Ordering::Relaxed) {
            1 => Some(End::Replaced),
            2 => Some(End::Truncated),
            _ => None,
        }
    }

    /// Standard input waits by itself, so it is always live.
    pub(crate) fn always_live(&self) {
        self.live.store(true, Ordering::Relaxed);
    }

    fn ends(&self, why: End) {
        let number = match why {
            End::Replaced => 1,
            End::Truncated => 2,
        };
        self.end.store(number, Ordering::Relaxed);
    }
}

/// The file, from its start.
pub(crate) struct Followed {
    file: File,
    path: PathBuf,
    position: u64,
    state: Following,
}

impl Followed {
    pub(crate) fn open(path: PathBuf, state: Following) -> io::Result<Self> {
        Ok(Self {
            file: File::open(&path)?,
            path,
            position: 0,
            state,
        })
    }

    /// Whether the file was replaced or cut; one that is gone may come back.
    fn over(&self) -> io::Result<Option<End>> {
        let here = self.file.metadata()?;
        if here.len() < self.position {
            return Ok(Some(End::Truncated));
        }
        let named = fs::metadata(&self.path);
        Ok(named
            .is_ok_and(|named| !same(&here, &named))
            .then_some(End::Replaced))
    }
}

#[cfg(unix)]
fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Elsewhere only a file that gets shorter is noticed.
#[cfg(not(unix))]
fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

impl Read for Followed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let since = Instant::now();
        loop {
            let count = self.file.read(out)?;
            if count > 0 || out.is_empty() {
                self.position += count as u64;
                let grown = self
                    .file
                    .metadata()
                    .is_ok_and(|now| now.len() > self.position);
                self.state.live.store(!grown, Ordering::Relaxed);
                return Ok(count);
            }
            self.state.live.store(true, Ordering::Relaxed);
            if let Some(why) = self.over()? {
                // What was written between the last look and the replacement is still to be read.
                let count = self.file.read(out)?;
                if count > 0 {
                    self.position += count as u64;
                    return Ok(count);
                }
                self.state.ends(why);
                return Ok(0);
            }
            if self.state.idle.is_some_and(|idle| since.elapsed() >= idle) {
                return Ok(0);
            }
            std::thread::sleep(PAUSE);
        }
    }
}
