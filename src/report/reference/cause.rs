//! Pages about causes of the Reason header and codes of the Warning header.

use super::{Sheet, cited, code, rule_row};
use crate::diagnose::Rule;
use crate::diagnose::rules::RULES;
use crate::knowledge::{self, Cause};
use crate::lang::Lang;

/// The page of a cause of a Reason header or a code of a Warning header.
pub(super) fn cause(protocol: &str, number: u32, lang: &'static Lang) -> Option<Sheet> {
    let cause = knowledge::cause(protocol, number)?;
    let page = cause.page();
    let section = cause.section();
    let kind = lang.word(match cause.protocol.as_str() {
        "warning" => "code of the Warning header",
        _ => "cause of the Reason header",
    });
    let mut note = vec![kind.into_owned()];
    note.extend(
        [cited(&page.rfc), page.document]
            .into_iter()
            .filter(|n| !n.is_empty()),
    );
    let mut sheet = Sheet {
        key: cause.id().replacen('-', ":", 1),
        title: format!("{} {} {}", cause.protocol, cause.code, cause.name),
        note: note.join(" · "),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let name = lang.cause_name(cause);
    if name != cause.name {
        sheet.section("name", lang.word("Name"), name);
    }
    let own = |section: &str, key: &str, text: &str| lang.text(section, &[key], text).into_owned();
    sheet.section(
        "description",
        lang.word("Description"),
        own(&section, "meaning", &page.meaning),
    );
    sheet.section(
        "when",
        lang.word("When You See It"),
        own(&page.when_in, "when", &page.when),
    );
    sheet.section(
        "fix",
        lang.word("How to Fix"),
        own(&page.fix_in, "fix", &page.fix),
    );
    sheet.section(
        "place",
        lang.word("Where it stands"),
        lang.word(place(cause)),
    );
    both_ways(&mut sheet, cause, lang);
    let number = u32::from(cause.code);
    let reads = |rule: &&&Rule| {
        let mut causes = rule.causes.iter();
        causes.any(|(of, causes)| *of == cause.protocol && causes.read(number))
    };
    let rules = RULES.iter().filter(reads).map(|rule| rule_row(rule, lang));
    sheet.table(
        "rules",
        lang.word("Rules that diagnose it"),
        rules.collect(),
    );
    Some(sheet)
}

fn place(cause: &Cause) -> &'static str {
    match cause.protocol.as_str() {
        "warning" => {
            "In the Warning header of a response, behind it the host that says so and a text."
        }
        "Q.850" => "In the Reason header of BYE, of CANCEL and of any response but 100 (RFC 6432).",
        "STIR" => "In the Reason header of a response; the call may go on all the same.",
        _ => "In the Reason header of BYE, of CANCEL or of a response.",
    }
}

// RFC 3398: what a gateway sends for the cause, and what it makes the cause of.
fn both_ways(sheet: &mut Sheet, cause: &Cause, lang: &'static Lang) {
    let case = |text: &str| lang.text("said", &[text], text).into_owned();
    let row = |code: u16, remark: &str| vec![code.to_string(), join(&code::title(code), remark)];
    let mut to = Vec::new();
    if let Some(code) = cause.sip {
        let remark = match cause.by_default {
            true => lang
                .word("by default: RFC 3398 does not list the cause")
                .into_owned(),
            false => String::new(),
        };
        to.push(row(code, &remark));
    }
    match cause.otherwise {
        Some(code) => to.push(row(code, &case(&cause.case))),
        None if !cause.case.is_empty() => to.push(vec!["-".to_owned(), case(&cause.case)]),
        None => {}
    }
    sheet.table("sip", lang.word("Gateways send it as (RFC 3398)"), to);
    let mut from: Vec<Vec<String>> = cause.from.iter().map(|code| row(*code, "")).collect();
    if !cause.from_else.is_empty() {
        from.push(vec!["-".to_owned(), case(&cause.from_else)]);
    }
    sheet.table(
        "from-sip",
        lang.word("Gateways make it of (RFC 3398)"),
        from,
    );
}

fn join(title: &str, remark: &str) -> String {
    match remark.is_empty() {
        true => title.to_owned(),
        false => format!("{title} ({remark})"),
    }
}
