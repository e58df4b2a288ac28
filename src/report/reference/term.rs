//! Pages about methods, headers, option tags, timers and protocols of the Reason header.

use super::{Sheet, cited, code, rule_row};
use crate::diagnose::Rule;
use crate::diagnose::rules::RULES;
use crate::knowledge::term::Term;
use crate::knowledge::{self, Code};
use crate::lang::Lang;

/// The page of a term.
pub(super) fn term(term: &Term, lang: &'static Lang) -> Sheet {
    let kind = lang.word(match term.kind.as_str() {
        "method" => "method",
        "header" => "header",
        "option" => "option tag",
        "timer" => "timer",
        _ => "protocol of the Reason header",
    });
    let cited = cited(&term.rfc);
    let mut note = kind.into_owned();
    if !cited.is_empty() {
        note += &format!(" · {cited}");
    }
    let mut sheet = Sheet {
        key: format!("{}:{}", term.kind, term.name),
        title: term.name.clone(),
        note,
        sections: Vec::new(),
        lang: lang.tag,
    };
    let says = lang
        .text(&term.section(), &["says"], &term.says)
        .into_owned();
    sheet.section("description", lang.word("Description"), says);
    let (trace, section) = term.in_trace();
    sheet.section(
        "trace",
        lang.word("In a trace"),
        lang.text(&section, &["trace"], trace),
    );
    let (fix, section) = term.to_do();
    sheet.section(
        "fix",
        lang.word("How to Fix"),
        lang.text(&section, &["fix"], fix),
    );
    match term.kind.as_str() {
        "method" => of_method(&mut sheet, &term.name, lang),
        "header" => of_header(&mut sheet, &term.name, lang),
        "reason" => {
            let causes = knowledge::causes(&term.name);
            let rows = causes.map(|c| vec![c.code.to_string(), lang.cause_name(c).into_owned()]);
            sheet.table("causes", lang.word("Its causes"), rows.collect());
        }
        _ => {}
    }
    let places: Vec<(u32, &str)> = term.rfc.iter().map(|(n, s)| (*n, s.as_str())).collect();
    let cites = |rule: &&&Rule| rule.rfc.iter().any(|place| places.contains(place));
    let rules = RULES.iter().filter(cites).map(|rule| rule_row(rule, lang));
    sheet.table("rules", lang.word("Rules that rest on it"), rules.collect());
    sheet
}

fn registered() -> impl Iterator<Item = &'static Code> {
    knowledge::codes().iter().filter(|code| code.registered)
}

fn row(of: &Code) -> Vec<String> {
    vec![of.code.to_string(), code::title(of.code)]
}

// What an answer means to this very method, and the other answers that it is met with.
fn of_method(sheet: &mut Sheet, method: &str, lang: &'static Lang) {
    let own: Vec<Vec<String>> = registered()
        .filter_map(|code| {
            let by_method = code.by_method.iter().find(|m| m.method == method)?;
            let meaning = by_method.meaning.as_deref()?;
            let text = lang.code_text(code.code, &["method", method, "meaning"], meaning);
            Some(vec![
                format!("{} {}", code.code, code.title),
                text.into_owned(),
            ])
        })
        .collect();
    sheet.table("answers", lang.word("What answers mean to it"), own);
    let met = registered().filter(|code| code.methods.iter().any(|m| m == method));
    sheet.table(
        "met",
        lang.word("Answers it is met with above all"),
        met.map(row).collect(),
    );
}

// The answers that carry a header.
fn of_header(sheet: &mut Sheet, header: &str, lang: &'static Lang) {
    let holds = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(header));
    let must = registered().filter(|code| holds(&code.headers));
    sheet.table(
        "must",
        lang.word("Responses that must or should carry it"),
        must.map(row).collect(),
    );
    let read = registered().filter(|code| holds(&code.look_at) && !holds(&code.headers));
    sheet.table(
        "read",
        lang.word("Responses in which it is worth reading"),
        read.map(row).collect(),
    );
}
