//! What all calls show of the recording: packets recorded twice, messages cut off, clocks that
//! disagree. Kept for the capture as a whole, so that its reader gets one line and not one a call.

use super::across::Exhibit;
use crate::layers::Transport;
use crate::message::Flaw;
use crate::session::clock::SECOND;
use crate::session::{Call, CopyKind, Stored, Transaction};
use std::collections::BTreeMap;

/// A log may leave out line ends, and the last ones of a body: so many bytes are none cut off.
const BLANK_END: usize = 4;
/// Answers that are stamped this much earlier than their request in one input are no accident of
/// several queues of one network card, nanoseconds.
const NO_ACCIDENT: i64 = SECOND / 100;
/// A request over UDP is repeated after T1 (RFC 3261 §17.1.1.1), so what comes this soon after an
/// answer is no repeat of one that was not recorded, nanoseconds.
const NO_REPEAT: i64 = 4 * SECOND / 10;

/// What all calls show of the recording.
#[derive(Debug, Default)]
pub struct Quality {
    /// Messages, copies of one packet included.
    pub messages: u64,
    /// Packets recorded twice.
    pub doubles: Doubles,
    /// Messages that a capture cut off.
    pub cut_by_capture: Cut,
    /// Messages that a log cut off.
    pub cut_by_log: Cut,
    /// Where its last message begins.
    pub last_lines: LastLines,
    /// Messages that break the grammar and were changed after they were sent.
    pub damaged: Cut,
    /// Answers stamped before their requests.
    pub inverted: Inverted,
}

/// Packets recorded more than once.
#[derive(Debug, Default)]
pub struct Doubles {
    /// How many records beyond the first.
    pub count: u64,
    /// Those of them that another input holds.
    pub elsewhere: u64,
    /// One of them: the first record and the second.
    pub shown: Option<[Exhibit; 2]>,
}

/// The last message of each text log, by the line on which it begins; capped.
#[derive(Debug, Default)]
pub struct LastLines(BTreeMap<u16, u64>);

impl LastLines {
    const MOST: usize = 4096;

    fn add(&mut self, call: &Call) {
        let of_log = call.messages.iter().filter(|m| m.stamp.lines > 0);
        for origin in of_log.map(|m| m.stamp.origin) {
            if self.0.len() < Self::MOST || self.0.contains_key(&origin.input) {
                let last = self.0.entry(origin.input).or_default();
                *last = origin.place.max(*last);
            }
        }
    }

    /// Is it the last message of its text?
    pub fn is_last(&self, exhibit: &Exhibit) -> bool {
        self.0.get(&exhibit.origin.input) == Some(&exhibit.origin.place)
    }
}

/// Messages that were not recorded as they were sent: only the beginning, or other bytes.
#[derive(Debug, Default)]
pub struct Cut {
    /// How many.
    pub count: u64,
    /// In how many calls.
    pub calls: u64,
    /// The first and the last of them.
    pub shown: Option<[Exhibit; 2]>,
}

/// Answers that bear an earlier time than their requests.
#[derive(Debug, Default)]
pub struct Inverted {
    /// How many.
    pub count: u64,
    /// Those of them whose request stands in another input.
    pub elsewhere: u64,
    /// By how much at most, nanoseconds.
    pub most: i64,
    /// Where it was most: the answer and the request.
    pub shown: Option<[Exhibit; 2]>,
}

impl Quality {
    /// Looks at a call and its further legs.
    pub(super) fn add(&mut self, call: &Call) {
        for leg in call.all_legs() {
            self.messages += leg.messages.len() as u64;
            if leg.duplicates > 0 {
                self.doubles.add(leg);
            }
            let flaws = leg.flaws();
            if flaws.has(Flaw::CutByCapture) {
                self.cut_by_capture.add(leg, is_cut_by_capture);
            }
            if flaws.has(Flaw::BodyCut) {
                self.cut_by_log.add(leg, is_cut_by_log);
            }
            if flaws.has(Flaw::Damaged) {
                self.damaged.add(leg, is_damaged);
            }
            self.last_lines.add(leg);
            for transaction in leg.transactions() {
                self.inverted.add(leg, transaction);
            }
        }
    }
}

impl Doubles {
    fn add(&mut self, call: &Call) {
        for stored in &call.messages {
            let Some(copy) = stored.copy.filter(|copy| copy.kind == CopyKind::Duplicate) else {
                continue;
            };
            let Some(first) = call.messages.get(copy.first as usize) else {
                continue;
            };
            // A log that writes a message twice is no packet that was recorded twice.
            if stored.keys.repeat != first.keys.repeat {
                continue;
            }
            self.count += 1;
            let (own, other) = (stored.stamp.origin.input, first.stamp.origin.input);
            self.elsewhere += u64::from(own != other);
            if self.shown.is_none() {
                self.shown = Some([Exhibit::of(call, first), Exhibit::of(call, stored)]);
            }
        }
    }
}

impl Cut {
    fn add(&mut self, call: &Call, is_cut: fn(&Stored) -> bool) {
        let mut all = call.messages.iter().filter(|m| is_cut(m));
        let Some(first) = all.next() else { return };
        let (mut count, mut last) = (1, first);
        for stored in all {
            (count, last) = (count + 1, stored);
        }
        self.calls += 1;
        self.count += count;
        let last = Exhibit::of(call, last);
        match &mut self.shown {
            Some([_, known]) => *known = last,
            None => self.shown = Some([Exhibit::of(call, first), last]),
        }
    }
}

impl Inverted {
    fn add(&mut self, call: &Call, transaction: &Transaction) {
        let answers = [&transaction.provisionals, &transaction.finals];
        let first = answers.into_iter().filter_map(|list| list.first()).min();
        let (Some(&answer), Some(request)) = (first, transaction.request()) else {
            return;
        };
        let both = call.messages.get(answer).zip(call.messages.get(request));
        let Some((told, asked)) = both else { return };
        let early = asked
            .time()
            .zip(told.time())
            .map(|(asked, told)| asked - told);
        let elsewhere = asked.stamp.origin.input != told.stamp.origin.input;
        let repeat = asked.stamp.transport.is_none_or(|t| t == Transport::Udp);
        let Some(early) = early.filter(|early| match elsewhere {
            true => *early > 0,
            false => *early > NO_ACCIDENT && (!repeat || *early < NO_REPEAT),
        }) else {
            return;
        };
        self.count += 1;
        self.elsewhere += u64::from(elsewhere);
        if early > self.most {
            self.most = early;
            self.shown = Some([Exhibit::of(call, told), Exhibit::of(call, asked)]);
        }
    }
}

/// Did the snap length of a capture cut the message off?
pub fn is_cut_by_capture(stored: &Stored) -> bool {
    stored.head.flaws.has(Flaw::CutByCapture)
}

/// Does its checksum show that its bytes are not those that were sent?
pub fn is_damaged(stored: &Stored) -> bool {
    stored.head.flaws.has(Flaw::Damaged)
}

/// Are its bytes changed so that more than names and lengths may be wrong? Who hides names in a capture
/// leaves the headers as they are.
pub fn is_mangled(stored: &Stored) -> bool {
    const BROKEN: [Flaw; 6] = [
        Flaw::BrokenHeaderLine,
        Flaw::NoBlankLine,
        Flaw::MandatoryMissing,
        Flaw::BadCseq,
        Flaw::BadUri,
        Flaw::TwoTags,
    ];
    let flaws = stored.head.flaws;
    is_damaged(stored) && BROKEN.into_iter().any(|flaw| flaws.has(flaw))
}

// Some logs leave out the blank line before the body.
fn body_of_log(stored: &Stored) -> &[u8] {
    let begun = match stored.head.flaws.has(Flaw::NoBlankLine) {
        true => memchr::memmem::find(&stored.raw, b"\nv=0"),
        false => None,
    };
    match begun {
        Some(at) => stored.raw.get(at + 1..).unwrap_or_default(),
        None => stored.message().body(),
    }
}

/// Does a log hold less of the body than Content-Length says, line ends aside?
pub fn is_cut_by_log(stored: &Stored) -> bool {
    if stored.stamp.lines == 0 || !stored.head.flaws.has(Flaw::BodyCut) {
        return false;
    }
    let body = body_of_log(stored);
    // Every line has lost its CR.
    let ends = memchr::memchr_iter(b'\n', body).count() + 1;
    let says = stored.head.content_length.unwrap_or(0) as usize;
    // Where somebody has replaced names and addresses in the log, it is a little shorter too.
    says > body.len() + body.len() / 4 + ends + BLANK_END
}
