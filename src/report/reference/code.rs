//! Pages about response codes.

use super::own::{cases, heading};
use super::{Sheet, rule_row};
use crate::diagnose::rules::RULES;
use crate::knowledge::own::{Entry, own};
use crate::knowledge::{self, Code};
use crate::lang::Lang;

/// The page of a code from 100 to 699; for one method where it is given.
pub(super) fn code(number: u16, method: Option<&str>, lang: &'static Lang) -> Option<Sheet> {
    if !(100..700).contains(&number) {
        return None;
    }
    let mut explained = lang.explain(number, method.unwrap_or_default(), "");
    let key = explained.key.clone();
    let own = own().of_code(number, method.unwrap_or_default());
    if let Some(entry) = own {
        explained = entry.over(explained);
    }
    let known = knowledge::code(number);
    let class = lang.word(knowledge::class(number).0);
    let source = known.map_or_else(
        || lang.word("not registered").into_owned(),
        |code| source(code, lang),
    );
    let mut sheet = Sheet {
        key,
        title: format!("SIP {number} {}", explained.title),
        note: format!("{class} · {source}"),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let heading = |label: &'static str, text: fn(&Entry) -> &Option<String>| {
        let entry = own.filter(|entry| text(entry).is_some());
        heading(&lang.word(label), entry, lang)
    };
    let texts = [
        (
            "description",
            heading("Description", |e| &e.meaning),
            explained.meaning,
        ),
        (
            "when",
            heading("When You See It", |e| &e.when),
            explained.when,
        ),
        ("fix", heading("How to Fix", |e| &e.fix), explained.fix),
    ];
    for (id, heading, text) in texts {
        sheet.section(id, heading, text);
    }
    cases(&mut sheet, number, lang);
    if known.is_none_or(|code| !code.registered) {
        let near = knowledge::near(number);
        let near: Vec<String> = near
            .iter()
            .map(|c| format!("{} {}", c.code, c.title))
            .collect();
        sheet.section("near", lang.word("Did you mean"), near.join(", "));
    }
    let Some(code) = known else {
        return Some(sheet);
    };
    what_only_we_have(&mut sheet, code, lang);
    if method.is_none() {
        by_method_and_phrase(&mut sheet, code, lang);
    }
    Some(sheet)
}

fn status(code: &Code) -> &'static str {
    let known = ["obsolete", "vendor", "draft", "local"];
    let found = known.into_iter().find(|status| *status == code.status);
    found.unwrap_or("not known")
}

fn source(code: &Code, lang: &Lang) -> String {
    match (code.registered, code.rfc) {
        (true, Some(rfc)) => format!("RFC {rfc} §{}", code.section),
        (false, Some(rfc)) => format!(
            "{} ({}), RFC {rfc}",
            lang.word("not registered"),
            lang.word(status(code))
        ),
        _ => {
            let origin = lang.code_text(code.code, &["origin"], &code.origin);
            format!(
                "{} ({}){}{origin}",
                lang.word("not registered"),
                lang.word(status(code)),
                lang.word(": ")
            )
        }
    }
}

fn what_only_we_have(sheet: &mut Sheet, code: &Code, lang: &'static Lang) {
    let number = code.code;
    let (choice, sections) = knowledge::choice::choice(number);
    let [_, by, after, caller, _] = sections;
    let retry = lang.code_text(number, &["retry_note"], &code.retry_note);
    sheet.section(
        "by",
        lang.word("Who decides"),
        lang.text(&by, &["by"], &choice.by),
    );
    sheet.section(
        "after",
        lang.word("May another try succeed"),
        lang.text(&after, &["after"], &choice.after),
    );
    sheet.section(
        "caller",
        lang.word("What the caller does"),
        lang.text(&caller, &["caller"], &choice.caller),
    );
    sheet.section("retry", lang.word("May it be retried"), retry);
    sheet.section(
        "proxy",
        lang.word("What a proxy does with it"),
        proxy(number, lang),
    );
    sheet.section(
        "dialog",
        lang.word("Effect on the dialog (RFC 5057)"),
        dialog(code, lang),
    );
    let headers = code.headers.join(", ");
    sheet.section(
        "headers",
        lang.word("Headers that must or should come along"),
        headers,
    );
    sheet.section(
        "look-at",
        lang.word("Headers to read"),
        code.look_at.join(", "),
    );
    sheet.section("methods", lang.word("Met with"), code.methods.join(", "));
    let causes = knowledge::causes("Q.850").filter(|cause| cause.sip == Some(number));
    let causes =
        causes.map(|cause| vec![cause.code.to_string(), lang.cause_name(cause).into_owned()]);
    sheet.table(
        "q850",
        lang.word("Q.850 causes that gateways send as this code (RFC 3398)"),
        causes.collect(),
    );
    let made = knowledge::cause_of(number).filter(|_| code.registered);
    sheet.section(
        "to-q850",
        lang.word("Q.850 cause that gateways make of it (RFC 3398)"),
        made.map(|cause| format!("{} {}", cause.code, lang.cause_name(cause)))
            .unwrap_or_default(),
    );
    sheet.section("also", lang.word("Also written"), code.also.join(", "));
    sheet.table(
        "phrases",
        lang.word("Phrases seen with it"),
        phrases_seen(number, lang),
    );
    let rules = RULES
        .iter()
        .filter(|rule| rule.codes.contains(&number))
        .map(|rule| rule_row(rule, lang));
    sheet.table(
        "rules",
        lang.word("Rules that diagnose it"),
        rules.collect(),
    );
}

/// The registered phrase of a code; empty where it is not known.
pub(super) fn title(number: u16) -> String {
    knowledge::code(number)
        .map(|code| code.title.clone())
        .unwrap_or_default()
}

// What providers and products write, and what they mean by it.
fn phrases_seen(number: u16, lang: &Lang) -> Vec<Vec<String>> {
    let all = knowledge::phrases::phrases().iter();
    let with = all.filter(|phrase| phrase.codes.contains(&number));
    with.map(|phrase| {
        let said = if phrase.word.is_empty() {
            &phrase.says
        } else {
            &phrase.word
        };
        let means = lang
            .text("said", &[&phrase.means], &phrase.means)
            .into_owned();
        let who = match phrase.provider.is_empty() {
            true => String::new(),
            false => format!(" ({})", phrase.provider),
        };
        vec![format!("{said}{who}"), means]
    })
    .collect()
}

// RFC 3261 §16.7: what a proxy passes on, and when.
fn proxy(number: u16, lang: &Lang) -> String {
    let text = match number {
        100 => "It is never passed on: each hop sends its own.",
        101..200 => "It is passed on at once, and timer C begins anew.",
        200..300 => {
            "It is passed on at once, each of several; to an INVITE it ends the other branches with CANCEL."
        }
        300..400 => {
            "It may be followed by the proxy itself; else it is passed on once all branches are final."
        }
        401 | 407 => {
            "It is passed on once all branches are final, with the challenges of all of them together."
        }
        503 => {
            "It is not passed on: another server is tried, and if there is none the caller gets a 500."
        }
        400..600 => "It is kept until all branches are final; then the best of them is passed on.",
        _ => {
            "It is passed on once the other branches, which are cancelled, are final; none of them may succeed any more."
        }
    };
    lang.word(text).into_owned()
}

fn dialog(code: &Code, lang: &Lang) -> String {
    let text = match (code.dialog.as_str(), code.code) {
        ("creates", ..200) => "With a To tag it sets up an early dialog.",
        ("creates", _) => "To INVITE, SUBSCRIBE or REFER it sets up the dialog.",
        ("dialog", ..300) => "It ends the early dialog that its To tag names.",
        ("dialog", _) => "To a request inside a dialog it ends the whole dialog.",
        ("usage", _) => {
            "To a request inside a dialog it ends that use of it (the call or the subscription), not others."
        }
        ("transaction", _) => "Only the request has failed: the dialog goes on.",
        _ => return String::new(),
    };
    lang.word(text).into_owned()
}

fn by_method_and_phrase(sheet: &mut Sheet, code: &Code, lang: &Lang) {
    let of = |path: [&str; 2], texts: [(&str, &Option<String>); 3]| -> Vec<String> {
        let given = texts
            .into_iter()
            .filter_map(|(key, text)| Some((key, text.as_deref()?)));
        given
            .map(|(key, text)| {
                lang.code_text(code.code, &[path[0], path[1], key], text)
                    .into_owned()
            })
            .collect()
    };
    for m in &code.by_method {
        let texts = [("meaning", &m.meaning), ("when", &m.when), ("fix", &m.fix)];
        let heading = lang.say("As an answer to {method}", &[("method", m.method.clone())]);
        sheet.section(
            "method",
            heading,
            of(["method", &m.method], texts).join(" "),
        );
    }
    for v in &code.variant {
        let texts = [("meaning", &v.meaning), ("when", &v.when), ("fix", &v.fix)];
        let heading = lang.say(
            "With the phrase \"{phrase}\"",
            &[("phrase", v.phrase.clone())],
        );
        sheet.section(
            "phrase",
            heading,
            of(["phrase", &v.phrase], texts).join(" "),
        );
    }
}
