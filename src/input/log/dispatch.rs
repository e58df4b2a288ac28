//! Which format a line belongs to.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::draft::Draft;
use super::{Format, LOGS, Line, Opening, Signs, raw, start_line};

/// A bit for each format of [`LOGS`], the first one the lowest.
type Set = u64;

const _: () = assert!(LOGS.len() <= Set::BITS as usize, "a wider set of formats");

/// For each byte the formats whose lines may begin, or end, with it; and the word that each asks for,
/// with all formats that ask for the same.
struct Table {
    first: [Set; 256],
    last: [Set; 256],
    untimed: Set,
    unmentioned: Set,
    words: Vec<(Finder<'static>, Set)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        first: [0; 256],
        last: [0; 256],
        untimed: 0,
        unmentioned: 0,
        words: Vec::new(),
    };
    for (n, format) in LOGS.iter().enumerate() {
        let (signs, bit) = (&format.signs, 1 << n);
        for (sets, bytes) in [
            (&mut table.first, signs.first),
            (&mut table.last, signs.last),
        ] {
            for (byte, set) in (0..=u8::MAX).zip(sets) {
                // Bytes beyond ASCII at the end may be blanks of another kind.
                let fits = bytes.is_empty() || bytes.contains(&byte) || !byte.is_ascii();
                *set |= if fits { bit } else { 0 };
            }
        }
        table.untimed |= if signs.timed { 0 } else { bit };
        let start = signs.word == Signs::START_LINE.word;
        table.unmentioned |= if start { 0 } else { bit };
        let same = LOGS.iter().enumerate();
        let same = same.filter(|(_, other)| other.signs.word == signs.word);
        let sharing = same.fold(0, |set, (n, _)| set | 1 << n);
        table.words.push((Finder::new(signs.word), sharing));
    }
    table
});

impl Table {
    /// The formats whose signs a line has, but for the words.
    fn of(&self, line: &Line<'_>) -> Set {
        let last = line.text.iter().rev().find(|byte| **byte > b' ');
        let (Some(first), Some(last)) = (line.text.first(), last) else {
            return 0;
        };
        let of = |sets: &[Set; 256], byte: u8| sets.get(usize::from(byte)).copied();
        let timed = match line.prefix.stamp {
            Some(_) => Set::MAX,
            None => self.untimed,
        };
        of(&self.first, *first).unwrap_or(0) & of(&self.last, *last).unwrap_or(0) & timed
    }
}

/// What a line opens, in which a start line may be or not, by the first format that recognises it.
pub(super) fn opened_by(
    line: &Line<'_>,
    mentions: bool,
    draft: &Draft,
) -> Option<(&'static Format, Opening)> {
    if mentions && start_line::is_clean(line.text) {
        let format = &raw::FORMAT;
        let opening = (format.recognise)(line).filter(|_| !draft.expects_fragment());
        return opening.map(|opening| (format, opening));
    }
    let table = &*TABLE;
    let mut left = table.of(line);
    if !mentions {
        left &= table.unmentioned;
    }
    while left != 0 {
        let n = left.trailing_zeros() as usize;
        left &= left - 1;
        let (format, (word, sharing)) = (LOGS.get(n)?, table.words.get(n)?);
        if !format.signs.word.is_empty() && word.find(line.text).is_none() {
            left &= !sharing;
            continue;
        }
        // A start line quoted in the body of a NOTIFY (message/sipfrag) opens nothing.
        let opening = (format.recognise)(line)
            .filter(|opening| opening.starts_at.is_none() || !draft.expects_fragment());
        if let Some(opening) = opening {
            return Some((format, opening));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::input::log::{Cut, prefix};

    fn line(content: &[u8]) -> Line<'_> {
        let prefix = prefix::of(content);
        Line {
            prefix,
            text: &content[prefix.len..],
            end: b"\n",
        }
    }

    fn texts_in(folder: &Path) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(folder).unwrap();
        let texts = entries.map(|entry| entry.unwrap().path());
        texts
            .flat_map(|path| match path.is_dir() {
                true => texts_in(&path),
                false => vec![std::fs::read(path).unwrap()],
            })
            .collect()
    }

    /// The lines of all logs of the fixtures, and the same with what other loggers put around them.
    fn lines() -> Vec<Vec<u8>> {
        let around = [
            ("", ""),
            (" ", "\r"),
            ("> ", " "),
            ("[May 17 08:01:35] ", "\u{a0}"),
        ];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs");
        let mut lines = Vec::new();
        for text in texts_in(&folder) {
            for line in text.split(|byte| *byte == b'\n') {
                for (before, behind) in around {
                    lines.push([before.as_bytes(), line, behind.as_bytes()].concat());
                }
            }
        }
        lines
    }

    #[test]
    fn what_a_format_recognises_has_its_signs() {
        let mut recognised = vec![0; LOGS.len()];
        for content in lines() {
            let line = line(&content);
            for (n, format) in LOGS.iter().enumerate() {
                if (format.recognise)(&line).is_none() {
                    continue;
                }
                recognised[n] += 1;
                let signs = TABLE.of(&line) >> n & 1 == 1;
                let word = TABLE.words[n].0.find(line.text).is_some();
                let text = String::from_utf8_lossy(&content);
                assert!(signs && word, "{}: {text}", format.name);
            }
        }
        for (format, count) in LOGS.iter().zip(recognised) {
            assert!(count > 0, "no line of {} in the fixtures", format.name);
        }
    }

    #[test]
    fn bare_formats_leave_headers_descriptions_and_blank_lines_alone() {
        let texts = [
            "Via: SIP/2.0/UDP a:5060;branch=1",
            "To: \"A, b\" <sip:a@b>;tag=1",
            "a=sendrecv",
            "o=- 1 1 IN IP4 192.0.2.1",
            "",
        ];
        let ends = [&b"\n"[..], b"\r\n"];
        let both = |end| [(end, true), (end, false)];
        for format in LOGS.iter().filter(|format| format.bare) {
            for (text, (end, crlf)) in texts
                .iter()
                .flat_map(|text| ends.into_iter().flat_map(both).map(move |end| (text, end)))
            {
                let line = Line {
                    end,
                    ..line(text.as_bytes())
                };
                let opening = Opening {
                    begun: true,
                    crlf,
                    ..Opening::default()
                };
                let cut = (format.cut)(&line, &opening);
                assert!(matches!(cut, Cut::Text(0)), "{}: {text}", format.name);
            }
        }
    }
}
