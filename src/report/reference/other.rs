//! Pages about causes, warnings, terms and rules.

use super::Sheet;
use crate::diagnose::Rule;
use crate::knowledge;
use crate::knowledge::term::Term;
use crate::lang::Lang;

/// What stands before the number where a cause is asked for: `q850`.
pub(super) fn prefix(protocol: &str) -> String {
    protocol.to_ascii_lowercase().replace('.', "")
}

/// The page of a cause of a Reason header or a code of a Warning header.
pub(super) fn cause(protocol: &str, number: u32, lang: &'static Lang) -> Option<Sheet> {
    let cause = knowledge::cause(protocol, number)?;
    let mut sheet = Sheet {
        key: format!("{}:{number}", prefix(protocol)),
        title: format!("{} {} {}", cause.protocol, cause.code, cause.name),
        note: String::new(),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let name = lang.cause_name(cause);
    if name != cause.name {
        sheet.section("name", lang.word("Name"), name);
    }
    sheet.section("points-to", lang.word("Points to"), lang.cause_hint(cause));
    if let Some(sip) = cause.sip {
        let title = knowledge::code(sip)
            .map(|code| code.title.clone())
            .unwrap_or_default();
        sheet.section(
            "sip",
            lang.word("Gateways send it as (RFC 3398)"),
            format!("{sip} {title}"),
        );
    }
    Some(sheet)
}

/// The page of a method, header, option tag, timer or Reason protocol.
pub(super) fn term(term: &Term, lang: &'static Lang) -> Sheet {
    let kind = lang.word(match term.kind.as_str() {
        "method" => "method",
        "header" => "header",
        "option" => "option tag",
        "timer" => "timer",
        _ => "protocol of the Reason header",
    });
    let cited: Vec<String> = term
        .rfc
        .iter()
        .map(|(number, section)| format!("RFC {number} §{section}"))
        .collect();
    let mut note = kind.into_owned();
    if !cited.is_empty() {
        note += &format!(" · {}", cited.join(", "));
    }
    let section = term.section();
    let mut sheet = Sheet {
        key: format!("{}:{}", term.kind, term.name),
        title: term.name.clone(),
        note,
        sections: Vec::new(),
        lang: lang.tag,
    };
    sheet.section(
        "description",
        lang.word("Description"),
        lang.text(&section, &["says"], &term.says),
    );
    sheet.section(
        "trace",
        lang.word("In a trace"),
        lang.text(&section, &["trace"], &term.trace),
    );
    sheet
}

/// The page of a rule.
pub fn rule(rule: &Rule, lang: &'static Lang) -> Sheet {
    let text = |id: &str| placeholders(&lang.rule_text(rule, id));
    let mut sheet = Sheet {
        key: rule.id.to_owned(),
        title: format!(
            "{}[{}] {}",
            lang.word(rule.severity.word()),
            rule.id,
            text("title")
        ),
        note: format!(
            "{}{}{}",
            lang.word("frequency"),
            lang.word(": "),
            lang.word(rule.frequency.word())
        ),
        sections: Vec::new(),
        lang: lang.tag,
    };
    sheet.section("why", lang.word("Why"), text("why"));
    sheet.section("fix", lang.word("How to Fix"), text("fix"));
    for (id, _) in rule.sentences {
        match id.split_once('-').map_or(*id, |(kind, _)| kind) {
            "why" => sheet.section("or-why", lang.word("Or"), text(id)),
            "fix" => sheet.section("or-fix", lang.word("Then"), text(id)),
            _ => {}
        }
    }
    for (product, _) in rule.settings {
        sheet.section("settings", product.name(), text(product.id()));
    }
    if !rule.confirm.is_empty() {
        sheet.section(
            "confirm",
            lang.word("It would be shown by"),
            text("confirm"),
        );
    }
    let explains: Vec<&str> = rule.explains.to_vec();
    sheet.section(
        "explains",
        lang.word("What follows from it"),
        explains.join(", "),
    );
    let needs: Vec<_> = rule
        .needs
        .iter()
        .map(|need| lang.word(need.word()))
        .collect();
    sheet.section("needs", lang.word("Needs"), needs.join(", "));
    let cited: Vec<_> = rule
        .documents()
        .map(|rfc| format!("RFC {} §{}", rfc.number, rfc.section))
        .collect();
    sheet.section("see", lang.word("See"), cited.join(", "));
    sheet
}

/// All rules: id, severity, frequency, title.
pub fn rules(rules: &[&Rule], lang: &'static Lang) -> Vec<[String; 4]> {
    let row = |rule: &&Rule| {
        [
            rule.id.to_owned(),
            lang.word(rule.severity.word()).into_owned(),
            lang.word(rule.frequency.word()).into_owned(),
            placeholders(&lang.rule_text(rule, "title")),
        ]
    };
    rules.iter().map(row).collect()
}

// In a page about the rule itself the arguments are named.
fn placeholders(template: &str) -> String {
    template.replace('{', "<").replace('}', ">")
}
