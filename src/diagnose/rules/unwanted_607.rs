//! S2: the called person marked the call as unwanted.

use super::super::finding::{Evidence, Template, deciding, note, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Rule, Severity, passport,
};
use crate::session::{Call, Stored};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unwanted-607",
    severity: Severity::Error,
    frequency: Frequency::Low,
    needs: &[],
    codes: &[607],
    rfc: &[(8197, "4")],
    title: "the called side marked this call as unwanted",
    why: "607 says that the called person, or a service acting for them, does not want calls from {from}; the network may count this against the number, and further calls will likely end the same way",
    fix: "Stop calling this destination from {from} and do not retry elsewhere: 607 is final for every device of the called person. If the calls are legitimate, have the owner of the number ask the called person by other means to unblock it, and check the number with the reputation services of the carriers. Signing calls does not lift a person's block.",
    sentences: &[
        (
            "answer",
            "the final answer; nobody may try another destination after a 6xx",
        ),
        (
            "identity",
            "who signed for the caller, not verified here: {claims}",
        ),
        (
            "identity-broken",
            "this Identity header holds no readable PASSporT",
        ),
        ("reason", "the reason that came along"),
    ],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| call.code() == Some(607)) else {
        return;
    };
    let Some(finding) = found.add(Confidence::Certain, Acts::Caller) else {
        return;
    };
    let from = call.from().unwrap_or_else(|| "this caller".to_owned());
    finding
        .element(sender(response))
        .args(Args::new().text("from", from));
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if response.message().header("Reason").is_some() {
        finding.proof(Evidence::header(index, response, "Reason", note("reason")));
    }
    // Nearest the callee the header is as the called network saw it.
    let signed = call
        .originals()
        .filter(|(_, m)| m.head.is_request() && m.head.method == call.method);
    let signed = signed.filter(|(_, m)| m.message().header("Identity").is_some());
    if let Some((index, stored)) = signed.max_by_key(|(_, m)| m.head.vias) {
        identity(index, stored).into_iter().for_each(|evidence| {
            finding.proof(evidence);
        });
    }
}

fn identity(index: usize, stored: &Stored) -> Vec<Evidence> {
    let headers = stored.message().all("Identity").take(4);
    let read = headers.map(
        |header| match passport::decode(header.value.of(&stored.raw)) {
            Some(passport) => {
                let text = claims(&passport);
                let note = Template::new("identity", Args::new().text("claims", text.clone()));
                Evidence::Decoded {
                    message: index,
                    header,
                    text,
                    note,
                }
            }
            None => Evidence::of_header(index, header, header.value, note("identity-broken")),
        },
    );
    read.collect()
}

fn claims(passport: &passport::Passport) -> String {
    let when = passport
        .iat
        .map(|iat| crate::input::Time(iat.saturating_mul(1_000_000_000)).to_string());
    let all = [
        ("attest", passport.attest.clone()),
        ("orig", passport.orig.clone()),
        (
            "dest",
            Some(passport.dest.join(" ")).filter(|dest| !dest.is_empty()),
        ),
        ("iat", when),
        ("origid", passport.origid.clone()),
        ("ppt", passport.ppt.clone()),
        ("x5u", passport.x5u.clone()),
    ];
    let told = all
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    told.collect::<Vec<_>>().join(", ")
}
