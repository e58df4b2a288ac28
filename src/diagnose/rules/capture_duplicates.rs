//! Z4: the same packets were recorded more than once.

use super::super::finding::{Value, note};
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "capture-duplicates",
    severity: Severity::Info,
    frequency: Frequency::High,
    needs: &[],
    rfc: &[],
    title: "{doubles} were recorded more than once",
    why: "{count} of {messages} records of SIP messages are a packet that is there already, by its bytes and its identification or time: it was recorded at several points, such as both sides of a bridge, a bond or a VLAN. Each is counted once here, and none is taken for a retransmission",
    fix: "Record on one interface instead of `any`, or on one side of the bridge, where a smaller capture is wanted. Nothing else has to change.",
    sentences: &[
        (
            "why-inputs",
            "{count} of {messages} records of SIP messages are a packet that is there already, most of them in another of the inputs: the inputs overlap. Each is counted once here, and none is taken for a retransmission",
        ),
        (
            "fix-inputs",
            "Leave out the inputs that hold nothing new, where the run is to be shorter. Nothing else has to change.",
        ),
        ("first", "recorded here"),
        ("again", "and here"),
    ],
    across,
    ..Rule::PLAIN
};

fn across(ledger: &Ledger, across: &mut Across) {
    let doubles = &ledger.quality.doubles;
    let Some([first, again]) = &doubles.shown else {
        return;
    };
    let Some(found) = across.add(Confidence::Certain, Acts::Capture) else {
        return;
    };
    found.count = doubles.count;
    found.finding.args(
        Args::new()
            .with("doubles", packets(doubles.count))
            .text("count", doubles.count.to_string())
            .text("messages", ledger.quality.messages.to_string()),
    );
    if doubles.elsewhere * 2 > doubles.count {
        found.finding.why("why-inputs").fix("fix-inputs");
    }
    found.exhibits = vec![
        (first.clone(), note("first")),
        (again.clone(), note("again")),
    ];
}

fn packets(count: u64) -> Value {
    match count {
        1 => "one packet".into(),
        _ => (
            "{count} packets",
            Args::new().text("count", count.to_string()),
        )
            .into(),
    }
}
