//! How much may be unpacked from one input, so that a small file cannot keep the program busy for ever.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Source;
use crate::input::summary::SourceDamage;

/// The most bytes that are unpacked in one pass over an input.
const MOST: u64 = 64 << 30;
/// The most in all passes together: each member of an archive may take one.
const MOST_OF_ALL_PASSES: u64 = 4 * MOST;
/// From so much on, the unpacked bytes may be at most [`RATIO`] times the packed ones.
const RATIO_FROM: u64 = 1 << 30;
const RATIO: u64 = 1000;

/// Counts what was read from an input, and what was unpacked from it, in one pass.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    pass: Arc<Counts>,
    all: Arc<AtomicU64>,
}

#[derive(Default)]
struct Counts {
    packed: AtomicU64,
    unpacked: AtomicU64,
}

impl Meter {
    /// Of another pass over the same input.
    pub(crate) fn another_pass(&self) -> Self {
        Self {
            pass: Arc::default(),
            all: Arc::clone(&self.all),
        }
    }

    /// Counts what is read from the input itself.
    pub(crate) fn watch(&self, source: Source) -> Source {
        Box::new(Watched {
            source,
            meter: self.clone(),
        })
    }

    /// Counts what was unpacked.
    pub(crate) fn unpacked(&self, count: usize) -> io::Result<()> {
        let count = count as u64;
        let pass = self.pass.unpacked.fetch_add(count, Ordering::Relaxed) + count;
        let all = self.all.fetch_add(count, Ordering::Relaxed) + count;
        let packed = self.pass.packed.load(Ordering::Relaxed);
        let excess = if pass > MOST || all > MOST_OF_ALL_PASSES {
            "more than 64 GiB unpacked from one input; the rest was not read"
        } else if pass > RATIO_FROM && pass / RATIO > packed {
            "the data unpacks to more than a thousand times its size; the rest was not read"
        } else {
            return Ok(());
        };
        Err(SourceDamage::error("unpack-limit", excess))
    }
}

struct Watched {
    source: Source,
    meter: Meter,
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        let packed = &self.meter.pass.packed;
        packed.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_ratio_and_passes_are_limited() {
        let meter = Meter::default();
        let mut source = meter.watch(Box::new(io::repeat(1)));
        source.read_exact(&mut vec![0; 2 << 20]).unwrap();
        assert!(meter.unpacked(1 << 30).is_ok());
        assert!(meter.unpacked(900 << 20).is_ok());
        assert!(meter.unpacked(200 << 20).is_err(), "a ratio of 1000");

        let meter = Meter::default();
        meter.pass.packed.store(u64::MAX, Ordering::Relaxed);
        assert!(meter.unpacked(64 << 30).is_ok());
        assert!(meter.unpacked(1).is_err(), "one pass");
        for _ in 0..2 {
            let pass = meter.another_pass();
            pass.pass.packed.store(u64::MAX, Ordering::Relaxed);
            assert!(pass.unpacked(64 << 30).is_ok());
        }
        let pass = meter.another_pass();
        pass.pass.packed.store(u64::MAX, Ordering::Relaxed);
        assert!(pass.unpacked(64 << 30).is_err(), "all passes");
    }
}
