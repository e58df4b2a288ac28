//! Patterns in the last part of a path, for shells that leave them to the program: `*` any
//! characters, `?` one, `[a-z]` one of these, `[!a-z]` one of the others.

use std::path::{Path, PathBuf};

/// Whether a path that does not exist may be meant as a pattern.
pub(crate) fn is_pattern(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.contains(['*', '?', '[']))
}

/// The files beside each other whose name fits, by name. As in a shell, a leading dot has to be
/// written out.
pub(crate) fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let pattern: Vec<char> = name.to_string_lossy().chars().collect();
    let here = folder.as_os_str().is_empty();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(if here { Path::new(".") } else { folder })? {
        let name = entry?.file_name();
        let text: Vec<char> = name.to_string_lossy().chars().collect();
        let hidden = text.first() == Some(&'.') && pattern.first() != Some(&'.');
        let path = folder.join(&name);
        if !hidden && fits(&pattern, &text) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name fits a pattern. A `*` that fits more than needed is widened later, and only the
/// last one: so no pattern takes longer than its length times that of the name.
fn fits(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while place < name.len() {
        let rest = pattern.get(at..).unwrap_or_default();
        if rest.first() == Some(&'*') {
            star = Some((at, place));
            at += 1;
        } else if let Some(width) = name.get(place).and_then(|&c| one(rest, c)) {
            at += width;
            place += 1;
        } else if let Some((from, taken)) = star {
            star = Some((from, taken + 1));
            (at, place) = (from + 1, taken + 1);
        } else {
            return false;
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|&c| c == '*')
}

/// The length of the part of a pattern that this character fits.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', set @ ..] => match class(set, c) {
            Some((true, length)) => Some(length + 1),
            Some((false, _)) => None,
            // Without an end it is a plain bracket.
            None => (c == '[').then_some(1),
        },
        [plain, ..] => (*plain == c).then_some(1),
        [] => None,
    }
}

/// Whether a set holds the character, and the length of the set with its end.
fn class(set: &[char], c: char) -> Option<(bool, usize)> {
    let inverted = matches!(set, ['!' | '^', ..]);
    let start = usize::from(inverted);
    // A bracket in the first place stands for itself.
    let length = set.iter().skip(start + 1).position(|&c| c == ']')? + start + 1;
    let members = set.get(start..length)?;
    let mut holds = false;
    let mut at = 0;
    while let Some(rest) = members.get(at..).filter(|rest| !rest.is_empty()) {
        if let [low, '-', high, ..] = rest {
            holds |= (*low..=*high).contains(&c);
            at += 3;
        } else {
            holds |= rest.first() == Some(&c);
            at += 1;
        }
    }
    Some((holds != inverted, length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, name: &str) -> bool {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        fits(&chars(pattern), &chars(name))
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("trace.pcap*", "trace.pcap0", true),
            ("trace.pcap*", "trace.pcap", true),
            ("*.pcap", "a.pcapng", false),
            ("*a*b*c", "xxaxxbxxbxxc", true),
            ("cap_?????_*.pcap", "cap_00001_20260101.pcap", true),
            ("t[0-35].log", "t2.log", true),
            ("t[0-35].log", "t5.log", true),
            ("t[0-35].log", "t4.log", false),
            ("t[!0-3].log", "t4.log", true),
            ("t[]x].log", "t].log", true),
            ("t[1.log", "t[1.log", true),
            ("?", "", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fit(pattern, name), expected, "{pattern} {name}");
        }
        let many = "*a".repeat(40);
        assert!(!fit(&many, &"a".repeat(39)), "and takes no time");
    }
}
