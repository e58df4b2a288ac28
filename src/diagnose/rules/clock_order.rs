//! Z6: answers bear an earlier time than their requests.

use super::super::finding::note;
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "clock-order",
    severity: Severity::Warning,
    frequency: Frequency::Low,
    needs: &[Need::Time],
    rfc: &[],
    title: "{count} answers bear an earlier time than their requests, by up to {most}",
    why: "packets of the two directions were stamped or written out of order, by up to {most}: durations of that size in this report cannot be trusted",
    fix: "Record both directions at one point with one clock. Until then do not draw conclusions from delays of this size.",
    sentences: &[
        (
            "why-inputs",
            "the inputs were recorded with clocks that differ by at least {most}: what one recorded before it was sent in the other shows that. Durations between messages of different inputs cannot be trusted, timers and retransmissions among them",
        ),
        (
            "fix-inputs",
            "Set the clocks of all recorders by NTP, or record on one host. For these files shift one by {most} or more first: `editcap -t SECONDS`.",
        ),
        ("answer", "the answer"),
        ("request", "its request, later by its time"),
    ],
    across,
    ..Rule::PLAIN
};

/// One may have another reason.
const ENOUGH: u64 = 2;

fn across(ledger: &Ledger, across: &mut Across) {
    let inverted = &ledger.quality.inverted;
    let Some([answer, request]) = &inverted.shown else {
        return;
    };
    if inverted.count < ENOUGH {
        return;
    }
    let of_inputs = inverted.elsewhere * 2 > inverted.count;
    let Some(found) = across.add(Confidence::Certain, Acts::Capture) else {
        return;
    };
    found.count = inverted.count;
    found.finding.args(
        Args::new()
            .text("count", inverted.count.to_string())
            .duration("most", inverted.most),
    );
    if of_inputs {
        found.finding.why("why-inputs").fix("fix-inputs");
    }
    found.exhibits = vec![
        (answer.clone(), note("answer")),
        (request.clone(), note("request")),
    ];
}
