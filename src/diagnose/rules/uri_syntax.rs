//! L9: a URI, or what is around it, breaks the grammar.

use super::super::complaint::Topic;
use super::super::finding::{Part, note};
use super::super::lint::{self, Defect, Mark, Weight};
use super::super::{Args, Context, Findings, Frequency, Rule, Severity};
use crate::message::lint::{Fault, address, uri};
use crate::message::{Flaw, Method, Span, lossy};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "uri-syntax",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "19.1.1"), (3261, "19.1.2"), (3261, "20.10")],
    title: "{what} carries an address that breaks the rules",
    why: "{writer} wrote {part} into {header} of {what} as it is, though a URI may hold it only escaped (%23 for #, %20 for a blank): some elements refuse such an address, others cut it off there",
    fix: "Correct the address where it comes from on {element}: dial plan, speed dial, account or trunk settings, or the script that builds it. If it is made by the software itself, update that.",
    sentences: &[
        (
            "why-escape",
            "{writer} wrote {part} into {header} of {what}: in a URI a percent sign begins an escape and needs two hexadecimal digits behind it",
        ),
        (
            "why-bare",
            "{writer} wrote {header} of {what} without angle brackets around the URI, so {part} belongs to the header and not to the URI: whoever uses this address loses it, and may use another transport or go to another place",
        ),
        (
            "why-bracket",
            "{writer} wrote {header} of {what} with angle brackets or quotation marks that do not match: some elements refuse it, others read another address",
        ),
        (
            "why-name",
            "{writer} wrote a name with {part} in it into {header} of {what} without quotation marks: a parser takes the name for the end of the header or for a second address",
        ),
        (
            "why-scheme",
            "{writer} wrote {part} into {header} of {what}, which is no URI: it needs sip:, sips: or tel: in front",
        ),
        (
            "why-host",
            "{writer} wrote {part} into {header} of {what}, a URI without a host: nobody can send anything there",
        ),
        (
            "why-address",
            "{writer} wrote the IPv6 address {part} into {header} of {what} without square brackets, so that nobody can tell address and port apart",
        ),
        (
            "why-port",
            "{writer} wrote the port {part} into {header} of {what}; a port is a number from 0 to 65535",
        ),
        (
            "fix-bare",
            "Update {writer}, or correct the script or setting that builds {header}: everything that belongs to the URI goes between < and >.",
        ),
        (
            "fix-name",
            "Put the display name into quotation marks, or take the character out of it, in the settings of the account on {element} or where the name is looked up.",
        ),
        ("wrong", "this breaks the rules"),
    ],
    explains: &["request-no-response", "bad-request-400", "ack-misrouted"],
    confirm: "the same request with the address corrected, which would then be taken",
    check,
    ..Rule::PLAIN
};

const CODES: &[u16] = &[416];
const TOPICS: &[Topic] = &[Topic::RequestUri, Topic::From, Topic::To, Topic::Contact];
const RISKY: Defect = Defect {
    weight: Weight::Risky,
    codes: CODES,
    topics: TOPICS,
    copied: true,
};
const HARMLESS: Defect = Defect {
    weight: Weight::Harmless,
    ..RISKY
};

const USUAL: Defect = Defect {
    weight: Weight::Usual,
    ..RISKY
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if !call.flaws().has(Flaw::BadUri) {
        return;
    }
    for defect in [&RISKY, &HARMLESS, &USUAL] {
        let broken = |_: usize, m: &Stored| {
            let bad = bad(m).filter(|bad| is_sure(call, m, bad.fault))?;
            (weight(&bad) == defect.weight).then_some(bad.mark)
        };
        for case in lint::cases(call, defect, &broken) {
            let Some(bad) = bad(case.stored) else {
                continue;
            };
            let Some(finding) = lint::add(found, call, context, defect, &case, note("wrong"))
            else {
                continue;
            };
            let part = lossy(bad.mark.span.of(&case.stored.raw));
            let part: String = part.chars().take(80).collect();
            let (why, fix) = sentences(bad.fault);
            let part = if part == " " {
                "a blank".to_owned()
            } else {
                part
            };
            let args = Args::new().text("part", part).text("header", bad.header);
            finding.why(why).fix(fix).args(args);
        }
    }
}

// Pages and tickets swallow angle brackets, and what stands between them.
fn is_sure(call: &Call, m: &Stored, fault: Fault) -> bool {
    match fault {
        Fault::Bare | Fault::Bracket | Fault::Quote => lint::has_bytes(m),
        _ => lint::is_told(call, m),
    }
}

// A single odd character is mostly passed through, and nobody looks up what stands in From or To; the
// others change what the address says.
fn weight(bad: &Bad) -> Weight {
    let only_named = matches!(bad.header, "From" | "To");
    match bad.fault {
        Fault::Bare if only_named => Weight::Usual,
        Fault::Character | Fault::Escape | Fault::Name => Weight::Harmless,
        _ => Weight::Risky,
    }
}

fn sentences(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::Character => ("why", "fix"),
        Fault::Escape => ("why-escape", "fix"),
        Fault::Bare => ("why-bare", "fix-bare"),
        Fault::Bracket | Fault::Quote => ("why-bracket", "fix-bare"),
        Fault::Name => ("why-name", "fix-name"),
        Fault::Scheme => ("why-scheme", "fix"),
        Fault::Host => ("why-host", "fix"),
        Fault::Address => ("why-address", "fix"),
        Fault::Port => ("why-port", "fix"),
    }
}

struct Bad {
    fault: Fault,
    header: &'static str,
    mark: Mark,
}

// As the walk over the headers does (message/mod.rs), but to the byte.
fn bad(m: &Stored) -> Option<Bad> {
    if !m.head.flaws.has(Flaw::BadUri) {
        return None;
    }
    let message = m.message();
    let begins = m.head.is_request() && m.head.method.begins();
    let outside = begins && m.head.to_tag.is_empty();
    if let Some(asked) = message.request_uri().filter(|_| outside)
        && let Some((fault, span)) = uri(asked.of(&m.raw))
    {
        let span = visible(span.shifted(asked.start as usize), asked);
        return Some(Bad {
            fault,
            header: "the Request-URI",
            mark: Mark {
                line: message.start_line(),
                span,
                part: Part::StartLine,
            },
        });
    }
    let echoed = !m.head.is_request() && m.head.method == Method::Register;
    let names = [
        ("From", begins),
        ("To", begins),
        ("Contact", !echoed),
        ("Refer-To", true),
    ];
    names
        .into_iter()
        .filter(|(_, asked)| *asked)
        .find_map(|(name, _)| {
            let header = message.header(name)?;
            let (fault, span) = address(header.value.of(&m.raw))?;
            let span = visible(span.shifted(header.value.start as usize), header.value);
            Some(Bad {
                fault,
                header: name,
                mark: Mark::header(header, span),
            })
        })
}

// Nothing is no place that can be shown.
fn visible(span: Span, whole: Span) -> Span {
    if span.is_empty() { whole } else { span }
}
