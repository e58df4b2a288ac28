//! What is known of a call, worked out once for all expectations, and only where one asks.

use super::judge::attested;
use super::media::{self, Rtp};
use super::name::{Name, Side};
use super::pattern::{Pattern, Wanted};
use super::{Failure, Fallen, Proof};
use crate::diagnose::{Diagnosis, Finding};
use crate::lang::words::Words;
use crate::message::header::unfold;
use crate::message::sdp::{self, Media};
use crate::message::{Method, lossy};
use crate::report::mask::mask;
use crate::report::totals::method_name;
use crate::session::{Call, Stored};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Messages of a call that are looked at; a call of more is no flow that somebody wrote down.
pub(super) const MOST_MESSAGES: usize = 2000;
/// Bytes of a line that are shown.
const LONGEST_LINE: usize = 300;

/// A call, and what was asked about it so far.
pub(super) struct Facts<'a> {
    pub(super) call: &'a Call,
    pub(super) diagnosis: &'a Diagnosis,
    prove: &'a dyn Fn() -> Diagnosis,
    from: OnceCell<Option<String>>,
    to: OnceCell<Option<String>>,
    request_uri: OnceCell<Option<String>>,
    end_to_end: OnceCell<Vec<(Side, &'a Stored)>>,
    agreed: OnceCell<(Option<String>, Vec<Proof>)>,
    attested: OnceCell<(Option<String>, Vec<Proof>)>,
    ways: OnceCell<(Rtp, Words)>,
    /// Session descriptions read so far, by the address of the message.
    described: RefCell<HashMap<*const Stored, Rc<[Media]>>>,
    /// Is what failed only counted? Nothing has to be shown of it then.
    pub(super) only_counts: Cell<bool>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(
        call: &'a Call,
        diagnosis: &'a Diagnosis,
        prove: &'a dyn Fn() -> Diagnosis,
    ) -> Facts<'a> {
        Facts {
            call,
            diagnosis,
            prove,
            from: OnceCell::new(),
            to: OnceCell::new(),
            request_uri: OnceCell::new(),
            end_to_end: OnceCell::new(),
            agreed: OnceCell::new(),
            attested: OnceCell::new(),
            ways: OnceCell::new(),
            described: RefCell::default(),
            only_counts: Cell::new(false),
        }
    }

    pub(super) fn is_method(&self, (method, name): &(Method, String)) -> bool {
        self.call.method == *method && (method.name().is_some() || method_name(self.call) == *name)
    }

    pub(super) fn method(&self) -> String {
        method_name(self.call)
    }

    /// `INVITE sip:alice@example.com -> sip:bob@example.org`
    pub(super) fn title(&self) -> String {
        let or = |text: Option<&str>| text.unwrap_or("?").to_owned();
        let (from, to) = (or(self.from()), or(self.to()));
        format!("{} {from} -> {to}", self.method())
    }

    pub(super) fn from(&self) -> Option<&str> {
        self.from.get_or_init(|| self.call.from()).as_deref()
    }

    pub(super) fn to(&self) -> Option<&str> {
        self.to.get_or_init(|| self.call.to()).as_deref()
    }

    pub(super) fn request_uri(&self) -> Option<&str> {
        let read = || self.call.request_uri();
        self.request_uri.get_or_init(read).as_deref()
    }

    pub(super) fn agreed(&self) -> &(Option<String>, Vec<Proof>) {
        self.agreed.get_or_init(|| media::agreed(self.call))
    }

    pub(super) fn attested(&self) -> &(Option<String>, Vec<Proof>) {
        self.attested.get_or_init(|| attested(self.call))
    }

    pub(super) fn ways(&self) -> &(Rtp, Words) {
        self.ways.get_or_init(|| media::ways(self.call))
    }

    pub(super) fn media(&self, stored: &'a Stored) -> Rc<[Media]> {
        let mut known = self.described.borrow_mut();
        let read = || sdp::media(stored.message().body()).into();
        known.entry(stored).or_insert_with(read).clone()
    }

    pub(super) fn has_call_id(&self, wanted: &Pattern) -> bool {
        let mut ids = self.call.all_legs().filter_map(Call::call_id);
        ids.any(|id| wanted.fits(id.as_bytes()))
    }

    // Of the request that began the call.
    pub(super) fn has_header(&self, name: &str, wanted: &Wanted) -> bool {
        let first = self.call.request().or_else(|| self.call.first());
        first.is_some_and(|first| has_header(first, name, wanted))
    }

    /// Every message once, where it was seen first: what a proxy hands on is the same message.
    pub(super) fn end_to_end(&self) -> &[(Side, &'a Stored)] {
        self.end_to_end.get_or_init(|| {
            let mut seen: HashMap<_, [_; 2]> = HashMap::new();
            let mut all = Vec::new();
            for (_, stored) in self.call.originals().take(MOST_MESSAGES) {
                let head = &stored.head;
                let to_tag = head.code().map(|_| stored.keys.to_tag);
                let key = (
                    head.method,
                    head.code(),
                    head.cseq,
                    stored.keys.from_tag,
                    to_tag,
                );
                let hop = [stored.stamp.source, stored.stamp.destination];
                // On the same hop it is another message, whatever its numbers say.
                let first = *seen.entry(key).or_insert(hop);
                if first == hop {
                    all.push((side(self.call, stored), stored));
                }
            }
            all
        })
    }

    /// Every message on every hop, each as often as it was handed on.
    pub(super) fn on_every_hop(&self) -> Vec<(Side, &'a Stored)> {
        let mut all = Vec::new();
        for leg in self.call.all_legs() {
            let originals = leg.originals().take(MOST_MESSAGES);
            all.extend(originals.map(|(_, stored)| (side(leg, stored), stored)));
        }
        all
    }

    /// The first message of this name after the one given, on its way from end to end.
    pub(super) fn first(&self, name: &Name, after: usize) -> Option<(usize, &'a Stored)> {
        let messages = self.end_to_end().iter().enumerate().skip(after);
        let mut named = messages.filter(|(_, (side, stored))| name.fits_from(*side, stored));
        named.next().map(|(index, (_, stored))| (index, *stored))
    }

    /// The start line of what decided the call, else of what began it.
    pub(super) fn deciding(&self) -> Vec<Proof> {
        if self.only_counts.get() {
            return Vec::new();
        }
        let decisive = self.call.deciding().or_else(|| self.call.first());
        decisive.map(start_line).into_iter().collect()
    }

    /// What a finding shows.
    pub(super) fn shown_by(&self, finding: &Finding) -> Vec<Proof> {
        if self.only_counts.get() {
            return Vec::new();
        }
        let full = (self.prove)();
        let same = |f: &&Finding| f.rule.id == finding.rule.id && f.leg == finding.leg;
        let Some(found) = full.findings.iter().find(same) else {
            return self.deciding();
        };
        let leg = self.call.leg(found.leg);
        let shown = found.evidence.iter().take(3).filter_map(|evidence| {
            let stored = leg.messages.get(evidence.message()?)?;
            Some(match evidence {
                crate::diagnose::Evidence::Excerpt { line, .. } => {
                    proof(stored, line.of(&stored.raw))
                }
                _ => start_line(stored),
            })
        });
        shown.collect()
    }

    /// The start line of its first message.
    pub(super) fn beginning(&self) -> Option<Proof> {
        self.call.first().map(start_line)
    }

    pub(super) fn fallen(&self, failures: Vec<Failure>) -> Fallen {
        Fallen {
            id: self.call.id,
            title: self.title(),
            input: self
                .call
                .first()
                .map_or(0, |first| first.stamp.origin.input),
            failures,
        }
    }
}

pub(super) fn side(call: &Call, stored: &Stored) -> Side {
    match call.is_by_caller(stored) {
        true => Side::First,
        false => Side::Second,
    }
}

pub(super) fn has_header(stored: &Stored, name: &str, wanted: &Wanted) -> bool {
    let values = stored.message().all(name);
    wanted.fits(values.map(|header| unfold(header.value.of(&stored.raw))))
}

/// A line of a message as proof.
pub(super) fn proof(stored: &Stored, line: &[u8]) -> Proof {
    let stamp = &stored.stamp;
    let line = mask(line.get(..LONGEST_LINE).unwrap_or(line));
    Proof {
        input: stamp.origin.input,
        place: stamp.origin.place,
        is_line: stamp.lines > 0,
        time: stored.time(),
        hop: [stamp.source, stamp.destination],
        line: lossy(&unfold(&line)),
    }
}

pub(super) fn start_line(stored: &Stored) -> Proof {
    proof(stored, stored.message().start_line().of(&stored.raw))
}
