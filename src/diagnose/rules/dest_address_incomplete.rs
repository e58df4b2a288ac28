//! D2: the number is too short, too long or not in a form that can be used.

use super::super::finding::{Evidence, deciding, note, sender};
use super::super::numbers;
use super::super::{Acts, Args, Confidence, Context, Findings, Frequency, Product, Rule, Severity};
use super::scanner_traffic::is_scanner;
use crate::message::Method;
use crate::message::uri::Uri;
use crate::session::Call;
use crate::session::view::Taken;

/// The rule.
pub static RULE: Rule = Rule {
    id: "dest-address-incomplete",
    severity: Severity::Error,
    frequency: Frequency::Medium,
    needs: &[],
    codes: &[484],
    rfc: &[(3261, "21.4.22"), (3578, "3.2"), (3398, "7.2.4.1")],
    title: "the number {dialled} is incomplete for {element}",
    why: "{element} answers 484 to {dialled}: the number has too few digits, too many, or a form that it cannot use",
    fix: "Send the whole number, best in international form with a leading + (E.164), and compare it with a number of the same kind that {element} takes. If the caller's gateway dials digit by digit, let it collect all digits first, or set up overlap dialling on both sides.",
    sentences: &[
        (
            "why-no-user",
            "{element} answers 484 because the Request-URI {dialled} has nothing in front of the host: it names no number and no user",
        ),
        (
            "fix-no-user",
            "Put the called number in front of the @ of the Request-URI: on the calling side look at the dial string or the template from which the trunk makes its URI.",
        ),
        (
            "why-longer",
            "{element} answers 484 to {dialled}; it took a call to {example}, which begins with the same digits and goes on: digits are missing",
        ),
        (
            "fix-longer",
            "Look where the last digits of the number are lost: in the dial plan or translation of the calling side, or because it begins to dial before all digits are entered (digit map, inter-digit timer).",
        ),
        (
            "why-characters",
            "{element} answers 484 to {dialled}: the number holds \"{odd}\", which is no digit and may have been meant for the calling side's own system",
        ),
        (
            "fix-characters",
            "Remove what is no digit from the number before it leaves the calling side (blanks, #, *, letters, their escapes like %23), and send the whole number with its country code.",
        ),
        ("dialled", "what was asked for"),
        ("answer", "the final answer"),
        ("cause", "the telephone network says so"),
    ],
    settings: &[(
        Product::Asterisk,
        "Asterisk answers 484 where more digits could still lead to an extension: `allow_overlap` in pjsip.conf switches that off, and it then answers 404.",
    )],
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, context: &Context<'_>, found: &mut Findings) {
    let Some((index, response)) = deciding(call).filter(|_| call.code() == Some(484)) else {
        return;
    };
    if call.method != Method::Invite || is_scanner(call) {
        return;
    }
    let Some((asked_at, request)) = call.asked(response) else {
        return;
    };
    let uri = request
        .message()
        .request_uri()
        .map(|uri| uri.of(&request.raw));
    let Some(uri) = uri.and_then(Uri::parse) else {
        return;
    };
    let user = uri.number();
    // That a sign in it is the reason, the answer does not say.
    let sure = match odd(&user) {
        Some(_) => Confidence::Likely,
        None => Confidence::Certain,
    };
    let Some(finding) = found.add(sure, Acts::Caller) else {
        return;
    };
    finding.element(sender(response));
    finding.args(Args::new().text("dialled", uri.bare()));
    finding.proof(Evidence::request_uri(asked_at, request, note("dialled")));
    finding.proof(Evidence::start_line(index, response, note("answer")));
    if response.message().header("Reason").is_some() {
        finding.proof(Evidence::header(index, response, "Reason", note("cause")));
    }
    let peer = request
        .stamp
        .destination
        .and_then(|at| context.view.peer(at.ip()));
    let goes_on = |known: &&Taken| {
        let longer = known.name.len() > user.len() && known.name.starts_with(&user);
        numbers::is_number(&user) && longer
    };
    let longer = peer.and_then(|peer| peer.numbers.iter().find(goes_on));
    if user.is_empty() {
        finding.why("why-no-user").fix("fix-no-user");
    } else if let Some(example) = longer {
        finding.args(Args::new().text("example", example.name.clone()));
        finding.why("why-longer").fix("fix-longer");
        finding.elsewhere(Some(example.spot), "elsewhere-taken");
    } else if let Some(odd) = odd(&user) {
        finding.args(Args::new().text("odd", odd));
        finding.why("why-characters").fix("fix-characters");
    }
}

/// What is no digit in something that else is a number; escapes as they stand.
fn odd(user: &str) -> Option<String> {
    let digits = numbers::digits(user).len();
    let at = user
        .strip_prefix('+')
        .unwrap_or(user)
        .find(|c: char| !c.is_ascii_digit() && !"-.()".contains(c))?;
    let from = at + usize::from(user.starts_with('+'));
    let rest = user.get(from..)?;
    let length = match rest.strip_prefix('%') {
        Some(_) => 3,
        None => rest.chars().next().map_or(1, char::len_utf8),
    };
    // A name with a digit in it is no number gone wrong.
    (digits >= 3).then(|| rest.get(..length).unwrap_or(rest).to_owned())
}

#[cfg(test)]
mod tests {
    use super::odd;

    #[test]
    fn what_is_no_digit_in_a_number() {
        for (user, want) in [
            ("0301234%23", Some("%23")),
            ("+49 301234", Some(" ")),
            ("*31#0301234", Some("*")),
            ("+49-30-1234", None),
            ("alice1", None),
        ] {
            assert_eq!(odd(user).as_deref(), want, "{user}");
        }
    }
}
