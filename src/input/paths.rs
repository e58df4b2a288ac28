//! The names of the inputs, known to whoever reports while the reading goes on.

use std::sync::{Arc, PoisonError, RwLock};

/// What each input is called, in the order of [`super::Origin::input`]. An input has its name before
/// the first of its records is read.
#[derive(Clone, Debug, Default)]
pub struct Paths(Arc<RwLock<Vec<Arc<str>>>>);

impl Paths {
    /// The name of an input; empty where there is none with that index.
    pub fn of(&self, input: u16) -> Arc<str> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(usize::from(input))
            .map_or_else(|| Arc::from(""), Arc::clone)
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn add(&self, path: &str) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::from(path));
    }
}
