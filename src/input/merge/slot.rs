use super::Content;
use crate::input::Body;
use crate::input::archive::Walker;
use crate::input::members::Place;
use crate::input::source::{Manner, Named, Reader};
use crate::input::summary::{Damage, InputError, InputErrorKind, InputSummary};

/// One input.
pub(super) struct Slot {
    /// How to open it again.
    pub(super) name: Option<Named>,
    /// Its place in an archive.
    pub(super) member: Option<Place>,
    /// What walks over that archive, while the slot is open.
    pub(super) walker: Option<Walker>,
    pub(super) state: State,
    pub(super) key: i64,
    pub(super) summary: InputSummary,
    /// What is wrong with what is around it.
    pub(super) around: Vec<Damage>,
}

/// Whether it is read.
pub(super) enum State {
    Open(Reader),
    /// Closed after its first record was seen, to be opened again when its time comes.
    Dormant,
    Done,
}

impl Slot {
    pub(super) fn new(path: String) -> Self {
        Self {
            name: None,
            member: None,
            walker: None,
            state: State::Done,
            key: i64::MAX,
            summary: InputSummary {
                path,
                ..InputSummary::default()
            },
            around: Vec::new(),
        }
    }

    /// Whether it is neither a capture nor a log with SIP.
    pub(super) fn is_unrecognised(&self) -> bool {
        let error = self.summary.error.as_ref();
        error.is_some_and(|error| error.kind != InputErrorKind::Unreadable)
    }

    /// Closes the input until its time comes, which the first record that has one tells.
    pub(super) fn sleep(&mut self) {
        if let State::Open(reader) = &self.state {
            let keys_first = matches!(reader.body(), Body::Secrets { .. });
            if keys_first {
                self.key = i64::MAX;
            }
            while keys_first && self.key == i64::MAX && self.advance() {}
        }
        if let State::Open(reader) = &self.state {
            reader.summarise(&mut self.summary);
            self.state = State::Dormant;
        }
    }

    /// Recognises the content and finds its first record.
    pub(super) fn read_from(&mut self, (buffer, compression): Content, manner: Manner) {
        match Reader::new(buffer, compression, manner) {
            Ok(reader) => {
                self.state = State::Open(reader);
                self.advance();
                self.keys_first();
            }
            Err((kind, reason)) => {
                self.summary.error = Some(InputError {
                    path: self.summary.path.clone(),
                    kind,
                    reason,
                });
            }
        }
    }

    /// Keys have no time, and are wanted before the frames, whenever those were captured.
    pub(super) fn keys_first(&mut self) {
        if let State::Open(reader) = &self.state
            && matches!(reader.body(), Body::Secrets { .. })
        {
            self.key = i64::MIN;
        }
    }

    /// Finds the next record; at the end, writes the summary and closes the input.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        let State::Open(reader) = &mut self.state else {
            return false;
        };
        if !reader.advance() {
            self.close();
            return false;
        }
        if let Some(time) = reader.time() {
            self.key = time.0;
            let (first, last) = (&mut self.summary.first_time, &mut self.summary.last_time);
            *first = Some(first.map_or(time, |first| first.min(time)));
            *last = Some(last.map_or(time, |last| last.max(time)));
        }
        true
    }

    #[cold]
    pub(super) fn close(&mut self) {
        if let State::Open(reader) = &self.state {
            reader.summarise(&mut self.summary);
            if reader.is_text_without_sip() {
                self.summary.error = Some(InputError::no_sip(&self.summary.path, reader.instead()));
            }
        }
        self.state = State::Done;
    }
}
