//! Q4: the status and the cause inside the answer do not agree.

use super::super::finding::{Evidence, Template, Value, deciding, note, sender};
use super::super::{
    Acts, Args, Causes, Confidence, Context, Findings, Frequency, Role, Rule, Severity,
};
use crate::knowledge::{self, phrases::Kind};
use crate::message::Method;
use crate::session::{Call, Outcome};

/// The rule.
pub static RULE: Rule = Rule {
    id: "reason-status-conflict",
    severity: Severity::Warning,
    frequency: Frequency::High,
    needs: &[],
    causes: &[("Q.850", Causes::Only(&FITTING))],
    rfc: &[(3326, "2"), (3398, "7.2.4.1"), (6432, "3")],
    title: "the code {code} hides another cause",
    why: "the answer is {code}, and inside it stands Q.850 cause {cause} ({name}{hint}): somebody on the way translated the cause into a code that does not fit it, and the cause is nearer to where the call failed",
    fix: "Go by cause {cause}, not by {code}. Let whoever translates it (the gateway, SBC or PBX at {element} or behind it) map the cause as RFC 3398 does; other systems choose wrong routes by a wrong code.",
    sentences: &[
        (
            "why-media",
            "the answer is {code} with Q.850 cause {cause}, and its text says \"{said}\", which means: {means}; the code and the cause number are not what happened",
        ),
        (
            "fix-media",
            "Compare the media offer (SDP) of this call with one that {element} takes: codecs, encryption (SRTP), ICE and address. The number that was called is not the problem.",
        ),
        (
            "fix-number",
            "Check the number with the person who gave it: by cause 1 it is not assigned to anybody. Let whoever translates the cause (the gateway, SBC or PBX at {element} or behind it) make 404 of it, so that other systems do not try further routes.",
        ),
        ("answer", "the code"),
        ("cause", "the cause inside it"),
        ("said", "the words that tell the cause"),
    ],
    explains: &[
        "busy",
        "dest-not-found",
        "dest-unavailable-480",
        "dest-gone-or-changed",
        "policy-403",
        "declined-603",
        "generic-5xx-with-reason",
    ],
    check,
    ..Rule::PLAIN
};

/// The causes of [`FITS`].
const FITTING: [u32; FITS.len()] = {
    let mut causes = [0; FITS.len()];
    let mut at = 0;
    while at < FITS.len() {
        causes[at] = FITS[at].0;
        at += 1;
    }
    causes
};

/// Which status codes a cause is found with: RFC 3398 §7.2.4.1 and §8.2.6.1, and what FreeSWITCH and
/// Asterisk make of it. A cause that is not listed says too little to disagree with anything.
const FITS: [(u32, &[u16]); 25] = [
    (1, &[404, 410, 484, 485, 604]),
    (2, &[404, 485, 500, 503, 604]),
    (3, &[404, 420, 485, 500, 503, 604]),
    (17, &[486, 600]),
    (18, &[408, 480, 487]),
    (19, &[408, 480, 483, 487]),
    (20, &[404, 410, 480]),
    (21, &[401, 402, 403, 407, 433, 480, 486, 603, 607, 608]),
    (22, &[301, 302, 404, 410]),
    (27, &[480, 500, 502, 503]),
    (28, &[404, 484]),
    (29, &[500, 501, 503]),
    (34, &[486, 500, 502, 503, 504]),
    (38, &[500, 502, 503, 504]),
    (41, &[400, 409, 481, 500, 502, 503, 504]),
    (42, &[500, 502, 503, 504]),
    (44, &[500, 503]),
    (47, &[500, 503]),
    (57, &[403, 488]),
    (58, &[488, 500, 503, 606]),
    (65, &[415, 488, 500, 606]),
    (79, &[405, 500, 501]),
    (88, &[415, 488, 500, 503, 606]),
    (102, &[408, 500, 503, 504]),
    (111, &[400, 500]),
];

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Invite || !matches!(call.outcome, Outcome::Failed | Outcome::Refused)
    {
        return;
    }
    let Some((index, response)) = deciding(call) else {
        return;
    };
    let code = call.code().unwrap_or(0);
    let Some(cause) = context.q850(call) else {
        return;
    };
    let media = context
        .told(call)
        .filter(|told| told.phrase.kind == Kind::Media && code != 488);
    let known = FITS.iter().find(|(known, _)| *known == cause);
    let conflict = known.is_some_and(|(_, fits)| !fits.contains(&code));
    if !conflict && media.is_none() {
        return;
    }
    // Where a rule goes by the cause already, this is only how it came about.
    let (severity, role) = match found.has("carrier-congestion") {
        true => (Severity::Warning, Role::Contributing),
        false => (Severity::Error, Role::Cause),
    };
    let acts = match media {
        Some(_) => Acts::Caller,
        // What the caller needs is the number, not the code.
        None if cause == 1 => Acts::Caller,
        None => Acts::Carrier,
    };
    let Some(finding) = found.add_with(severity, role, Confidence::Likely, acts) else {
        return;
    };
    let cause_of = knowledge::cause("Q.850", cause);
    finding.element(sender(response)).args(
        Args::new()
            .code("code", code)
            .count("cause", cause as usize)
            .with("name", Value::q850(cause))
            .with("hint", Value::pointing(cause_of)),
    );
    match media {
        Some(told) => {
            finding.why("why-media").fix("fix-media");
            told.prove(finding, (index, response), (note("answer"), note("said")));
        }
        None => {
            if cause == 1 {
                finding.fix("fix-number");
            }
            finding.proof(Evidence::start_line(index, response, note("answer")));
            let inside = Template::new("cause", Args::new());
            finding.proof(Evidence::header(index, response, "Reason", inside));
        }
    }
}
