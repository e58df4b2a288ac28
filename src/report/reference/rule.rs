//! Pages about rules.

use super::Sheet;
use crate::diagnose::Rule;
use crate::lang::Lang;

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

/// In a page about the rule itself the arguments are named.
pub(in crate::report) fn placeholders(template: &str) -> String {
    template.replace('{', "<").replace('}', ">")
}
