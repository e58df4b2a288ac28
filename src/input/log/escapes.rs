//! Records that hold a whole message on one line, its line ends escaped.

use memchr::memmem;

use super::{flat, start_line};

/// How a writer escapes the end of a line, and what else it escapes.
struct Escape {
    /// What every end begins with.
    mark: u8,
    /// An end that another one begins with comes behind that.
    ends: &'static [&'static str],
    others: &'static [(&'static str, &'static str)],
}

impl Escape {
    /// Whether the line holds one of its ends so many times.
    fn is_in(&self, line: &[u8], enough: usize) -> bool {
        // Most lines hold none of the marks.
        memchr::memchr(self.mark, line).is_some()
            && self.ends.iter().any(|end| {
                let ends = memmem::find_iter(line, end);
                ends.take(enough).count() >= enough
            })
    }

    /// Length of the end that the text begins with.
    fn end_at(&self, text: &[u8]) -> Option<usize> {
        let mut ends = self.ends.iter();
        let end = ends.find(|end| text.starts_with(end.as_bytes()))?;
        Some(end.len())
    }
}

/// The surest first; two ends on a line decide.
static ESCAPES: &[Escape] = &[
    // rsyslog
    Escape {
        mark: b'#',
        ends: &["#015#012", "#012"],
        others: &[("#011", "\t"), ("#015", "")],
    },
    // Kiwi syslog
    Escape {
        mark: b'<',
        ends: &["<013><010>", "<010>"],
        others: &[("<009>", "\t")],
    },
    // C and JSON strings, once and twice
    Escape {
        mark: b'\\',
        ends: &["\\\\r\\\\n", "\\\\n"],
        others: &[("\\\\\"", "\""), ("\\\\t", "\t")],
    },
    Escape {
        mark: b'\\',
        ends: &["\\r\\n", "\\n"],
        others: &[("\\\"", "\""), ("\\t", "\t"), ("\\/", "/")],
    },
    // XML
    Escape {
        mark: b'&',
        ends: &["&#xD;&#xA;", "&#13;&#10;", "&#xA;", "&#10;"],
        others: &[
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&amp;", "&"),
        ],
    },
    // Avaya phones
    Escape {
        mark: b'^',
        ends: &["^M "],
        others: &[("^M", "")],
    },
];

/// The lines of a record that holds a message with escaped line ends, or goes on with one; `None` for
/// any other line. `goes_on` if the record before it was escaped, `mentions` if a start line may be in it.
pub(super) fn undo(line: &[u8], goes_on: bool, mentions: bool) -> Option<Vec<Vec<u8>>> {
    let enough = match goes_on || announces(line) {
        true => 1,
        false if mentions => 2,
        false => return None,
    };
    if memchr::memchr3(b'#', b'\\', b'&', line).is_none()
        && memchr::memchr2(b'<', b'^', line).is_none()
    {
        return flat::lines(line);
    }
    let Some(escape) = ESCAPES.iter().find(|escape| escape.is_in(line, enough)) else {
        return flat::lines(line);
    };
    let (mut lines, mut from) = (Vec::new(), 0);
    for at in memchr::memchr_iter(escape.mark, line) {
        // What belongs to the end before is behind `from` already.
        let length = match line.get(at..) {
            Some(rest) if at >= from => escape.end_at(rest),
            _ => None,
        };
        if let Some(length) = length {
            lines.push(plain(line.get(from..at).unwrap_or_default(), escape));
            from = at + length;
        }
    }
    lines.push(plain(line.get(from..).unwrap_or_default(), escape));
    time_first(&mut lines);
    // A string in a program's output: what the message is the value of stands before a quote.
    if let Some(first) = lines.first_mut()
        && let Some(quote) = memchr::memrchr(b'"', first)
        && start_line::find(first.get(quote + 1..)?).is_some_and(|found| found.at == 0)
    {
        let message = first.split_off(quote + 1);
        lines.insert(1, message);
    }
    Some(lines)
}

/// A header that was copied from the source of a page.
pub(super) fn entities(text: &[u8]) -> Option<Vec<u8>> {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&colon;", ":"),
        ("&amp;", "&"),
    ];
    memchr::memchr(b'&', text)?;
    let name = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
        .count();
    let rest = text.get(name..)?;
    if name == 0 || !(rest.starts_with(b":") || rest.starts_with(b"&colon;")) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if !ENTITIES
        .iter()
        .any(|(entity, _)| *entity != "&amp;" && text.contains(entity))
    {
        return None;
    }
    let plain = ENTITIES
        .iter()
        .fold(text.to_owned(), |text, (entity, plain)| {
            text.replace(entity, plain)
        });
    Some(plain.into_bytes())
}

/// AudioCodes write the time at the end of a record; it is wanted where the message is announced.
fn time_first(lines: &mut [Vec<u8>]) {
    let Some(last) = lines.last_mut().filter(|last| last.ends_with(b"]")) else {
        return;
    };
    let Some(at) = memmem::rfind(last, b"[Time:") else {
        return;
    };
    let time = last.split_off(at);
    let kept = last.strip_suffix(b" ").unwrap_or(last).len();
    last.truncate(kept);
    for line in lines {
        if memmem::find(line, b" SIP Message ").is_some() {
            line.extend_from_slice(&time);
        }
    }
}

/// A record that only announces a message, which comes in the next one.
fn announces(line: &[u8]) -> bool {
    line.ends_with(b"]")
        && memmem::find_iter(line, b" SIP Message ").any(|at| {
            let before = line.get(..at).unwrap_or_default();
            before.ends_with(b"going") || before.ends_with(b"coming")
        })
}

fn plain(text: &[u8], escape: &Escape) -> Vec<u8> {
    let mut text = text.to_vec();
    for (from, to) in escape.others {
        if memmem::find(&text, from.as_bytes()).is_some() {
            text = replaced(&text, from.as_bytes(), to.as_bytes());
        }
    }
    text
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = memmem::find(rest, from) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(to);
        rest = rest.get(at + from.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Option<Vec<String>> {
        let lines = undo(
            text.as_bytes(),
            false,
            start_line::mentions(text.as_bytes()),
        )?;
        let text = lines
            .into_iter()
            .map(|line| String::from_utf8_lossy(&line).into_owned());
        Some(text.collect())
    }

    #[test]
    fn one_line_records_become_lines() {
        for record in [
            "x: BYE sip:a SIP/2.0#015#012To: <sip:a>#015#012#015#012",
            "x: BYE sip:a SIP/2.0\\r\\nTo: <sip:a>\\r\\n\\r\\n",
            "x: BYE sip:a SIP/2.0\\nTo: <sip:a>\\n\\n",
            "x: BYE sip:a SIP/2.0<013><010>To: <sip:a><013><010><013><010>",
            "x: BYE sip:a SIP/2.0&#xD;&#xA;To: &lt;sip:a&gt;&#xD;&#xA;&#xD;&#xA;",
            "x: BYE sip:a SIP/2.0^M To: <sip:a>^M ^M ",
        ] {
            let expected = ["x: BYE sip:a SIP/2.0", "To: <sip:a>", "", ""].map(str::to_owned);
            assert_eq!(lines(record), Some(expected.into()), "{record}");
        }
        assert_eq!(
            lines("s = \"BYE sip:a SIP/2.0\\r\\nTo: <sip:a>\\r\\n\""),
            Some(
                ["s = \"", "BYE sip:a SIP/2.0", "To: <sip:a>", "\""]
                    .map(str::to_owned)
                    .into()
            )
        );
        assert_eq!(lines("Via: SIP/2.0/UDP a"), None);
        assert_eq!(lines("no message\\r\\nhere\\r\\n"), None);
    }
}
