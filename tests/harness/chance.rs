//! Chance that is the same in every run.

/// xorshift64*.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `limit`; 0 where that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    /// Moves things about, none further than `reach` places from where it was.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T], reach: usize) {
        for window in list.chunks_mut(reach) {
            for index in (1..window.len()).rev() {
                window.swap(index, self.below(index + 1));
            }
        }
    }
}
