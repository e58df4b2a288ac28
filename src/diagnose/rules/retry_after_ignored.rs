//! Q2: a server asked to be left alone for a while and was not.

use super::super::finding::{Value, note};
use super::super::{Across, Acts, Args, Confidence, Frequency, Ledger, Need, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "retry-after-ignored",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[Need::Time, Need::Addresses],
    codes: &[503],
    rfc: &[(3261, "21.5.4"), (3261, "20.33")],
    title: "{element} goes on asking {server}, which asked to be left alone",
    why: "{server} answered 503 with Retry-After {seconds}: no other request is to be sent there for {seconds} s. {element} sent {requests} in such times, and got 503 again or no answer",
    fix: "Make {element} take a server that answers 503 with Retry-After out of its list for that time, and send calls to another one or refuse them itself. Check also that a 503 to OPTIONS does not count as a sign of life there.",
    sentences: &[
        ("asked", "the first such answer; Retry-After {seconds}"),
        ("first", "sent there before that time was over"),
        ("last", "the last such request"),
    ],
    across,
    ..Rule::PLAIN
};

fn across(ledger: &Ledger, across: &mut Across) {
    for ((client, server), backoff) in ledger.backoffs.ignored() {
        let Some([first, last]) = &backoff.shown else {
            continue;
        };
        // Behind one address many devices may register, and each is to heed it for itself.
        let sure = match first.text.starts_with(b"REGISTER") {
            true => Confidence::Likely,
            false => Confidence::Certain,
        };
        let Some(found) = across.add(sure, Acts::Caller) else {
            return;
        };
        found.count = backoff.ignored;
        found.times = first.time.zip(last.time);
        let requests = match backoff.ignored {
            1 => Value::Said("another one"),
            more => ("{more} others", Args::new().text("more", more.to_string())).into(),
        };
        found.finding.element(client.to_string());
        found.finding.args(
            Args::new()
                .text("server", server.to_string())
                .text("seconds", backoff.seconds.to_string())
                .with("requests", requests),
        );
        found.exhibits = vec![
            (backoff.answer.clone(), note("asked")),
            (first.clone(), note("first")),
        ];
        if first != last {
            found.exhibits.push((last.clone(), note("last")));
        }
    }
}
