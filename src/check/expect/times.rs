//! Times from one message to another.

use super::Failure;
use super::facts::{Facts, start_line};
use super::judge::failure;
use super::limit::{Limit, shown};
use super::name::Name;
use crate::lang::words::Words;
use crate::message::Method;
use crate::session::Stored;

/// A time that has a name, counted from the request that began the call; `ack` from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// The first 100.
    Trying,
    /// The first 101 to 199.
    Ringing,
    /// The final response that decided the call.
    Final,
    /// The ACK to that.
    Ack,
}

/// A time that has a limit.
#[derive(Debug)]
pub(super) enum Span {
    To(Point, Limit),
    Between { from: Name, to: Name, within: Limit },
}

impl Point {
    /// The keys of the file.
    pub(super) const ALL: [(&'static str, Point); 4] = [
        ("trying", Point::Trying),
        ("ringing", Point::Ringing),
        ("final", Point::Final),
        ("ack", Point::Ack),
    ];

    fn key(self) -> &'static str {
        match self {
            Point::Trying => "times.trying",
            Point::Ringing => "times.ringing",
            Point::Final => "times.final",
            Point::Ack => "times.ack",
        }
    }

    // The message that begins the time, and the one that ends it.
    fn ends<'a>(self, facts: &Facts<'a>) -> [Option<&'a Stored>; 2] {
        let call = facts.call;
        let of_beginning = |stored: &&Stored| call.is_of_beginning(stored);
        match self {
            Point::Trying => {
                let trying = |m: &&Stored| m.head.code() == Some(100);
                let mut messages = call.messages.iter().filter(trying);
                [call.request(), messages.find(of_beginning)]
            }
            Point::Ringing => [call.request(), call.ringing()],
            Point::Final => [call.request(), call.deciding()],
            Point::Ack => {
                let answer = call.deciding();
                let of_answer = |ack: &&Stored| {
                    answer.is_some_and(|a| a.head.cseq == ack.head.cseq && a.time() <= ack.time())
                };
                let mut acks = call.requests(Method::Ack).map(|(_, m)| m);
                [answer, acks.find(of_answer)]
            }
        }
    }
}

impl Span {
    pub(super) fn judge(&self, facts: &Facts<'_>) -> Option<Failure> {
        match self {
            Span::To(point, limit) => {
                let first = || Words::label("first request");
                let answer = || Words::label("final response");
                let names = match point {
                    Point::Trying => [first(), "100".into()],
                    Point::Ringing => [first(), "18x".into()],
                    Point::Final => [first(), answer()],
                    Point::Ack => [answer(), "ACK".into()],
                };
                took(point.key(), *limit, names, point.ends(facts))
            }
            Span::Between { from, to, within } => {
                let first = facts.first(from, 0);
                let second = first.and_then(|(index, _)| facts.first(to, index + 1));
                let ends = [first, second].map(|found| Some(found?.1));
                let names = [from, to].map(|name| Words::Plain(name.to_string()));
                let failed = took("between", *within, names.clone(), ends)?;
                let [from, to] = names;
                let expected = Words::label("{limit} from {from} to {to}");
                let expected = expected.with("limit", failed.expected);
                let expected = expected.with("from", from).with("to", to);
                Some(Failure { expected, ..failed })
            }
        }
    }
}

fn took(
    key: &'static str,
    limit: Limit,
    names: [Words; 2],
    ends: [Option<&Stored>; 2],
) -> Option<Failure> {
    let [from, to] = ends;
    let [first, second] = names;
    let times = from.and_then(Stored::time).zip(to.and_then(Stored::time));
    let found = match (from, to, times) {
        (_, _, Some((from, to))) if limit.holds(to - from) => return None,
        (_, _, Some((from, to))) => shown(to - from).into(),
        (None, ..) => Words::label("no {message} was recorded").with("message", first),
        (_, None, _) => Words::label("no {message}").with("message", second),
        _ => Words::label("the times are not known"),
    };
    let proof = ends.into_iter().flatten().map(start_line).collect();
    failure(key, limit.told(), found, proof)
}
