//! Messages to calls, batch by batch.

use super::Batch;
use super::judge::Judge;
use super::pool::Pool;
use super::reader::LONG;
use crate::session::{Limits, News, Session};

/// Messages whose entries are looked up ahead.
const SOON: usize = 16;

/// Where messages become calls.
#[derive(Default)]
pub(super) struct Correlator {
    session: Session,
    pool: Pool,
    news: News,
}

impl Correlator {
    /// Correlates the messages of a batch; what is over is judged at once.
    pub(super) fn batch(&mut self, batch: &mut Batch, judge: &mut Judge<'_>) {
        for stream in batch.media.drain(..) {
            self.session.media(stream);
        }
        let (mut at, mut asides) = (0, batch.asides.drain(..).peekable());
        let mut alive = batch.alive.drain(..).peekable();
        let soon: Vec<u64> = batch.messages.iter().map(|(m, _)| m.keys.call_id).collect();
        for (index, (mut stored, length)) in batch.messages.drain(..).enumerate() {
            if index % SOON == 0 {
                let next = soon.get(index..).unwrap_or_default();
                self.session.expect(next.get(..SOON).unwrap_or(next));
            }
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
            self.session.message(stored, &mut self.news);
            self.deliver(judge);
        }
        asides.for_each(|(_, aside)| self.session.aside(aside));
        alive.for_each(|(_, source, time)| self.session.keep_alive(source, time));
        // Buffers go to the thread that will need them.
        let for_reader = batch.bytes.is_empty();
        batch.bytes.clear();
        for time in std::mem::take(&mut batch.clock).into_iter().flatten() {
            self.session.tick(time, &mut self.news);
            self.deliver(judge);
        }
        batch.long = 0;
        let (long, short) = self
            .session
            .spare()
            .partition(|buffer| for_reader || buffer.capacity() >= LONG);
        batch.spare = long;
        self.pool.take_back(Vec::into_iter(short));
    }

    /// Judges what is left.
    pub(super) fn finish(mut self, judge: &mut Judge<'_>) -> Limits {
        let limits = self.session.finish(&mut self.news);
        judge.take(&mut self.news);
        limits
    }

    fn deliver(&mut self, judge: &mut Judge<'_>) {
        judge.take(&mut self.news);
        for call in self.news.over.drain(..) {
            self.session.reuse(call);
        }
    }
}
