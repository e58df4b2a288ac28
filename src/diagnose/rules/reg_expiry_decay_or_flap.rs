//! R4: a device registers much more often than it needs, or for less time from turn to turn.

use super::super::finding::{Evidence, Template, deciding, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::{Method, typed};
use crate::session::clock::SECOND;
use crate::session::registrations::{Attempt, attempt};
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-expiry-decay-or-flap",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time],
    rfc: &[(3261, "10.2.1.1"), (3261, "10.2.4")],
    title: "the registration of {aor} is renewed far too often",
    why: "the device registers {aor} every {gap}, though {element} granted {granted} s each time; a device renews its registration shortly before it runs out",
    fix: "Look in the device why it registers again so soon: a fixed interval that is set too short, a keep-alive made of REGISTERs, or a restart. A keep-alive for a NAT is better made of CRLF or OPTIONS.",
    sentences: &[
        (
            "why-anew",
            "the device registers {aor} every {gap}, each time under a new Call-ID, though {element} granted {granted} s: it starts over again and again",
        ),
        (
            "fix-anew",
            "Look in the device for what makes it start over: restarts, a lost network, a link that goes up and down, or software that makes a new registration instead of renewing the old one.",
        ),
        (
            "why-decay",
            "the time granted to {aor} shrinks from turn to turn ({series}): the device asks for what it was granted last time, and {element} grants a little less than it is asked for, until the registration is refused as too brief or renewed all the time",
        ),
        (
            "fix-decay",
            "Have the device always ask for the time that is set in it, not for what it got last time; and have {element} grant what it is asked for where it can.",
        ),
        (
            "why-shrink",
            "the time granted to {aor} shrinks from turn to turn ({series}), though the device asks for {asked} s each time: {element} seems to list the rest of an old binding instead of a new one",
        ),
        (
            "fix-shrink",
            "Have the registrar mended: a renewal must begin the time anew. If several servers keep the bindings, look whether the renewal reaches the one that holds it.",
        ),
        ("again", "registered again, {gap} after the last time"),
        ("asked", "asks for {asked} s"),
        ("granted", "granted this time: {granted} s"),
    ],
    check,
    ..Rule::PLAIN
};

/// Registrations that make a series.
const SERIES: usize = 4;

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Register || call.outcome != Outcome::Succeeded {
        return;
    }
    let Some(aor) = call.to() else { return };
    let Some(known) = context.view.registration(&aor) else {
        return;
    };
    if known.attempts.len() + 1 < SERIES {
        return;
    }
    let Some((request, now)) = attempt(call).filter(|(_, now)| !now.is_removal()) else {
        return;
    };
    let own = |earlier: &&Attempt| {
        earlier.call_id == now.call_id || (earlier.source.is_some() && earlier.source == now.source)
    };
    let mut series: Vec<Attempt> = known.attempts.iter().filter(own).copied().collect();
    series.push(now);
    let from = series.len().saturating_sub(SERIES);
    let series = series.get(from..).unwrap_or_default();
    // A refusal or a removal in between begins a new series; so does what ends in disorder.
    let steady = series.iter().all(|of| of.is_accepted() && !of.is_removal());
    let ordered = series.is_sorted_by_key(|of| of.at);
    if series.len() < SERIES || !steady || !ordered {
        return;
    }
    if shrinks(series) {
        decay(call, series, &aor, request, found);
    } else if let Some(gap) = too_often(series).filter(|_| !is_behind_nat(request)) {
        flap(call, series, &aor, request, gap, found);
    }
}

fn shrinks(series: &[Attempt]) -> bool {
    series.windows(2).all(|pair| match pair {
        // A restart from the full time is no decay, nor is a registrar that answers each load.
        [earlier, later] => later.granted < earlier.granted && later.granted * 2 > earlier.granted,
        _ => false,
    })
}

// The middle one of the gaps, where it is below three tenths of what was granted.
fn too_often(series: &[Attempt]) -> Option<i64> {
    const SHORT: u32 = 120;
    let mut gaps: Vec<i64> = series
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)?.at - pair.first()?.at))
        .collect();
    gaps.sort_unstable();
    let middle = *gaps.get(gaps.len() / 2)?;
    let granted = series.iter().map(|of| of.granted).min()?;
    let limit = i64::from(granted) * SECOND * 3 / 10;
    (granted >= SHORT && middle < limit && gaps.last() < Some(&limit)).then_some(middle)
}

// Short registrations keep the way through a NAT open; many devices do so on purpose.
fn is_behind_nat(request: &Stored) -> bool {
    let via = typed::vias(request.message()).into_iter().next();
    let host = via.map(|via| via.sent_by);
    let source = request.stamp.source.map(|source| source.ip().to_string());
    match (host, source) {
        (Some(host), Some(source)) => {
            let (host, _) = crate::message::uri::host_port(host.as_bytes());
            crate::message::lossy(host).trim_matches(['[', ']']) != source
        }
        _ => true,
    }
}

fn decay(call: &Call, series: &[Attempt], aor: &str, request: &Stored, found: &mut Findings) {
    let copies = series.windows(2).all(|pair| match pair {
        [earlier, later] => later.asked == Some(earlier.granted),
        _ => false,
    });
    let steady = series
        .iter()
        .all(|of| of.asked.is_some() && of.asked == now_asked(series));
    if !copies && !steady {
        return;
    }
    let (confidence, why, fix, acts) = match copies {
        true => (Confidence::Certain, "why-decay", "fix-decay", Acts::Caller),
        false => (
            Confidence::Likely,
            "why-shrink",
            "fix-shrink",
            Acts::Registrar,
        ),
    };
    let Some(finding) = found.add_with(Severity::Warning, Role::Contributing, confidence, acts)
    else {
        return;
    };
    let list: Vec<String> = series.iter().map(|of| of.granted.to_string()).collect();
    finding.why(why).fix(fix);
    finding.args(Args::new().text("series", list.join(", ")));
    fill(call, series, aor, request, finding);
}

fn now_asked(series: &[Attempt]) -> Option<u32> {
    series.last()?.asked
}

fn flap(
    call: &Call,
    series: &[Attempt],
    aor: &str,
    request: &Stored,
    gap: i64,
    found: &mut Findings,
) {
    let role = Role::Contributing;
    let certain = Confidence::Certain;
    let Some(finding) = found.add_with(Severity::Warning, role, certain, Acts::Caller) else {
        return;
    };
    let anew = series.windows(2).all(|pair| match pair {
        [earlier, later] => earlier.call_id != later.call_id,
        _ => false,
    });
    if anew {
        finding.why("why-anew").fix("fix-anew");
    }
    finding.args(Args::new().duration("gap", gap));
    fill(call, series, aor, request, finding);
}

fn fill(
    call: &Call,
    series: &[Attempt],
    aor: &str,
    request: &Stored,
    finding: &mut super::super::Finding,
) {
    let (Some(now), Some((at, answer))) = (series.last(), deciding(call)) else {
        return;
    };
    let before = series
        .len()
        .checked_sub(2)
        .and_then(|index| series.get(index));
    let gap = before.map_or(0, |before| now.at - before.at);
    let granted = now.granted.to_string();
    let asked = now
        .asked
        .map_or_else(|| "an unnamed number of".to_owned(), |s| s.to_string());
    finding.element(sender(answer)).args(
        Args::new()
            .text("aor", aor)
            .text("granted", granted.clone())
            .text("asked", asked.clone()),
    );
    let index = call.messages.iter().position(|m| std::ptr::eq(m, request));
    if let Some(index) = index {
        let again = Template::new("again", Args::new().duration("gap", gap));
        finding.proof(Evidence::start_line(index, request, again));
        if request.message().header("Expires").is_some() {
            let asks = Template::new("asked", Args::new().text("asked", asked));
            finding.proof(Evidence::header(index, request, "Expires", asks));
        }
    }
    let grants = Template::new("granted", Args::new().text("granted", granted));
    finding.proof(Evidence::header(at, answer, "Contact", grants));
}
