//! The page of a class of response codes: a line for each code.

use super::Sheet;
use crate::knowledge::{self, Code, choice};
use crate::lang::Lang;

/// The page of a class, from 1 to 6.
pub(super) fn class(digit: u16, lang: &'static Lang) -> Sheet {
    let (name, effect) = knowledge::class(digit.saturating_mul(100));
    let mut sheet = Sheet {
        key: format!("{digit}xx"),
        title: format!("SIP {digit}xx {}", lang.word(name)),
        note: "RFC 3261 §21".to_owned(),
        sections: Vec::new(),
        lang: lang.tag,
    };
    let args = [
        ("class", lang.word(name).into_owned()),
        ("effect", lang.word(effect).into_owned()),
    ];
    let says = lang.say("{class}: {effect}.", &args);
    sheet.section("description", lang.word("Description"), says);
    let of_class = || {
        knowledge::codes()
            .iter()
            .filter(|code| code.code / 100 == digit)
    };
    for (id, heading, registered) in [
        ("registered", "Registered", true),
        ("unregistered", "Not registered, met all the same", false),
    ] {
        let some = of_class().filter(|code| code.registered == registered);
        sheet.table(
            id,
            lang.word(heading),
            some.map(|code| row(code, lang)).collect(),
        );
    }
    let first = of_class().next().map(|code| code.code.to_string());
    let ask = first.map(|code| {
        lang.say(
            "Ask for one of them: sipexplain code {code}",
            &[("code", code)],
        )
    });
    sheet.section("more", lang.word("See"), ask.unwrap_or_default());
    sheet
}

// `404`, `Not Found: what it says`
fn row(code: &Code, lang: &'static Lang) -> Vec<String> {
    let (choice, [says_in, ..]) = choice::choice(code.code);
    let says = lang.text(&says_in, &["says"], &choice.says);
    let text = match says.is_empty() {
        true => code.title.clone(),
        false => format!("{}{}{says}", code.title, lang.word(": ")),
    };
    vec![code.code.to_string(), text]
}
