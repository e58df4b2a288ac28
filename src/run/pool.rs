//! Memory of released messages, used again: a run releases as many messages as it takes, and
//! asking the allocator for each of them costs more than reading it.

/// Buffers are kept by capacity in steps of this many bytes, so that little is wasted.
const STEP: usize = 128;
/// Classes of capacity; larger buffers go back to the allocator.
const CLASSES: usize = 16;
/// Buffers kept in a class.
const MOST_KEPT: usize = 1024;

/// Free buffers.
#[derive(Debug, Default)]
pub(super) struct Pool {
    buffers: [Vec<Vec<u8>>; CLASSES],
}

impl Pool {
    /// A buffer with these bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let class = bytes.len().div_ceil(STEP);
        let free = self.buffers.get_mut(class).and_then(Vec::pop);
        let mut buffer = free.unwrap_or_else(|| Vec::with_capacity(class * STEP));
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// Takes buffers back.
    pub(super) fn take_back(&mut self, spare: impl Iterator<Item = Vec<u8>>) {
        for mut buffer in spare {
            let exact = buffer.capacity() % STEP == 0;
            let class = self.buffers.get_mut(buffer.capacity() / STEP);
            if let Some(class) = class.filter(|class| exact && class.len() < MOST_KEPT) {
                buffer.clear();
                class.push(buffer);
            }
        }
    }
}
