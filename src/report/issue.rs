//! Findings with their places, for formats that list what is wrong and where.

use super::case;
use super::mask::mask;
use super::terminal::escape::{clean, show};
use super::terminal::{elsewhere, result};
use super::{Options, Prove, Run};
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::{Acts, Diagnosis, Evidence, Finding, Role, Rule, Severity, asides};
use crate::input::Origin;
use crate::session::{Call, Outcome, Stored};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What an issue without a rule is called.
pub(super) const UNDETERMINED: &str = "undetermined";
/// Columns of a line of proof.
const WIDTH: usize = 120;

/// Something wrong, or worth knowing; every text is one line and safe for a terminal.
pub(super) struct Issue {
    /// The rule; none for a failure that no rule explains.
    pub(super) rule: Option<&'static Rule>,
    pub(super) severity: Severity,
    /// How sure it is, and what it is to the outcome.
    pub(super) sure: Option<(&'static str, &'static str)>,
    pub(super) title: String,
    pub(super) why: String,
    pub(super) fix: String,
    /// The call and what came of it; empty for a finding about a peer or the capture.
    pub(super) about: String,
    pub(super) acts: Option<Acts>,
    /// The call, and its Call-ID.
    pub(super) call: Option<(u64, String)>,
    /// Where it is to be seen, the most telling place first; at least one.
    pub(super) places: Vec<Place>,
    /// The same in each run over the same calls, and for no other issue of the run.
    pub(super) fingerprint: String,
}

/// A frame of a capture, or lines of a log.
pub(super) struct Place {
    pub(super) path: Arc<str>,
    pub(super) input: u16,
    pub(super) frame: Option<u64>,
    pub(super) lines: Option<(u64, u64)>,
    /// What is to be seen there.
    pub(super) note: String,
}

impl Place {
    fn new(origin: Origin, lines: u64, note: String, options: &Options) -> Place {
        let at = origin.place;
        Place {
            path: options.paths.of(origin.input),
            input: origin.input,
            frame: (lines == 0).then_some(at),
            lines: (lines > 0).then(|| (at, at + lines.saturating_sub(1))),
            note,
        }
    }

    fn of(stored: &Stored, note: String, options: &Options) -> Place {
        let stamp = &stored.stamp;
        Place::new(stamp.origin, stamp.lines.into(), note, options)
    }

    /// `frame 12` or `line 40`, which is what people look up.
    pub(super) fn spot(&self, options: &Options) -> String {
        let lang = options.lang;
        match (self.frame, self.lines) {
            (Some(frame), _) => format!("{} {frame}", lang.word("frame")),
            (None, Some((line, _))) => format!("{} {line}", lang.word("line")),
            (None, None) => String::new(),
        }
    }
}

impl Issue {
    /// The id of its rule.
    pub(super) fn id(&self) -> &'static str {
        self.rule.map_or(UNDETERMINED, |rule| rule.id)
    }

    fn with_fingerprint(mut self, number: usize) -> Issue {
        let path = self.places.first().map_or("", |place| &*place.path);
        let call = self.call.as_ref().map_or(0, |(id, _)| *id);
        let identity = format!("{}\0{path}\0{call}\0{number}", self.id());
        self.fingerprint = fingerprint(&identity);
        self
    }
}

/// 32 hexadecimal digits that are the same for the same identity.
pub(super) fn fingerprint(identity: &str) -> String {
    let hash = Sha256::digest(identity.as_bytes());
    let hex = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    hex.collect()
}

/// The same of a call that was judged; nothing where it went well and there is nothing to say.
pub(super) fn of_judged(
    call: &Call,
    diagnosis: &Diagnosis,
    prove: Prove<'_>,
    options: &Options,
) -> Vec<Issue> {
    match diagnosis.findings.is_empty() && call.told() == Outcome::Succeeded {
        true => Vec::new(),
        false => of_call(call, &prove(), options),
    }
}

/// What is wrong with a call, or worth knowing of it: the cause first; what only follows is left out.
pub(super) fn of_call(call: &Call, proof: &Diagnosis, options: &Options) -> Vec<Issue> {
    let lang = options.lang;
    let colon = lang.word(": ");
    let came = clean(&result(call, lang));
    let about = format!("{}{colon}{came}", case::name(call, options));
    let own = Some((call.id, clean(&call.call_id().unwrap_or_default())));
    let mut found: Vec<&Finding> = proof.findings.iter().collect();
    found.retain(|finding| finding.role != Role::Symptom);
    found.sort_by_key(|finding| (finding.role, finding.severity));
    let of_finding = |finding: &&Finding| Issue {
        about: about.clone(),
        call: own.clone(),
        places: places(call, finding, options),
        ..bare(finding, options)
    };
    let mut all: Vec<Issue> = found.iter().map(of_finding).collect();
    let short = call.told().is_negative();
    if let Some(undetermined) = proof.undetermined.as_ref().filter(|_| short) {
        let seen = call.deciding().into_iter().chain(call.first());
        let issue = Issue {
            rule: None,
            severity: Severity::Error,
            sure: None,
            title: came,
            why: clean(&lang.undetermined(&undetermined.why)),
            fix: clean(&format!(
                "{}{colon}{}",
                lang.word("would help"),
                lang.undetermined(&undetermined.would_help)
            )),
            about: case::name(call, options),
            acts: proof.blame.as_ref().map(|blame| blame.acts),
            call: own,
            places: seen.map(|m| Place::of(m, start_line(m), options)).collect(),
            fingerprint: String::new(),
        };
        all.insert(0, issue);
    }
    // What fails the run is no notice.
    let fails = !options.fail_on.is_empty() && options.falls_short(call, proof);
    if let Some(first) = all.first_mut().filter(|_| fails) {
        first.severity = Severity::Error;
    }
    let numbered = all.into_iter().enumerate();
    let done = numbered.map(|(number, issue)| issue.with_fingerprint(number));
    done.filter(|issue| !issue.places.is_empty()).collect()
}

/// What is wrong with peers and captures as a whole.
pub(super) fn at_the_end(run: &Run<'_>, options: &Options) -> Vec<Issue> {
    let mut all = Vec::new();
    for (number, found) in run.findings.iter().enumerate() {
        let issue = Issue {
            places: places_across(found, options),
            ..bare(&found.finding, options)
        };
        all.push(issue.with_fingerprint(number));
    }
    all
}

fn bare(finding: &Finding, options: &Options) -> Issue {
    let lang = options.lang;
    Issue {
        rule: Some(finding.rule),
        severity: finding.severity,
        sure: Some((finding.confidence.word(), finding.role.word())),
        title: case::title(finding, options),
        why: clean(&lang.rule(finding.rule, finding.why, &finding.args)),
        fix: clean(&lang.fix(finding)),
        about: String::new(),
        acts: Some(finding.acts),
        call: None,
        places: Vec::new(),
        fingerprint: String::new(),
    }
}

fn start_line(stored: &Stored) -> String {
    let line = stored.message().start_line().of(&stored.raw);
    show(line, 0, 0, WIDTH).text
}

// One place a message: the first proof in it speaks for it.
fn places(call: &Call, finding: &Finding, options: &Options) -> Vec<Place> {
    let leg = call.leg(finding.leg);
    let mut all: Vec<Place> = Vec::new();
    for evidence in &finding.evidence {
        let mut args = finding.args.clone();
        let note = evidence.note();
        args.0.extend(note.args.0.iter().cloned());
        let note = clean(&options.lang.rule(finding.rule, note.id, &args));
        let stored = evidence.message().and_then(|index| leg.messages.get(index));
        let place = match (evidence, stored) {
            (Evidence::Elsewhere { spot, .. }, _) => {
                let note = format!("{} ({note})", elsewhere(spot, options.lang));
                Place::new(spot.origin, u64::from(spot.of_log), note, options)
            }
            (_, None) => continue,
            (Evidence::Beside { aside, .. }, _) => {
                let Some(aside) = leg.asides.get(*aside) else {
                    continue;
                };
                let said = clean(&options.lang.aside(&asides::aside(leg, aside)));
                Place::new(aside.origin, 0, format!("{said} ({note})"), options)
            }
            (Evidence::Excerpt { line, mark, .. }, Some(stored)) => {
                let from = mark.start.saturating_sub(line.start) as usize;
                let until = mark.end.saturating_sub(line.start) as usize;
                let shown = show(&mask(line.of(&stored.raw)), from, until, WIDTH).text;
                Place::of(stored, format!("{shown} ({note})"), options)
            }
            (Evidence::Absence { .. }, Some(stored)) => Place::of(stored, note, options),
            (Evidence::Decoded { text, .. }, Some(stored)) => {
                let shown = show(&mask(text.as_bytes()), 0, 0, WIDTH).text;
                Place::of(stored, format!("{shown} ({note})"), options)
            }
        };
        let same = |other: &Place| {
            (other.input, other.frame, other.lines) == (place.input, place.frame, place.lines)
        };
        if !all.iter().any(same) {
            all.push(place);
        }
    }
    if all.is_empty() {
        let stored = call.deciding().or(call.first());
        all.extend(stored.map(|m| Place::of(m, start_line(m), options)));
    }
    all
}

fn places_across(found: &CaptureFinding, options: &Options) -> Vec<Place> {
    let shown = found.exhibits.iter().map(|(exhibit, note)| {
        let mut args = found.finding.args.clone();
        args.0.extend(note.args.0.iter().cloned());
        let note = clean(&options.lang.rule(found.finding.rule, note.id, &args));
        let shown = match &exhibit.beside {
            Some(said) => clean(&options.lang.aside(said)),
            None => show(&mask(&exhibit.text), 0, 0, WIDTH).text,
        };
        let note = format!("{shown} ({note})");
        Place::new(exhibit.origin, u64::from(exhibit.of_log), note, options)
    });
    let mut all: Vec<Place> = shown.collect();
    if all.is_empty() {
        // Of the capture as a whole.
        all.push(Place {
            path: options.paths.of(0),
            input: 0,
            frame: None,
            lines: None,
            note: String::new(),
        });
    }
    all
}
