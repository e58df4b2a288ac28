//! Frames of a stream whose account is still open.

use crate::layers::{At, Sink};
use std::borrow::Cow;

/// What the bytes of frames turned out to be; the higher wins where a frame holds several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    /// Not known yet.
    #[default]
    Open,
    /// Something known in which nothing can be that is looked for.
    Other(&'static str),
    /// Could not be looked into: reason and detail.
    Closed(&'static str, Cow<'static, str>),
    /// A message that the sink took.
    Taken,
}

impl Mark {
    fn rank(&self) -> u8 {
        match self {
            Mark::Open => 0,
            Mark::Other(_) => 1,
            Mark::Closed(..) => 2,
            Mark::Taken => 3,
        }
    }
}

/// The frames that bytes came in, until it is known what these are.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// By input; the number of frames added up.
    before: Vec<At>,
    last: Option<At>,
    mark: Mark,
}

impl Frames {
    pub(super) fn add(&mut self, at: At) {
        if let Some(last) = self.last.replace(at) {
            merge(&mut self.before, last);
        }
    }

    /// The frame that came last, if its account is open.
    pub(super) fn last(&self) -> Option<At> {
        self.last
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if mark.rank() > self.mark.rank() {
            self.mark = mark;
        }
    }

    /// Hands all of them on.
    pub(super) fn take(&mut self) -> Vec<At> {
        self.mark = Mark::Open;
        let mut all = std::mem::take(&mut self.before);
        all.extend(self.last.take());
        all
    }

    /// Accounts for what is known; `rest`: the last frame holds bytes that are not judged yet.
    pub(super) fn settle(&mut self, rest: bool, sink: &mut impl Sink) {
        if self.mark == Mark::Open {
            return;
        }
        let keeps = rest && self.mark != Mark::Taken;
        let mark = self.mark.clone();
        let last = self.last.take_if(|_| !keeps);
        for at in self.before.drain(..).chain(last) {
            match &mark {
                Mark::Open => {}
                Mark::Other(protocol) => sink.other(at, protocol),
                Mark::Closed(reason, detail) => sink.not_decoded(at, reason, detail),
                Mark::Taken => sink.carried(at),
            }
        }
        if self.last.is_none() {
            self.mark = Mark::Open;
        }
    }
}

/// Adds a frame, so that there is one entry for each input at most.
pub(super) fn merge(frames: &mut Vec<At>, at: At) {
    let same = |known: &&mut At| known.origin.input == at.origin.input;
    match frames.iter_mut().find(same) {
        Some(known) => known.frames = known.frames.saturating_add(at.frames),
        None => frames.push(at),
    }
}
