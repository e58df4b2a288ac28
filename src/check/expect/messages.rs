//! Headers and session descriptions of named messages.

use super::Failure;
use super::facts::{Facts, has_header, proof, start_line};
use super::judge::{between, failure, named};
use super::media::is_codec;
use super::name::Name;
use super::pattern::{Pattern, Wanted};
use crate::lang::words::Words;
use crate::message::sdp::Media;
use crate::session::Stored;
use smallvec::SmallVec;

/// Lines of a body that are looked at.
const MOST_LINES: usize = 1000;

/// Which of the messages of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picked {
    First,
    Last,
    Every,
}

impl Picked {
    /// As the file has them, what counts where it is silent first.
    pub(super) const ALL: [(&'static str, Picked); 3] = [
        ("first", Picked::First),
        ("last", Picked::Last),
        ("every", Picked::Every),
    ];
}

/// What has to stand in a message.
#[derive(Debug)]
pub(super) struct MessageCheck {
    pub(super) name: Name,
    pub(super) which: Picked,
    /// Only between these two systems.
    pub(super) between: Option<[Pattern; 2]>,
    pub(super) start_line: Option<Wanted>,
    pub(super) headers: Vec<(String, Wanted)>,
    pub(super) sdp: Vec<Sdp>,
}

/// What has to stand in a session description.
#[derive(Debug)]
pub(super) enum Sdp {
    /// Is there to be one?
    There(bool),
    /// The audio codecs, in order; tones and comfort noise as well.
    Codecs(Vec<String>),
    Direction(Pattern),
    Profile(Pattern),
    Address(Pattern),
    /// A line has to be like this.
    Line(Pattern),
    /// No line may be like this.
    NoLine(Pattern),
}

impl MessageCheck {
    pub(super) fn judge(&self, facts: &Facts<'_>) -> Vec<Failure> {
        let on_hops;
        let all = match (&self.between, self.which) {
            (Some(ends), _) => match between(ends, "message", facts) {
                Ok(messages) => {
                    on_hops = messages;
                    on_hops.as_slice()
                }
                Err(failure) => return (*failure).into_iter().collect(),
            },
            // What a proxy changes on its way counts as well.
            (None, Picked::Every) => {
                on_hops = facts.on_every_hop();
                on_hops.as_slice()
            }
            (None, _) => facts.end_to_end(),
        };
        let fitting = all
            .iter()
            .filter(|(side, stored)| self.name.fits_from(*side, stored));
        let mut fitting: SmallVec<[&Stored; 4]> = fitting.map(|(_, stored)| *stored).collect();
        match self.which {
            Picked::First => fitting.truncate(1),
            Picked::Last => drop(fitting.drain(..fitting.len().saturating_sub(1))),
            Picked::Every => {}
        }
        if fitting.is_empty() {
            let name = self.name.to_string();
            let expected = Words::label("a message {name}").with("name", name);
            let none = failure("message", expected, Words::label("none"), facts.deciding());
            return none.into_iter().collect();
        }
        fitting
            .into_iter()
            .flat_map(|stored| self.look(stored, facts))
            .collect()
    }

    fn look<'a>(&self, stored: &'a Stored, facts: &Facts<'a>) -> Vec<Failure> {
        let mut all = Vec::new();
        let start = stored.message().start_line().of(&stored.raw);
        if let Some(wanted) = &self.start_line
            && !wanted.fits(std::iter::once(start.into()))
        {
            let expected = Words::label("start line {line}").with("line", wanted.shown());
            all.extend(failure(
                "start-line",
                within(expected, stored),
                Words::label("another one"),
                vec![start_line(stored)],
            ));
        }
        for (name, wanted) in &self.headers {
            if !has_header(stored, name, wanted) {
                all.extend(header(stored, name, wanted));
            }
        }
        for wanted in &self.sdp {
            all.extend(wanted.judge(stored, &facts.media(stored)));
        }
        all
    }
}

/// The same, and the message in which it has to hold.
fn within(what: Words, stored: &Stored) -> Words {
    let what = Words::label("{what} in {message}").with("what", what);
    what.with("message", named(stored))
}

fn header(stored: &Stored, name: &str, wanted: &Wanted) -> Option<Failure> {
    let lines = stored.message().all(name).take(4);
    let lines = lines.filter_map(|h| stored.raw.get(h.name.start as usize..h.value.end as usize));
    let mut shown: Vec<_> = lines.map(|line| proof(stored, line)).collect();
    let found = match (wanted, shown.is_empty()) {
        (_, true) => "no such header",
        (Wanted::Absent, _) => "it is there",
        _ => "another value",
    };
    if shown.is_empty() {
        shown.push(start_line(stored));
    }
    let expected = Words::List(vec![name.into(), wanted.shown()], " ");
    let expected = within(expected, stored);
    failure("headers", expected, Words::label(found), shown)
}

impl Sdp {
    fn judge(&self, stored: &Stored, media: &[Media]) -> Option<Failure> {
        let body = stored.message().body();
        let line = |line: &[u8]| match line.is_empty() {
            true => vec![start_line(stored)],
            false => vec![proof(stored, line)],
        };
        let told = |what: Words| within(what, stored);
        let Some(first) = media.iter().find(|m| m.kind == "audio").or(media.first()) else {
            return match self {
                Sdp::There(false) | Sdp::NoLine(_) => None,
                _ => {
                    let expected = told(Words::label("a session description"));
                    failure("sdp", expected, Words::label("none"), line(b""))
                }
            };
        };
        let shown_by = || {
            let span = match self {
                Sdp::Direction(_) => first.says_direction(),
                Sdp::Address(_) => first.connection,
                _ => first.line,
            };
            line(span.of(body))
        };
        let like = |what: &'static str, wanted: &Pattern, found: &str| match wanted
            .fits(found.as_bytes())
        {
            true => None,
            false => {
                let expected = told(Words::label(what).with("wanted", wanted.shown()));
                failure("sdp", expected, found, shown_by())
            }
        };
        let mut lines = body
            .split(|b| *b == b'\n')
            .map(<[u8]>::trim_ascii_end)
            .take(MOST_LINES);
        match self {
            Sdp::There(true) => None,
            Sdp::There(false) => failure(
                "sdp",
                told(Words::label("no session description")),
                Words::label("one"),
                shown_by(),
            ),
            Sdp::Codecs(wanted) => {
                let names: Vec<&str> = first.codecs.iter().map(|c| c.name.as_str()).collect();
                let same = names.len() == wanted.len()
                    && names
                        .iter()
                        .zip(wanted)
                        .all(|(name, wanted)| is_codec(name, wanted));
                if same {
                    return None;
                }
                let list = Words::label("the codecs {list}").with("list", wanted.join(", "));
                let expected = told(list);
                failure("sdp", expected, names.join(", "), shown_by())
            }
            Sdp::Direction(wanted) => like("direction {wanted}", wanted, first.direction.name()),
            Sdp::Profile(wanted) => like("profile {wanted}", wanted, &first.profile),
            Sdp::Address(wanted) => like(
                "address {wanted}",
                wanted,
                first.address.as_deref().unwrap_or("none"),
            ),
            Sdp::Line(wanted) => match lines.any(|line| wanted.fits(line)) {
                true => None,
                false => {
                    let expected = told(Words::label("a line {line}").with("line", wanted.shown()));
                    failure("sdp", expected, Words::label("no such line"), shown_by())
                }
            },
            Sdp::NoLine(unwanted) => {
                let found = lines.find(|line| unwanted.fits(line))?;
                let expected = told(Words::label("no line {line}").with("line", unwanted.shown()));
                failure("sdp", expected, Words::label("it is there"), line(found))
            }
        }
    }
}
