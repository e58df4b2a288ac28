//! When something was last active, in coarse steps: enough to say that it was so in between.

/// A step is 2^32 nanoseconds, about 4.3 s.
const STEP: u32 = 32;
/// Steps remembered.
const MOST: i64 = 64;

/// The last 64 steps, about 275 s.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    /// The latest step.
    latest: Option<i64>,
    /// A bit for each step before it that was active; the lowest is the latest.
    steps: u64,
}

impl Activity {
    /// Notes a time, nanoseconds.
    pub(super) fn note(&mut self, time: i64) {
        let step = time >> STEP;
        let latest = *self.latest.get_or_insert(step);
        match step - latest {
            ahead @ 0.. => {
                let shifted = u32::try_from(ahead)
                    .ok()
                    .and_then(|ahead| self.steps.checked_shl(ahead));
                self.steps = shifted.unwrap_or(0) | 1;
                self.latest = Some(step);
            }
            behind if behind > -MOST => self.steps |= 1 << -behind,
            _ => {}
        }
    }

    /// Was there a step wholly between the two times in which it was active?
    pub(super) fn between(&self, from: i64, until: i64) -> bool {
        let Some(latest) = self.latest else {
            return false;
        };
        let first = (from >> STEP) + 1;
        let last = (until >> STEP) - 1;
        (0..MOST).any(|back| {
            let step = latest - back;
            self.steps & 1 << back != 0 && (first..=last).contains(&step)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::clock::SECOND;

    #[test]
    fn only_what_lies_between_counts_and_only_the_last_minutes_are_known() {
        let mut activity = Activity::default();
        for second in [100, 101, 130, 125, 400] {
            activity.note(second * SECOND);
        }
        let between = |from, until| activity.between(from * SECOND, until * SECOND);
        assert!(between(115, 140) && !between(131, 399) && !between(126, 129));
        assert!(between(390, 410) && !between(402, 900));
        // More than 275 s before the latest.
        assert!(!between(90, 110));
        activity.note(10_000 * SECOND);
        assert!(!activity.between(390 * SECOND, 410 * SECOND));
        assert!(!Activity::default().between(0, i64::MAX));
    }
}
