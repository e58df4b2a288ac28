//! The trace of Cisco Unity Express: the start line is glued to the state of the call.

use super::clock::Date;
use super::{Cut, Format, Line, Opening, Signs, one_line, stamps, start_line};

/// `4846 07/04 09:35:16.509 ACCN SIPL 0 sip-ltp17: 3602, State=CONTACTING SIP/2.0 100 Trying`
pub(super) static FORMAT: Format = Format {
    name: "cisco-cue",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let clock = entry(line.text)?;
    let state = memchr::memmem::find(line.text, b" SIPL ")?;
    let words = memchr::memchr_iter(b' ', line.text.get(state..)?);
    let starts_at = words.map(|at| state + at + 1).find(|at| {
        let found = line.text.get(*at..).and_then(start_line::find);
        found.is_some_and(|found| found.at == 0)
    });
    // The start line may have been cut off onto a line of its own.
    let words = line.text.trim_ascii_end().rsplit(|byte| *byte == b' ');
    let state = words.map(|word| word.strip_prefix(b"State=")).next()?;
    let only_state = state.is_some_and(|state| state.iter().all(u8::is_ascii_uppercase));
    (starts_at.is_some() || only_state).then(|| Opening {
        stamp: stamps::at(clock.0, clock.1),
        starts_at,
        ..Opening::default()
    })
}

/// The date and time of a trace line.
fn entry(text: &[u8]) -> Option<(Date, &str)> {
    text.first().filter(|byte| byte.is_ascii_digit())?;
    let mut words = std::str::from_utf8(text).ok()?.split(' ');
    words.next()?.parse::<u32>().ok()?;
    let (month, day) = words.next()?.split_once('/')?;
    let date = Date::MonthDay(month.parse().ok()?, day.parse().ok()?);
    let sane = matches!(date, Date::MonthDay(1..=12, 1..=31));
    Some((date, words.next()?)).filter(|_| sane)
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match entry(line.text) {
        Some(_) => Cut::Foreign,
        None => Cut::Text(0),
    }
}
