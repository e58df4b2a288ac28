//! Bytes of messages were changed between their sender and the file.

use super::super::finding::{Evidence, Note, note};
use super::super::quality::is_damaged;
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Role, Rule, Severity,
};
use crate::message::Flaw;
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "capture-damaged",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[],
    rfc: &[(1122, "4.1.3.4")],
    title: "messages in this capture are not as they were sent: {count}",
    why: "SIP messages that break the grammar have a UDP checksum that does not fit their bytes ({count}): what a sender sends has one that fits, so the bytes were changed afterwards, on the way into the file. Nothing that is wrong in these messages is held against who sent them",
    fix: "Record again, or take the original file: this one was damaged (memory, disk, transfer), made by a program that changes packets, or rewritten to hide names and addresses. Where the damage was there on the wire too, look for a faulty network card or switch.",
    sentences: &[
        (
            "why-call",
            "bytes of messages of this call were changed after they were sent, by their UDP checksum ({count}): what is wrong in them is not the fault of who sent them, and what the call would have been without it is not known",
        ),
        (
            "damaged",
            "the checksum of the datagram does not fit these bytes",
        ),
        ("last", "the last such message"),
    ],
    check,
    across,
    ..Rule::PLAIN
};

// What went well needs no explanation that other bytes would change.
fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.outcome == Outcome::Succeeded || !call.flaws().has(Flaw::Damaged) {
        return;
    }
    let damaged = || call.originals().filter(|(_, m)| is_damaged(m));
    let Some((index, stored)) = damaged().next() else {
        return;
    };
    let role = Role::Contributing;
    let finding = found.add_with(Severity::Info, role, Confidence::Certain, Acts::Capture);
    let Some(finding) = finding else { return };
    finding
        .why("why-call")
        .args(Args::new().count("count", damaged().count()))
        .proof(Evidence::start_line(index, stored, note("damaged")));
}

fn across(ledger: &Ledger, across: &mut Across) {
    let damaged = &ledger.quality.damaged;
    let Some([first, last]) = &damaged.shown else {
        return;
    };
    let Some(found) = across.add(Confidence::Certain, Acts::Capture) else {
        return;
    };
    found.count = damaged.calls;
    found.times = first.time.zip(last.time);
    let count = usize::try_from(damaged.count).unwrap_or(usize::MAX);
    found.finding.args(Args::new().count("count", count));
    let mut exhibits: Vec<(_, Note)> = vec![(first.clone(), note("damaged"))];
    if first != last {
        exhibits.push((last.clone(), note("last")));
    }
    found.exhibits = exhibits;
}
