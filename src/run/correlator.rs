//! The thread that correlates messages.

use super::pool::Pool;
use super::reader::LONG;
use super::{Batch, Delivery};
use crate::session::{Call, Limits, News, Session};
use std::sync::mpsc::{Receiver, SyncSender};

/// Where messages become calls.
#[derive(Default)]
struct Correlator {
    session: Session,
    pool: Pool,
}

/// Correlates the messages of all batches; calls that were judged come back in `judged`.
pub(super) fn correlate(
    batches: Receiver<Batch>,
    empty: SyncSender<Batch>,
    to: SyncSender<Delivery>,
    judged: Receiver<Vec<Call>>,
) -> Limits {
    let mut correlator = Correlator::default();
    for mut batch in batches {
        for call in judged.try_iter().flatten() {
            correlator.session.reuse(call);
        }
        let delivery = correlator.batch(&mut batch);
        let _ = empty.try_send(batch);
        if to.send(delivery).is_err() {
            return Limits::default();
        }
    }
    let mut news = News::default();
    let limits = correlator.session.finish(&mut news);
    let _ = to.send(Delivery { news, live: false });
    limits
}

impl Correlator {
    fn batch(&mut self, batch: &mut Batch) -> Delivery {
        let mut news = News::default();
        for stream in batch.media.drain(..) {
            self.session.media(stream);
        }
        let (mut at, mut asides) = (0, batch.asides.drain(..).peekable());
        let mut alive = batch.alive.drain(..).peekable();
        for (index, (mut stored, length)) in batch.messages.drain(..).enumerate() {
            while let Some((_, aside)) = asides.next_if(|(before, _)| *before <= index) {
                self.session.aside(aside);
            }
            while let Some((_, source, time)) = alive.next_if(|(before, ..)| *before <= index) {
                self.session.keep_alive(source, time);
            }
            let bytes = batch.bytes.get(at..at + length).unwrap_or_default();
            at += length;
            if length > 0 {
                stored.raw = self.pool.bytes(bytes);
            }
            self.session.message(stored, &mut news);
        }
        asides.for_each(|(_, aside)| self.session.aside(aside));
        alive.for_each(|(_, source, time)| self.session.keep_alive(source, time));
        // Buffers go to the thread that will need them.
        let for_reader = batch.bytes.is_empty();
        batch.bytes.clear();
        for time in std::mem::take(&mut batch.clock).into_iter().flatten() {
            self.session.tick(time, &mut news);
        }
        batch.long = 0;
        let (long, short) = self
            .session
            .spare()
            .partition(|buffer| for_reader || buffer.capacity() >= LONG);
        batch.spare = long;
        self.pool.take_back(Vec::into_iter(short));
        let live = std::mem::take(&mut batch.live);
        Delivery { news, live }
    }
}
