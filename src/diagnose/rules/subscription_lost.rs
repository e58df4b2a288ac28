//! B3: the one who watches no longer knows the subscription that is notified.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Role, Rule, Severity};
use crate::message::Method;
use crate::message::field::Field;
use crate::session::Call;

/// The rule.
pub static RULE: Rule = Rule {
    id: "subscription-lost",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[481],
    rfc: &[(6665, "4.1.3"), (6665, "4.2.2")],
    title: "the subscription is no longer known where it was made",
    why: "{element} answers the NOTIFY with 481: whoever watches has no such subscription any more, and with this answer the one who notifies removes it as well; why it was lost is not in the capture",
    fix: "Subscribe again at the device that watches; many do so by themselves. If it comes again and again, look in its log for why it lost the subscription: a restart, a new registration, or a SUBSCRIBE to renew it that came too late or was refused.",
    sentences: &[
        (
            "why-agent",
            "the NOTIFY is answered 481 by {agent}: it has no such subscription any more, and with this answer the one who notifies removes it as well; why it was lost is not in the capture",
        ),
        ("answer", "no such subscription"),
        ("agent", "who answers"),
    ],
    check,
    ..Rule::PLAIN
};

// A subscription that is recorded from its beginning is an entry of SUBSCRIBE.
fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Notify || call.code() != Some(481) {
        return;
    }
    let Some((index, answer)) = deciding(call) else {
        return;
    };
    let Some(finding) = found.add_as(Role::Cause, Confidence::Likely, Acts::Callee) else {
        return;
    };
    finding.element(sender(answer));
    finding.proof(Evidence::start_line(index, answer, note("answer")));
    // Servers on the way name themselves in Server.
    if let Some(agent) = call.fields(index).text(Field::UserAgent) {
        let agent: String = agent.chars().take(80).collect();
        finding
            .why("why-agent")
            .args(Args::new().text("agent", agent));
        finding.proof(Evidence::header(index, answer, "User-Agent", note("agent")));
    }
}
