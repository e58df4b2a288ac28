//! L15: a header name with a slip of the pen, and the header that was meant is missing.

use super::super::complaint::Topic;
use super::super::finding::note;
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::field::Field;
use crate::message::{Flaw, lossy};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "header-misspelled",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(3261, "7.3"), (3261, "21.4.1")],
    title: "a header named {name}, which seems to mean {header}",
    why: "{writer} sent {what} with a header {name} and none named {header}: a name that is not known is passed over without a word, so for the peer {header} is missing",
    fix: "Write {header} in place of {name} where {writer} takes it from: a script, a template, a header rule of a PBX or SBC.",
    sentences: &[("wrong", "{header} is meant, as it seems")],
    explains: &[
        "mandatory-header-missing",
        "body-without-type",
        "bad-request-400",
        "request-no-response",
        "contact-missing-or-multiple",
    ],
    confirm: "the same request with the name put right, which would then be taken",
    check,
    ..Rule::PLAIN
};

const DEFECT: Defect = Defect {
    weight: Weight::Harmless,
    codes: &[420, 489],
    topics: &[
        Topic::MaxForwards,
        Topic::Contact,
        Topic::ContentType,
        Topic::ContentLength,
        Topic::CSeq,
        Topic::CallId,
        Topic::From,
        Topic::Expires,
    ],
    copied: false,
};

/// Headers that are missed where they are not there.
const MISSED: [Field; 20] = [
    Field::From,
    Field::CallId,
    Field::CSeq,
    Field::Contact,
    Field::MaxForwards,
    Field::ContentType,
    Field::ContentLength,
    Field::Expires,
    Field::Route,
    Field::RecordRoute,
    Field::Supported,
    Field::Require,
    Field::Allow,
    Field::Authorization,
    Field::ProxyAuthorization,
    Field::WwwAuthenticate,
    Field::ProxyAuthenticate,
    Field::SessionExpires,
    Field::Event,
    Field::ReferTo,
];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    let missed = [Flaw::MandatoryMissing, Flaw::NoMaxForwards, Flaw::Untyped];
    if !missed.iter().any(|flaw| flaws.has(*flaw)) && !lint::was_answered(call, &[400, 489]) {
        return;
    }
    let broken = |index: usize, m: &Stored| meant(call, index, m).map(|(mark, _)| mark);
    for case in lint::cases(call, &DEFECT, &broken) {
        let Some((mark, field)) = meant(call, case.message, case.stored) else {
            continue;
        };
        if let Some(finding) = lint::add(found, call, context, &DEFECT, &case, note("wrong")) {
            let name = lossy(mark.span.of(&case.stored.raw));
            finding.args(Args::new().text("name", name).text("header", field.name()));
        }
    }
}

fn meant(call: &Call, index: usize, m: &Stored) -> Option<(Mark, Field)> {
    const LONGEST: usize = 32;
    if !lint::is_told(call, m) {
        return None;
    }
    let fields = call.fields(index);
    m.message().headers().find_map(|header| {
        let name = header.name.of(&m.raw);
        if Field::of(name).is_some() || !(4..LONGEST).contains(&name.len()) {
            return None;
        }
        let near = |field: &&Field| !fields.has(**field) && is_slip(name, field.name());
        let field = MISSED.iter().find(near)?;
        Some((Mark::header(header, header.name), *field))
    })
}

// One letter too many, too few, another or two in the wrong order; two such slips in a long name.
fn is_slip(name: &[u8], meant: &str) -> bool {
    let most = if meant.len() >= 10 { 2 } else { 1 };
    name.len().abs_diff(meant.len()) <= most
        && distance(
            &name.to_ascii_lowercase(),
            &meant.to_ascii_lowercase().into_bytes(),
        ) <= most
}

// Damerau and Levenshtein, neighbours swapped counted as one.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let width = b.len() + 1;
    let mut rows: Vec<Vec<usize>> = vec![(0..width).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let above = |up: usize, left: usize| {
                let row = (i + 1).checked_sub(up).and_then(|row| rows.get(row));
                let cell = row.and_then(|row| row.get((j + 1).checked_sub(left)?));
                cell.copied().unwrap_or(usize::MAX / 2)
            };
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            let mut least = (above(1, 0) + 1).min(row.get(j).copied().unwrap_or(0) + 1);
            least = least.min(above(1, 1) + usize::from(x != y));
            if swapped {
                least = least.min(above(2, 2) + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_names() {
        for (name, meant, want) in [
            ("Max-Forward", "Max-Forwards", true),
            ("Max-Fowrads", "Max-Forwards", true),
            ("Form", "From", true),
            ("Contcat", "Contact", true),
            ("Content-Lenght", "Content-Length", true),
            ("Content-Language", "Content-Length", false),
            ("Subject", "Contact", false),
            ("Reply-To", "Refer-To", false),
            ("Join", "From", false),
        ] {
            assert_eq!(is_slip(name.as_bytes(), meant), want, "{name}");
        }
        assert_eq!((distance(b"", b"abc"), distance(b"abc", b"abc")), (3, 0));
    }
}
