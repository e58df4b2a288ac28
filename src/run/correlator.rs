//! Messages to calls, batch by batch.

use super::Batch;
use super::judge::Judge;
use crate::session::{AHEAD, Limits, News, Session};

/// Where messages become calls.
#[derive(Default)]
pub(super) struct Correlator {
    session: Session,
    news: News,
}

impl Correlator {
    /// Correlates the messages of a batch; what is over is judged at once.
    pub(super) fn batch(&mut self, batch: &mut Batch, judge: &mut Judge<'_>) {
        for stream in batch.media.drain(..) {
            self.session.media(stream);
        }
        let mut asides = batch.asides.drain(..).peekable();
        let mut alive = batch.alive.drain(..).peekable();
        let mut messages = batch.messages.drain(..);
        let mut index = 0;
        loop {
            if index % AHEAD == 0 {
                let coming = messages.as_slice();
                self.session.expect(coming.get(..AHEAD).unwrap_or(coming));
            }
            let Some(stored) = messages.next() else { break };
            while let Some((_, aside)) = asides.next_if(|(before, _)| *before <= index) {
                self.session.aside(aside);
            }
            while let Some((_, source, time)) = alive.next_if(|(before, ..)| *before <= index) {
                self.session.keep_alive(source, time);
            }
            self.session.message(stored, &mut self.news);
            self.news.settle();
            index += 1;
        }
        asides.for_each(|(_, aside)| self.session.aside(aside));
        alive.for_each(|(_, source, time)| self.session.keep_alive(source, time));
        for time in std::mem::take(&mut batch.clock).into_iter().flatten() {
            self.session.tick(time, &mut self.news);
            self.news.settle();
        }
        // Not one by one: what correlates and what judges is more code than fits the cache at once.
        self.deliver(judge);
        batch.bytes = 0;
        batch.spare = self.session.spare().collect();
    }

    /// Judges what is left.
    pub(super) fn finish(mut self, judge: &mut Judge<'_>) -> Limits {
        let limits = self.session.finish(&mut self.news);
        self.news.settle();
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
