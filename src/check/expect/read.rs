//! A file of expectations: read as a whole or not at all; whatever is wrong is told with its line.

mod keys;
mod walk;

pub use keys::{Keys, TABLES};

use super::judge::{Check, Hop};
use super::limit::{Count, Limit};
use super::media::Rtp;
use super::messages::{MessageCheck, Picked, Sdp};
use super::name::{Code, Name};
use super::pattern::Pattern;
use super::sequence::{Item, MOST_PARTS, MOST_UNORDERED, Part, Sequence};
use super::times::{Point, Span};
use super::{Asked, Entry, Expectations, Which};
use crate::diagnose::rules;
use crate::message::Method;
use crate::message::header::canonical;
use crate::session::Outcome;
use crate::users_file::bounded;
use std::path::Path;
use toml::de::DeTable;
use walk::{Node, Table, Walk};

/// Entries of all files, at most.
const MOST_ENTRIES: usize = 2000;

impl Expectations {
    /// Adds the entries of a file.
    ///
    /// # Errors
    /// `FILE:LINE: what is wrong`, one a line.
    pub fn read(&mut self, path: &Path) -> Result<(), String> {
        let shown = path.display().to_string();
        let text = bounded(path).map_err(|why| format!("{shown}: {why}"))?;
        let entries = parse(&text, &shown)?;
        self.entries.extend(entries);
        match self.entries.len() {
            0 => Err(format!("{shown}: there is no [[call]] in it")),
            1..=MOST_ENTRIES => Ok(()),
            _ => Err(format!(
                "{shown}: more than {MOST_ENTRIES} expectations in all"
            )),
        }
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Entry>, String> {
    let mut walk = Walk::new(text, file);
    let entries = match DeTable::parse(text) {
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            walk.say(at, error.message().replace('\n', " "));
            Vec::new()
        }
        Ok(root) => {
            let top = Table::new(&mut walk, root.get_ref(), root.span().start, keys::TOP);
            let calls = top
                .get("call")
                .map_or(Vec::new(), |calls| calls.tables(&mut walk));
            let mut entries: Vec<Entry> = calls
                .into_iter()
                .map(|call| entry(&mut walk, call))
                .collect();
            entries.extend(top.get("others").and_then(|node| others(&mut walk, &node)));
            entries
        }
    };
    walk.done(entries)
}

// How many calls there may be that no entry is about.
fn others(walk: &mut Walk<'_>, node: &Node<'_>) -> Option<Entry> {
    Some(Entry {
        name: "calls without an expectation".to_owned(),
        place: walk.place(node.at()),
        which: Which::default(),
        count: count(walk, node)?,
        checks: Vec::new(),
        others: true,
    })
}

fn count(walk: &mut Walk<'_>, node: &Node<'_>) -> Option<Count> {
    let text = node.scalar();
    let parsed = text.as_deref().and_then(Count::parse);
    node.or_say(walk, parsed, "is no count; write 2, \"1..3\", \"2..\" or 0")
}

fn entry(walk: &mut Walk<'_>, node: Node<'_>) -> Entry {
    let Some(table) = node.table(walk, keys::CALL) else {
        return Entry {
            name: String::new(),
            place: Asked::default(),
            which: Which::default(),
            count: Count::SOME,
            checks: Vec::new(),
            others: false,
        };
    };
    let checks = table
        .get("expect")
        .and_then(|expect| expect.table(walk, keys::EXPECT));
    let checks = checks.map(|expect| expectations(walk, &expect));
    let count = table.get("count").and_then(|node| count(walk, &node));
    let count = count.unwrap_or(Count::SOME);
    if count.most == 0 && checks.is_some() {
        let what = "no call is expected here, so that nothing can hold for one";
        walk.say(node.at(), what.to_owned());
    }
    if checks.is_none() && table.get("count").is_none() {
        walk.say(
            node.at(),
            "nothing is expected of these calls: add [call.expect], or a count".to_owned(),
        );
    }
    let name = table.get("name").and_then(|name| name.text(walk));
    Entry {
        name: name.unwrap_or_else(|| "calls without a name".to_owned()),
        place: walk.place(node.at()),
        which: which(walk, &table),
        count,
        checks: checks.unwrap_or_default(),
        others: false,
    }
}

fn which(walk: &mut Walk<'_>, table: &Table<'_>) -> Which {
    let mut wanted = |key| table.get(key).and_then(|node: Node<'_>| node.uri(walk));
    Which {
        from: wanted("from"),
        to: wanted("to"),
        request_uri: wanted("request-uri"),
        call_id: table.get("call-id").and_then(|node| node.pattern(walk)),
        headers: headers(walk, table),
        method: table.get("method").and_then(|node| {
            let name = node.text(walk)?;
            let known = name.bytes().all(|b| !b.is_ascii_lowercase() && b > b' ');
            if let Some(why) = Name::slip(&name) {
                return node.or_told(walk, Err(why));
            }
            let method = known.then(|| (Method::of(name.as_bytes()), name));
            node.or_say(
                walk,
                method,
                "is no method; methods are written in capitals",
            )
        }),
    }
}

fn headers(walk: &mut Walk<'_>, table: &Table<'_>) -> Vec<(String, super::Wanted)> {
    let Some(node) = table.get("headers") else {
        return Vec::new();
    };
    let named = node.any_table(walk).unwrap_or_default();
    if node.is_empty_table() {
        walk.say(node.at(), "headers: nothing in it".to_owned());
    }
    // A token (RFC 3261 §25.1).
    let is_token = |name: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
        !name.is_empty() && name.bytes().all(fits)
    };
    let wanted = named.into_iter().filter_map(|(name, node)| {
        if !is_token(name) {
            walk.say(node.at(), format!("{name:?} is no name of a header"));
            return None;
        }
        Some((canonical(name.as_bytes()), node.wanted(walk)?))
    });
    wanted.collect()
}

fn expectations(walk: &mut Walk<'_>, table: &Table<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if table.is_empty() {
        table.say(walk, "nothing in it");
    }
    for (key, node) in table.in_order() {
        if key != "findings" && node.is_empty_list() {
            walk.say(node.at(), format!("{key}: nothing in it"));
        }
        let check = match key {
            "final" => node.any_of(walk, final_code).map(Check::Final),
            "outcome" => node.any_of(walk, outcome).map(Check::Outcome),
            "cause" => node
                .any_of(walk, |n, w| none_or(n, w, rule))
                .map(Check::Cause),
            "findings" => node.any_of(walk, rule).map(Check::Findings),
            "codec" => node
                .any_of(walk, |n, w| none_or(n, w, codec))
                .map(Check::Codec),
            "attestation" => node
                .any_of(walk, |n, w| none_or(n, w, attestation))
                .map(Check::Attestation),
            "rtp" => node.any_of(walk, rtp).map(Check::Rtp),
            "talk" => limit_with_ends(&node, walk).map(Check::Talk),
            "sequence" => sequence(&node, walk).map(Check::Sequence),
            _ => None,
        };
        checks.extend(check);
        match key {
            "times" => checks.extend(times(walk, &node)),
            "between" => several(walk, &node, &mut checks, between),
            "hop" => several(walk, &node, &mut checks, hop),
            "message" => several(walk, &node, &mut checks, message),
            _ => {}
        }
    }
    checks
}

fn several(
    walk: &mut Walk<'_>,
    node: &Node<'_>,
    checks: &mut Vec<Check>,
    read: fn(&mut Walk<'_>, Node<'_>) -> Option<Check>,
) {
    for one in node.tables(walk) {
        checks.extend(read(walk, one));
    }
}

fn none_or<T>(
    node: &Node<'_>,
    walk: &mut Walk<'_>,
    read: impl Fn(&Node<'_>, &mut Walk<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match node.scalar().as_deref() {
        Some("none") => Some(None),
        _ => read(node, walk).map(Some),
    }
}

fn final_code(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Option<Code>> {
    let text = node.scalar();
    let code = match text.as_deref() {
        Some("none") => Some(None),
        Some(text) => Code::parse(text).filter(|code| code.is_final()).map(Some),
        None => None,
    };
    node.or_say(
        walk,
        code,
        "is no final response; write 200, \"4xx\", \"48x\" or \"none\"",
    )
}

fn outcome(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Outcome> {
    let words = Outcome::ALL.map(Outcome::word);
    let at = node.one_of(walk, "outcome", &words)?;
    Outcome::ALL.get(at).copied()
}

fn rule(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<&'static str> {
    let ids: Vec<&'static str> = rules::RULES.iter().map(|rule| rule.id).collect();
    let at = node.one_of(walk, "rule", &ids)?;
    ids.get(at).copied()
}

fn attestation(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<String> {
    let words = ["A", "B", "C", "none"];
    let at = node.one_of(walk, "attestation", &words)?;
    words.get(at).map(|word| (*word).to_owned())
}

fn rtp(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Rtp> {
    let at = node.one_of(walk, "way of RTP", &Rtp::ALL.map(Rtp::word))?;
    Rtp::ALL.get(at).copied()
}

const NO_LIMIT: &str = "is no time; write \"3s\" (at most), \"500ms..\", \"..2min\" or \"1s..3s\"";

fn limit(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Limit> {
    let text = node.scalar();
    node.or_say(walk, text.as_deref().and_then(Limit::parse), NO_LIMIT)
}

// How long people talk has no end by itself: a plain time could be meant either way.
fn limit_with_ends(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Limit> {
    let text = node.scalar().filter(|text| text.contains(".."));
    let read = text.as_deref().and_then(Limit::parse);
    node.or_say(
        walk,
        read,
        "is no range; write \"1s..\", \"..2min\" or \"1s..3s\"",
    )
}

fn name(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Name> {
    let text = node.scalar();
    let text = node.or_say(walk, text, "names no message")?;
    node.or_told(walk, Name::parse(&text))
}

// As a session description has it.
fn codec(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<String> {
    let text = node.text(walk)?;
    let what = match text
        .get(..2)
        .is_some_and(|begin| begin.eq_ignore_ascii_case("g."))
    {
        true => {
            "is not how a session description has it; write PCMU, PCMA (both G.711), G722, G729"
        }
        false => "is no codec; several are written as a list: [\"PCMU\", \"PCMA\"]",
    };
    let known = !text.contains([',', ' ']) && !what.starts_with("is not");
    node.or_say(walk, known.then_some(text), what)
}

fn sequence(node: &Node<'_>, walk: &mut Walk<'_>) -> Option<Sequence> {
    let listed = node.list(walk)?;
    if listed.len() > MOST_PARTS {
        walk.say(node.at(), format!("more than {MOST_PARTS} parts"));
        return None;
    }
    let mut parts = Vec::new();
    for part in listed {
        if part.scalar().as_deref() == Some("...") {
            parts.push(Part::Anything);
            continue;
        }
        let items = match part.is_list() {
            true => part.list(walk)?,
            false => vec![part],
        };
        if items.is_empty() || items.len() > MOST_UNORDERED {
            walk.say(
                part.at(),
                format!("1 to {MOST_UNORDERED} messages may stand in brackets"),
            );
            return None;
        }
        let mut group = Vec::new();
        for item in items {
            let text = item.scalar();
            let text = item.or_say(walk, text, "names no message")?;
            group.push(item.or_told(walk, Item::parse(&text))?);
        }
        parts.push(Part::Group(group));
    }
    Some(Sequence::new(parts))
}

fn times(walk: &mut Walk<'_>, node: &Node<'_>) -> Vec<Check> {
    let Some(table) = node.table(walk, keys::TIMES) else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    if table.is_empty() {
        table.say(walk, "nothing in it");
    }
    for (key, point) in Point::ALL {
        let read = table.get(key).and_then(|node| limit(&node, walk));
        checks.extend(read.map(|limit| Check::Span(Span::To(point, limit))));
    }
    checks
}

fn between(walk: &mut Walk<'_>, node: Node<'_>) -> Option<Check> {
    let table = node.table(walk, keys::BETWEEN)?;
    let [from, to] = ["from", "to"].map(|key| name(&table.needed(walk, key)?, walk));
    let within = limit(&table.needed(walk, "within")?, walk);
    let (from, to, within) = (from?, to?, within?);
    Some(Check::Span(Span::Between { from, to, within }))
}

fn hop(walk: &mut Walk<'_>, node: Node<'_>) -> Option<Check> {
    let table = node.table(walk, keys::HOP)?;
    let between = table.needed(walk, "between")?;
    let between = ends(walk, &between)?;
    let sequence = sequence(&table.needed(walk, "sequence")?, walk)?;
    Some(Check::Hop(Hop { between, sequence }))
}

fn ends(walk: &mut Walk<'_>, node: &Node<'_>) -> Option<[Pattern; 2]> {
    let ends = node.list(walk)?;
    let ends: Option<Vec<_>> = ends.iter().map(|end| end.pattern(walk)).collect();
    let ends = ends?.try_into().ok();
    node.or_say(walk, ends, "are not two addresses")
}

fn message(walk: &mut Walk<'_>, node: Node<'_>) -> Option<Check> {
    let table = node.table(walk, keys::MESSAGE)?;
    let name = name(&table.needed(walk, "name")?, walk);
    let which = table.get("which").and_then(|node| {
        let at = node.one_of(walk, "choice", &Picked::ALL.map(|(word, _)| word))?;
        Picked::ALL.get(at).map(|(_, picked)| *picked)
    });
    Some(Check::Message(MessageCheck {
        which: which.unwrap_or(Picked::First),
        between: table.get("between").and_then(|node| ends(walk, &node)),
        start_line: table.get("start-line").and_then(|node| node.wanted(walk)),
        headers: headers(walk, &table),
        sdp: table.get("sdp").map_or(Vec::new(), |node| sdp(walk, &node)),
        name: name?,
    }))
}

fn sdp(walk: &mut Walk<'_>, node: &Node<'_>) -> Vec<Sdp> {
    if let Some(there) = node.boolean() {
        return vec![Sdp::There(there)];
    }
    let Some(table) = node.table(walk, keys::SDP) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if table.is_empty() {
        table.say(walk, "nothing in it");
    }
    let direction = table
        .get("direction")
        .and_then(|node| direction(walk, &node));
    all.extend(direction.map(Sdp::Direction));
    let mut pattern = |key| table.get(key).and_then(|node: Node<'_>| node.pattern(walk));
    all.extend(pattern("profile").map(Sdp::Profile));
    all.extend(pattern("address").map(Sdp::Address));
    let codecs = table
        .get("codecs")
        .and_then(|node| node.any_of(walk, codec));
    all.extend(codecs.map(Sdp::Codecs));
    let mut patterns = |key| {
        let read = table
            .get(key)
            .and_then(|node: Node<'_>| node.any_of(walk, |n, w| n.pattern(w)));
        read.unwrap_or_default()
    };
    all.extend(patterns("lines").into_iter().map(Sdp::Line));
    all.extend(patterns("no-lines").into_iter().map(Sdp::NoLine));
    all
}

fn direction(walk: &mut Walk<'_>, node: &Node<'_>) -> Option<Pattern> {
    const WORDS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];
    let pattern = node.pattern(walk)?;
    let fits = WORDS.iter().any(|word| pattern.fits(word.as_bytes()));
    let known = WORDS.join(", ");
    node.or_say(
        walk,
        fits.then_some(pattern),
        &format!("is no direction; there is {known}"),
    )
}
