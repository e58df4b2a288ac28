//! Counts and times with a least and a most.

use crate::lang::words::Words;

/// A number between two others, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The least.
    pub(super) least: u64,
    /// The most.
    pub(super) most: u64,
}

impl Count {
    /// At least one, where the file does not say.
    pub(super) const SOME: Count = Count {
        least: 1,
        most: u64::MAX,
    };

    /// Exactly so many.
    pub(super) fn exact(number: u64) -> Count {
        Count {
            least: number,
            most: number,
        }
    }

    /// `3`, `1..5`, `2..`, `..5`.
    pub(super) fn parse(text: &str) -> Option<Count> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let Some((least, most)) = text.split_once("..") else {
            return number(text).map(Count::exact);
        };
        let (least, most) = (least.trim(), most.trim());
        let count = Count {
            least: if least.is_empty() { 0 } else { number(least)? },
            most: if most.is_empty() {
                u64::MAX
            } else {
                number(most)?
            },
        };
        let says = !(least.is_empty() && most.is_empty());
        (says && count.least <= count.most).then_some(count)
    }

    /// Is it one of them?
    pub(super) fn holds(self, number: u64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

impl Count {
    /// As it is shown to people.
    pub(super) fn told(self) -> Words {
        match (self.least, self.most) {
            (least, most) if least == most => calls(least),
            (least, u64::MAX) => Words::label("at least {a}").with("a", calls(least)),
            (0, most) => Words::label("at most {a}").with("a", calls(most)),
            (least, most) => between(least.to_string().into(), calls(most)),
        }
    }
}

fn calls(number: u64) -> Words {
    let total = number.to_string();
    match number {
        0 => Words::label("no call"),
        1 => Words::label("{total} call").with("total", total),
        _ => Words::label("{total} calls").with("total", total),
    }
}

fn between(least: Words, most: Words) -> Words {
    Words::label("{a} to {b}").with("a", least).with("b", most)
}

/// A time between two others, both included; nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// The least.
    pub(super) least: Option<i64>,
    /// The most.
    pub(super) most: Option<i64>,
}

impl Limit {
    /// `3s` (at most), `500ms..`, `..2m`, `1s..3s`.
    pub(super) fn parse(text: &str) -> Option<Limit> {
        let part = |text: &str| match text.trim() {
            "" => Some(None),
            text => duration(text).map(Some),
        };
        let (least, most) = text.split_once("..").unwrap_or(("", text));
        let limit = Limit {
            least: part(least)?,
            most: part(most)?,
        };
        let in_order = match (limit.least, limit.most) {
            (None, None) => false,
            (Some(least), Some(most)) => least <= most,
            _ => true,
        };
        in_order.then_some(limit)
    }

    /// Is it one of them?
    pub(super) fn holds(self, time: i64) -> bool {
        self.least.is_none_or(|least| time >= least) && self.most.is_none_or(|most| time <= most)
    }
}

impl Limit {
    /// As it is shown to people.
    pub(super) fn told(self) -> Words {
        match (self.least, self.most) {
            (Some(least), Some(most)) => between(shown(least).into(), shown(most).into()),
            (Some(least), None) => Words::label("at least {a}").with("a", shown(least)),
            (None, Some(most)) => Words::label("at most {a}").with("a", shown(most)),
            (None, None) => Words::default(),
        }
    }
}

const UNITS: [(&str, f64); 5] = [
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("min", 60e9),
    ("h", 3600e9),
];

// `500ms`, `1.5s`; in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let digits = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b'.');
    let (number, unit) = text.split_at(digits.count());
    let number: f64 = number.parse().ok()?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let nanoseconds = number * factor;
    // A day is more than any call that is checked; the cast is exact below that.
    (nanoseconds <= 24.0 * 3600e9).then_some(nanoseconds.round() as i64)
}

/// A time as people read it: to the millisecond, to the microsecond where it is short.
pub(super) fn shown(nanoseconds: i64) -> String {
    let size = nanoseconds.abs();
    let (value, unit) = match size {
        ..10_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        10_000_000..1_000_000_000 => return format!("{} ms", nanoseconds / 1_000_000),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_limits_are_read_as_they_are_written() {
        assert_eq!(Count::parse("3"), Some(Count::exact(3)));
        assert_eq!(Count::parse("1.."), Some(Count::SOME));
        assert!(Count::parse("2..4").unwrap().holds(4));
        assert!(!Count::parse("..4").unwrap().holds(5));
        for wrong in ["", "..", "x", "5..2", "-1", "1...3"] {
            assert_eq!(Count::parse(wrong), None, "{wrong}");
        }
        let told = |text| Limit::parse(text).unwrap().told().english();
        assert_eq!(told("3s"), "at most 3 s");
        assert_eq!(told("500ms..1.5s"), "500 ms to 1.5 s");
        assert_eq!(told("2min.."), "at least 120 s");
        assert!(Limit::parse("1s..2s").unwrap().holds(2_000_000_000));
        assert!(!Limit::parse("1s..2s").unwrap().holds(2_000_000_001));
        for wrong in ["", "..", "3", "3 apples", "2s..1s", "-1s", "999h", "1..2s"] {
            assert_eq!(Limit::parse(wrong), None, "{wrong}");
        }
        assert_eq!(shown(1_250_000), "1.25 ms");
        assert_eq!(shown(47_000_000), "47 ms");
        assert_eq!(shown(-2_000_000_000), "-2 s");
    }
}
