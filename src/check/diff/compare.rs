//! Two sketches to differences, each once however many messages show it.

use super::fact::{Fact, Topic};
use super::rank::{self, Ranked};
use super::sketch::{Role, Sketch, Step, Turn};
use crate::lang::words::Words;
use std::collections::HashMap;

/// Differences kept; more are counted.
const MOST: usize = 1000;
/// A delay that is so much longer (nanoseconds) and so many times as long is a difference.
const LONGER: (i64, i64) = (400_000_000, 4);
/// What an answer says of itself stands before all else that follows from the failure.
const TOLD: i32 = 60;
/// How long a person takes to answer says nothing below this, nanoseconds.
const HUMAN: i64 = 20_000_000_000;

/// One side of a difference.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Number of the step in its sketch; `None` where there is none.
    pub step: Option<usize>,
    /// The value; `None` where there is none.
    pub value: Option<Words>,
    /// The line that proves it.
    pub line: String,
}

/// Something that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What it is about.
    pub topic: Topic,
    /// What it is.
    pub what: Words,
    /// Name of the header or begin of the line of the body.
    pub field: String,
    /// Is the message there in one call only?
    pub is_message: bool,
    /// In the good call.
    pub good: Shown,
    /// In the bad call.
    pub bad: Shown,
    /// Further messages that show the same.
    pub also: usize,
    /// Was it only to be seen after the call had failed?
    pub is_after: bool,
    /// Added to the weight of the topic.
    pub more: i32,
}

/// What came of two calls.
#[derive(Debug)]
pub struct Comparison {
    /// The differences, the most telling first.
    pub all: Vec<Ranked>,
    /// Differences that found no room.
    pub left_out: usize,
}

/// Sets two calls side by side.
pub fn compare(good: &Sketch, bad: &Sketch) -> Comparison {
    let mut found = Found::default();
    let roles = |sketch: &Sketch| -> HashMap<Role, usize> {
        let steps = sketch.steps.iter().enumerate();
        steps.map(|(at, step)| (step.role.clone(), at)).collect()
    };
    let (of_good, of_bad) = (roles(good), roles(bad));
    for (at, step) in bad.steps.iter().enumerate() {
        match of_good
            .get(&step.role)
            .and_then(|g| Some((*g, good.steps.get(*g)?)))
        {
            Some((g, other)) => found.pair((g, other), (at, step)),
            None => found.lone(None, Some((at, step)), good, bad),
        }
    }
    for (at, step) in good.steps.iter().enumerate() {
        if !of_bad.contains_key(&step.role) {
            found.lone(Some((at, step)), None, good, bad);
        }
    }
    found.rtp(good, bad);
    Comparison {
        all: rank::rank(found.all, bad),
        left_out: found.left_out,
    }
}

#[derive(Default)]
struct Found {
    all: Vec<Difference>,
    known: HashMap<(Topic, String, String), usize>,
    left_out: usize,
    /// The first step of the good call that the bad one has not.
    gone: Option<usize>,
}

impl Found {
    // The same difference on the next hop, or in the next attempt, is the same difference.
    fn add(&mut self, new: Difference) {
        // A delay is handed on with what the hop adds to it.
        let values = match new.topic {
            Topic::Timing => String::new(),
            _ => format!("{:?}\n{:?}", new.good.value, new.bad.value),
        };
        let known = (new.topic, new.what.english(), values);
        let known = self.known.entry(known);
        let at = *known.or_insert(self.all.len());
        let room = self.all.len() < MOST;
        match self.all.get_mut(at) {
            Some(before) => before.also += 1,
            None if room => self.all.push(new),
            None => self.left_out += 1,
        }
    }

    fn pair(&mut self, (g, good): (usize, &Step), (b, bad): (usize, &Step)) {
        let plain = |step, value: Words, line: &str| Shown {
            step: Some(step),
            value: Some(value),
            line: line.to_owned(),
        };
        let mut say = |topic, what: Words, values: [Words; 2], more| {
            let [of_good, of_bad] = values;
            self.add(Difference {
                topic,
                what,
                field: String::new(),
                is_message: false,
                good: plain(g, of_good, &good.start),
                bad: plain(b, of_bad, &bad.start),
                also: 0,
                is_after: bad.is_after,
                more,
            });
        };
        let class = |step: &Step| step.code.map(|code| code / 100);
        if good.code != bad.code {
            let code = |step: &Step| {
                let code = step.code.map(|code| code.to_string());
                Words::Plain(code.unwrap_or_default())
            };
            let minor = if bad.role.part == Turn::Final { 0 } else { -14 };
            say(
                Topic::Code,
                Words::label("answer"),
                [code(good), code(bad)],
                minor,
            );
        }
        if good.repeats != bad.repeats {
            let times = |step: &Step| match step.repeats {
                0 => Words::label("once"),
                more => Words::label("{count} times").with("count", (more + 1).to_string()),
            };
            say(
                Topic::Repeats,
                Words::label("sending"),
                [times(good), times(bad)],
                0,
            );
        }
        if let (Some(before), Some(after)) = (good.delay, bad.delay)
            && is_longer(before, after, bad)
        {
            let seconds = |delay: i64| {
                let seconds = format!("{:.3}", delay as f64 / 1e9);
                Words::label("{a} s").with("a", seconds)
            };
            let [before, after] = [before, after].map(seconds);
            let what = Words::label("delay of {name}").with("name", bad.name.clone());
            say(Topic::Timing, what, [before, after], 0);
        }
        match class(good) == class(bad) {
            true => self.facts((g, good), (b, bad)),
            false if bad.code.is_some_and(|code| code >= 300) => self.says((g, good), (b, bad)),
            false => {}
        }
    }

    fn facts(&mut self, (g, good): (usize, &Step), (b, bad): (usize, &Step)) {
        let keyed = |step: &'_ Step| -> HashMap<(Topic, String), Fact> {
            let facts = step.facts.iter().rev();
            facts
                .map(|fact| ((fact.topic, fact.what.english()), fact.clone()))
                .collect()
        };
        let (of_good, of_bad) = (keyed(good), keyed(bad));
        let has_sdp = |step: &Step| step.has(Topic::Codec, "media");
        let both_sdp = has_sdp(good) == has_sdp(bad);
        let mut keys: Vec<&(Topic, String)> = of_good.keys().collect();
        keys.extend(of_bad.keys().filter(|key| !of_good.contains_key(*key)));
        keys.sort();
        for key in keys {
            let (in_good, in_bad) = (of_good.get(key), of_bad.get(key));
            let is_detail = is_detail(key, in_good.zip(in_bad).is_some(), both_sdp);
            let order = key.1.starts_with("order of the");
            // Where the form of a number differs, so does the number.
            if let Some(place) = key.1.strip_prefix("user ") {
                let place = place.trim_start_matches("of ").trim_start_matches("in ");
                let form = (Topic::Uri, format!("form of the number in {place}"));
                if !same(of_good.get(&form), of_bad.get(&form)) {
                    continue;
                }
            }
            let differs = sorted(in_good) != sorted(in_bad);
            if same(in_good, in_bad) || is_detail || (order && differs) {
                continue;
            }
            let Some(any) = in_bad.or(in_good) else {
                continue;
            };
            let shown = |fact: Option<&Fact>, step: usize, start: &str| Shown {
                step: Some(step),
                value: fact.map(|fact| fact.text().clone()),
                line: fact.map_or(start.to_owned(), |fact| fact.line.clone()),
            };
            self.add(Difference {
                topic: any.topic,
                what: any.what.clone(),
                field: any.field.clone(),
                is_message: false,
                good: shown(in_good, g, &good.start),
                bad: shown(in_bad, b, &bad.start),
                also: 0,
                is_after: bad.is_after,
                more: any.more.max(in_good.map_or(any.more, |f| f.more)),
            });
        }
    }

    // What is heard is seen in no message: the last answer that has a counterpart stands for the talk.
    fn rtp(&mut self, good: &Sketch, bad: &Sketch) {
        if good.rtp == bad.rtp {
            return;
        }
        let side = |sketch: &Sketch| {
            let accepted = |step: &Step| step.code.is_some_and(|code| code / 100 == 2);
            let step = sketch.steps.iter().position(accepted);
            let step = step.or(sketch.steps.len().checked_sub(1));
            let line = step.and_then(|at| sketch.steps.get(at));
            Shown {
                step,
                value: Some(sketch.rtp.map_or(Words::label("none"), Words::from)),
                line: line.map_or(String::new(), |step| step.start.clone()),
            }
        };
        self.add(Difference {
            topic: Topic::Rtp,
            what: "RTP".into(),
            field: String::new(),
            is_message: false,
            good: side(good),
            bad: side(bad),
            also: 0,
            is_after: bad.is_refused,
            more: 0,
        });
    }

    // What a refusal says of itself.
    fn says(&mut self, (g, good): (usize, &Step), (b, bad): (usize, &Step)) {
        const TELLING: [&str; 4] = ["Warning", "Reason", "Retry-After", "Error-Info"];
        let values = bad.facts.iter().filter(|fact| fact.topic == Topic::Value);
        for fact in values.filter(|fact| TELLING.contains(&fact.field.as_str())) {
            self.add(Difference {
                topic: fact.topic,
                what: fact.what.clone(),
                field: fact.field.clone(),
                is_message: false,
                good: Shown {
                    step: Some(g),
                    value: None,
                    line: good.start.clone(),
                },
                bad: Shown {
                    step: Some(b),
                    value: Some(fact.text().clone()),
                    line: fact.line.clone(),
                },
                also: 0,
                is_after: true,
                more: TOLD,
            });
        }
    }

    // A message without a counterpart.
    fn lone(
        &mut self,
        in_good: Option<(usize, &Step)>,
        in_bad: Option<(usize, &Step)>,
        good: &Sketch,
        bad: &Sketch,
    ) {
        let Some((at, step)) = in_good.or(in_bad) else {
            return;
        };
        if step.role.part == Turn::Acknowledge {
            return;
        }
        let credentials = step.has(Topic::Auth, "credentials");
        let failed = bad.steps.iter().any(|step| step.is_after);
        // What the bad call did not come to; of it the first message may be what it lacked.
        let is_after = match in_bad {
            Some((_, step)) => step.is_after,
            None => (failed || *self.gone.get_or_insert(at) < at) && !credentials,
        };
        let side = |this: Option<(usize, &Step)>, other: &Sketch| Shown {
            step: this.map(|(at, _)| at).or(other.steps.len().checked_sub(1)),
            value: this.map(|(_, step)| step.name.clone()),
            line: match this {
                Some((_, step)) => step.start.clone(),
                None => other
                    .steps
                    .last()
                    .map_or(String::new(), |last| last.start.clone()),
            },
        };
        self.add(Difference {
            topic: if credentials {
                Topic::Auth
            } else {
                Topic::Message
            },
            what: match credentials {
                true => Words::label("{name} with credentials").with("name", step.name.clone()),
                false => step.name.clone(),
            },
            field: String::new(),
            is_message: true,
            good: side(in_good, good),
            bad: side(in_bad, bad),
            also: 0,
            is_after,
            more: if step.role.part == Turn::Request {
                0
            } else {
                -6
            },
        });
    }
}

fn same(good: Option<&Fact>, bad: Option<&Fact>) -> bool {
    good.map(|fact| &fact.value) == bad.map(|fact| &fact.value)
}

// Of what is not there nothing more is told than that.
fn is_detail((topic, what): &(Topic, String), in_both: bool, both_sdp: bool) -> bool {
    if in_both {
        return false;
    }
    let told = match topic {
        Topic::Auth => ["challenge in", "credentials in"]
            .iter()
            .any(|b| what.starts_with(b)),
        Topic::Attestation => what == "Identity",
        Topic::Codec | Topic::Profile | Topic::Direction | Topic::Media | Topic::Attribute
            if !both_sdp =>
        {
            what == "media"
        }
        Topic::Value | Topic::Agent | Topic::Session | Topic::Supported | Topic::Size => false,
        Topic::Header => what != "type of body",
        Topic::Address | Topic::Transport | Topic::Uri => false,
        _ => true,
    };
    !told
}

fn sorted(fact: Option<&Fact>) -> Vec<String> {
    let value = fact.map(|fact| fact.value.english()).unwrap_or_default();
    let mut all: Vec<String> = value.split(", ").map(str::to_owned).collect();
    all.sort_unstable();
    all
}

fn is_longer(good: i64, bad: i64, step: &Step) -> bool {
    let answered = step.role.part == Turn::Final && step.role.method == "INVITE";
    let least = if answered { HUMAN } else { LONGER.0 };
    let (short, long) = (good.min(bad).max(1), good.max(bad));
    long - short >= least && long / short >= LONGER.1
}
