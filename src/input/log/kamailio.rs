//! Messages that Kamailio or OpenSIPS printed into their log: `xlog("...$mb")`, and what could not be
//! parsed (`message=<...>`). The text around them is of the administrator's making.

use super::{Cut, Format, Line, Opening, Signs, one_line, raw, start_line};

/// ` 1(19531) NOTICE: <script>: RAW <<<INVITE sip:...`, the same behind the prefix of a syslog.
pub(super) static FORMAT: Format = Format {
    name: "kamailio",
    signs: Signs::START_LINE,
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

const LEVELS: [&[u8]; 8] = [
    b"DEBUG:",
    b"DBG:",
    b"INFO:",
    b"NOTICE:",
    b"WARNING:",
    b"ERROR:",
    b"CRITICAL:",
    b"ALERT:",
];

fn recognise(line: &Line<'_>) -> Option<Opening> {
    start_line::mentions(line.text).then_some(())?;
    let version = memchr::memmem::rfind(line.text, b"SIP/2.0")?;
    let logged = line.prefix.len > 0
        || is_entry(line.text)
        || memchr::memmem::find(line.text, b"message=<").is_some();
    let starts_at = start(line.text, version).filter(|_| logged)?;
    // What stands alone on its line, indented, quoted or numbered, is any message.
    let alone = start_line::find_alone(line.text).is_some() || raw::numbered(line).is_some();
    (!alone).then(|| Opening {
        stamp: line.prefix.stamp,
        starts_at: Some(starts_at),
        doubtful: true,
        ..Opening::default()
    })
}

/// Where a start line begins that reaches up to the end of the text.
fn start(text: &[u8], version: usize) -> Option<usize> {
    let begin = if text.len() - version > 12 {
        version
    } else {
        let uri = memchr::memrchr(b' ', text.get(..version)?.trim_ascii_end())?;
        let before = text.get(..uri)?;
        let method = before.iter().rev().take_while(|b| b.is_ascii_uppercase());
        uri - method.count()
    };
    let rest = text.get(begin..)?;
    (start_line::find(rest)?.at == 0).then_some(begin)
}

/// The head of a line on standard error: the process and its identifier, or the level alone.
fn is_entry(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let process = digits(text);
    let rest = text.get(process..).unwrap_or_default();
    let rest = match rest.strip_prefix(b"(") {
        Some(id) if process > 0 => id.get(digits(id)..).unwrap_or_default(),
        _ => text,
    };
    let rest = rest.strip_prefix(b")").unwrap_or(rest).trim_ascii_start();
    LEVELS.iter().any(|level| rest.starts_with(level))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    if is_entry(line.text) {
        return Cut::Foreign;
    }
    let text = line.text.trim_ascii();
    match !text.is_empty() && text.iter().all(|byte| *byte == b'>') {
        true => Cut::End,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_at(text: &str) -> Option<&str> {
        let line = Line {
            prefix: super::super::prefix::Prefix::default(),
            text: text.as_bytes(),
            end: b"\n",
        };
        text.get(recognise(&line)?.starts_at?..)
    }

    #[test]
    fn messages_start_behind_what_a_script_wrote() {
        let invite = "INVITE sip:a@b SIP/2.0";
        for text in [
            " 1(19531) NOTICE: <script>: RAW <<<INVITE sip:a@b SIP/2.0",
            "NOTICE: <script>: [INVITE sip:a@b SIP/2.0",
            "parse_msg(): ERROR: parse_msg: message=<INVITE sip:a@b SIP/2.0",
        ] {
            assert_eq!(starts_at(text), Some(invite), "{text}");
        }
        let ok = " 7(9) INFO: <script>: got SIP/2.0 200 OK";
        assert_eq!(starts_at(ok), Some("SIP/2.0 200 OK"));
        assert_eq!(starts_at("I wrote INVITE sip:a@b SIP/2.0"), None);
    }
}
