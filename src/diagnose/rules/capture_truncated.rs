//! Z3: only the beginning of messages was recorded.

use super::super::across::Exhibit;
use super::super::finding::{Evidence, Finding, Note, Value, deciding, note};
use super::super::quality::{Cut, is_cut_by_capture, is_cut_by_log};
use super::super::{
    Across, Acts, Args, Confidence, Context, Findings, Frequency, Ledger, Role, Rule, Severity,
};
use crate::message::Flaw;
use crate::session::{Call, Outcome, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "capture-truncated",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[],
    title: "only the beginning of {messages} was recorded",
    why: "the capture holds only the beginning of packets (snap length of the capture tool, or a tap that passes on no more): the end of {messages} in {calls} is missing, so headers and session descriptions there cannot be judged",
    fix: "Record whole packets: `tcpdump -s 0`, or 262144 as the snap length of other tools.",
    sentences: &[
        (
            "why-log",
            "the log holds less of {messages} in {calls} than Content-Length says: it cuts long entries off or leaves bodies out, so session descriptions there cannot be judged",
        ),
        (
            "fix-log",
            "Raise the longest entry of the log or of syslog (the usual limits are 1024, 2048 and 8192 bytes), switch on the logging of bodies, or record the traffic with tcpdump instead.",
        ),
        (
            "why-end",
            "the last message of the text is shorter than its Content-Length says: the text ends inside it, or the log leaves the rest out, so its session description cannot be judged",
        ),
        (
            "fix-end",
            "Copy the text to its end. If it does end here, raise the longest entry of the log or switch on the logging of bodies.",
        ),
        (
            "why-call",
            "the capture holds only the beginning of {messages} of this call (snap length of the capture tool, or a tap that passes on no more), so whatever stood in the rest is not known",
        ),
        (
            "why-call-log",
            "the log holds only the beginning of {messages} of this call, so whatever stood in the rest is not known",
        ),
        (
            "fix-call-log",
            "Copy the text to its end, where this is its last message. Else raise the longest entry of the log or of syslog (the usual limits are 1024, 2048 and 8192 bytes), switch on the logging of bodies, or record the traffic with tcpdump instead.",
        ),
        (
            "why-dump",
            "the text holds less of {messages} in {calls} than was sent: it ends in the middle of a packet, or the capture tool cut packets off (snap length), so headers and session descriptions there cannot be judged",
        ),
        (
            "fix-dump",
            "Copy the text of the dump to its end, and record whole packets: `tcpdump -s 0`. Better still, keep the capture file itself.",
        ),
        (
            "why-call-dump",
            "the text holds only the beginning of {messages} of this call: it ends there, or the capture tool cut packets off (snap length); whatever stood in the rest is not known",
        ),
        ("cut", "only the beginning of this one was recorded"),
        ("last", "the last such message"),
    ],
    check,
    across,
    ..Rule::PLAIN
};

// What went well needs no explanation that the rest would change.
fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let flaws = call.flaws();
    if call.outcome == Outcome::Succeeded
        || !(flaws.has(Flaw::CutByCapture) || flaws.has(Flaw::BodyCut))
    {
        return;
    }
    let is_cut = |m: &Stored| is_cut_by_capture(m) || is_cut_by_log(m);
    let mut all = call.originals().filter(|(_, m)| is_cut(m));
    // The answer that decided tells most.
    let answer = deciding(call).filter(|(_, m)| is_cut(m));
    let Some((index, stored)) = answer.or_else(|| all.next()) else {
        return;
    };
    // A log may hold a message whose Content-Length was wrong from the first.
    let sure = match is_cut_by_capture(stored) {
        true => Confidence::Certain,
        false => Confidence::Likely,
    };
    let role = Role::Contributing;
    let Some(finding) = found.add_with(Severity::Info, role, sure, Acts::Capture) else {
        return;
    };
    let count = call.originals().filter(|(_, m)| is_cut(m)).count();
    finding.args(Args::new().with("messages", messages(count as u64)));
    match (is_cut_by_capture(stored), stored.stamp.lines) {
        (true, 0) => finding.why("why-call"),
        (true, _) => finding.why("why-call-dump").fix("fix-dump"),
        (false, _) => finding.why("why-call-log").fix("fix-call-log"),
    };
    finding.proof(Evidence::start_line(index, stored, note("cut")));
}

fn messages(count: u64) -> Value {
    match count {
        1 => "one message".into(),
        _ => ("{count} messages", counted(count)).into(),
    }
}

fn calls(count: u64) -> Value {
    match count {
        1 => "one call".into(),
        _ => ("{count} calls", counted(count)).into(),
    }
}

fn counted(count: u64) -> Args {
    Args::new().text("count", count.to_string())
}

fn across(ledger: &Ledger, across: &mut Across) {
    let quality = &ledger.quality;
    let cut = &quality.cut_by_capture;
    // A dump of packets as text may have been copied in part.
    let dump = cut.shown.as_ref().is_some_and(|[_, last]| last.of_log);
    let (why, fix) = match dump {
        true => ("why-dump", "fix-dump"),
        false => ("why", "fix"),
    };
    tell(cut, Confidence::Certain, (why, fix), across);
    let cut = &quality.cut_by_log;
    let last = cut.shown.as_ref().map(|[_, last]| last);
    // Bodies that are whole before it speak for an excerpt that ends there.
    let at_end = cut.count == 1 && last.is_some_and(|last| quality.last_lines.is_last(last));
    let (why, fix) = match at_end {
        true => ("why-end", "fix-end"),
        false => ("why-log", "fix-log"),
    };
    if let Some(finding) = tell(cut, Confidence::Likely, (why, fix), across)
        && at_end
    {
        finding.severity = Severity::Info;
    }
}

fn tell<'f>(
    cut: &Cut,
    confidence: Confidence,
    (why, fix): (&'static str, &'static str),
    across: &'f mut Across,
) -> Option<&'f mut Finding> {
    let [first, last] = cut.shown.as_ref()?;
    let found = across.add(confidence, Acts::Capture)?;
    found.count = cut.calls;
    found.times = first.time.zip(last.time);
    found.finding.why(why).fix(fix).args(
        Args::new()
            .with("messages", messages(cut.count))
            .with("calls", calls(cut.calls)),
    );
    let mut exhibits: Vec<(Exhibit, Note)> = vec![(first.clone(), note("cut"))];
    if first != last {
        exhibits.push((last.clone(), note("last")));
    }
    found.exhibits = exhibits;
    Some(&mut found.finding)
}
