//! What was asked for: `607`, `4xx`, `480-489`, `"not acceptable"`, `q850:21`, `method REFER`.

use super::{Sheet, cause, class, code, own, term as terms};
use crate::knowledge::{self, term};
use crate::lang::Lang;

/// Kinds of terms.
const TERMS: [&str; 5] = ["reason", "method", "header", "option", "timer"];

/// Codes that a phrase finds at most.
const MOST: usize = 12;

/// The pages that fit, or why there is none, with suggestions.
///
/// # Errors
/// A sentence for the user where nothing fits.
pub fn find(asked: &str, method: Option<&str>, lang: &'static Lang) -> Result<Vec<Sheet>, String> {
    let asked = asked.trim();
    if let Some((kind, name)) = asked.split_once(':') {
        return prefixed(&kind.to_ascii_lowercase(), name, lang).map(|sheet| vec![sheet]);
    }
    if let Some(digit) = digit(asked) {
        return Ok(vec![class::class(digit, lang)]);
    }
    if let Some((from, until)) = range(asked) {
        let inside = knowledge::codes()
            .iter()
            .filter(|c| c.registered && (from..=until).contains(&c.code));
        let sheets: Vec<Sheet> = inside
            .filter_map(|c| code::code(c.code, method, lang))
            .collect();
        return match sheets.is_empty() {
            true => Err(format!("no registered code from {from} to {until}")),
            false => Ok(sheets),
        };
    }
    match asked.parse::<u16>() {
        Ok(number) => code::code(number, method, lang)
            .map(|sheet| vec![sheet])
            .ok_or_else(|| no_code(number)),
        Err(_) => by_phrase(asked, method, lang),
    }
}

/// The page of a term.
///
/// # Errors
/// A sentence for the user where there is none, with near ones.
pub fn term(kind: &str, name: &str, lang: &'static Lang) -> Result<Sheet, String> {
    if let Some(term) = term::term(kind, name) {
        return Ok(terms::term(term, lang));
    }
    let near = term::near(kind, name);
    let near = match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    };
    Err(format!("{name} is not in the table{near}"))
}

fn prefixed(kind: &str, name: &str, lang: &'static Lang) -> Result<Sheet, String> {
    if TERMS.contains(&kind) {
        return term(kind, name, lang);
    }
    // A protocol as it is written in a Reason header, or nearly so.
    let bare = |text: &str| text.to_ascii_lowercase().replace(['.', '-', '_'], "");
    let wanted = match kind {
        "warn" => "warning".to_owned(),
        _ => bare(kind),
    };
    let known = knowledge::all_causes();
    let Some(protocol) = known
        .iter()
        .map(|c| &c.protocol)
        .find(|p| bare(p) == wanted)
    else {
        return Err(format!(
            "known tables are q850, warning, stir, preemption, release_cause, failure_cause, {}, as in q850:34",
            TERMS.join(", ")
        ));
    };
    let number = name.trim().parse().ok();
    let sheet = number.and_then(|number| cause::cause(protocol, number, lang));
    sheet.ok_or_else(|| {
        let near = number
            .map(|number| near(protocol, number))
            .unwrap_or_default();
        let near = match near.is_empty() {
            true => String::new(),
            false => format!("; near ones: {}", near.join(", ")),
        };
        format!("no such {kind} number in the table{near}")
    })
}

// The causes of a protocol next to a number.
fn near(protocol: &str, number: u32) -> Vec<String> {
    let mut all: Vec<_> = knowledge::causes(protocol).collect();
    all.sort_by_key(|cause| u32::from(cause.code).abs_diff(number));
    all.iter()
        .take(2)
        .map(|cause| format!("{} {}", cause.code, cause.name))
        .collect()
}

// `4xx`
fn digit(asked: &str) -> Option<u16> {
    let digit = asked
        .to_ascii_lowercase()
        .strip_suffix("xx")?
        .parse()
        .ok()?;
    (1..=6).contains(&digit).then_some(digit)
}

fn range(asked: &str) -> Option<(u16, u16)> {
    let (from, until) = asked.split_once('-')?;
    Some((from.trim().parse().ok()?, until.trim().parse().ok()?))
}

fn no_code(number: u16) -> String {
    let range = "status codes run from 100 to 699";
    // Numbers that programs count or log, and that no message carries.
    if let Some(local) = knowledge::code(number) {
        return format!(
            "{range}; {number} comes from {}. {}",
            local.origin, local.meaning
        );
    }
    let near: Vec<_> = knowledge::near(number)
        .iter()
        .map(|code| code.code.to_string())
        .collect();
    match near.is_empty() {
        true => range.to_owned(),
        false => format!("{range}; did you mean {}?", near.join(" or ")),
    }
}

// The phrase itself and those that begin with it; else every word must be in a phrase of the code.
fn by_phrase(asked: &str, method: Option<&str>, lang: &'static Lang) -> Result<Vec<Sheet>, String> {
    let of_user = own::pages(asked, lang);
    let words: Vec<String> = asked.split_whitespace().map(str::to_lowercase).collect();
    let holds = |text: &str| {
        let text = text.to_lowercase();
        !words.is_empty() && words.iter().all(|word| text.contains(word))
    };
    let exact = |c: &&knowledge::Code| c.title.eq_ignore_ascii_case(asked);
    let fits = |c: &&knowledge::Code| {
        let variants = c.variant.iter().map(|v| &v.phrase);
        variants
            .chain([&c.title])
            .chain(&c.also)
            .any(|phrase| holds(phrase))
    };
    let begins = |c: &&knowledge::Code| {
        let title = c.title.to_lowercase();
        title
            .strip_prefix(&asked.to_lowercase())
            .is_some_and(|rest| rest.starts_with(' '))
    };
    let known = || {
        knowledge::codes()
            .iter()
            .filter(|c| (100..700).contains(&c.code))
    };
    let mut found: Vec<_> = known().filter(exact).collect();
    if !found.is_empty() {
        found.extend(known().filter(begins));
    } else {
        found = known().filter(fits).take(MOST).collect();
    }
    let found = found
        .into_iter()
        .filter_map(|c| code::code(c.code, method, lang));
    let all: Vec<Sheet> = of_user.into_iter().chain(found).collect();
    if !all.is_empty() {
        return Ok(all);
    }
    let words = asked.to_lowercase();
    let nearest = known().min_by_key(|c| knowledge::distance(&c.title.to_lowercase(), &words));
    let near =
        nearest.filter(|c| knowledge::distance(&c.title.to_lowercase(), &words) <= words.len() / 2);
    let hint = near.map_or_else(String::new, |c| {
        format!("; did you mean {} {}?", c.code, c.title)
    });
    Err(format!(
        "no phrase has these words; ask for a number as in `sipexplain code 607`, a class such as 4xx, or words of a phrase{hint}"
    ))
}
