//! What Android's logcat, Apple's NSLog and Kiwi's syslog server put before a line.

use super::clock::{Date, Stamp};
use super::prefix::stamp;
use super::scan::Scan;

/// Length of the prefix and its time; `None` where there is none.
pub(super) fn of(line: &[u8]) -> Option<(usize, Option<Stamp>)> {
    let mut scan = Scan { rest: line };
    let stamp = match line {
        [b'0'..=b'9', _, b'-', ..] => Some(logcat(&mut scan)?),
        [b'0'..=b'9', ..] => Some(dated(&mut scan)?),
        [b'V' | b'D' | b'I' | b'W' | b'E', b'/', ..] => {
            tag(&mut scan)?;
            None
        }
        [b'<', b'0'..=b'9', ..] => Some(hostless(&mut scan)?),
        [b'A'..=b'Z', ..] => Some(notice(&mut scan)?),
        _ => return None,
    };
    Some((line.len() - scan.rest.len(), stamp))
}

/// `02-26 16:44:30.519  3077  3132 I Tag  : `, `02-26 16:44:30.519 3077-3132/app I/Tag: `
fn logcat(scan: &mut Scan<'_>) -> Option<Stamp> {
    let month = scan.number(2)?;
    scan.byte(b'-')?;
    let day = scan.number(2)?;
    scan.byte(b' ')?;
    let time = stamp(scan).filter(|stamp| stamp.date == Date::None)?;
    blanks(scan)?;
    let _ = scan.attempt(|scan| {
        scan.number(7)?;
        blanks(scan)?;
        scan.number(7)?;
        blanks(scan)
    });
    let _ = scan.attempt(|scan| {
        process(scan)?;
        scan.byte(b'/')?;
        scan.word(|byte| byte != b' ')?;
        blanks(scan)
    });
    tag(scan)?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then_some(Stamp {
        date: Date::MonthDay(month as u8, day as u8),
        ..time
    })
}

/// `I/Tag: `, `I/flutter ( 123): `, `I Tag     : `
fn tag(scan: &mut Scan<'_>) -> Option<()> {
    scan.word(|byte| b"VDIWEF".contains(&byte))
        .filter(|level| level.len() == 1)?;
    scan.byte(b'/').or_else(|| scan.byte(b' '))?;
    scan.word(|byte| !matches!(byte, b' ' | b':' | b'('))?;
    let _ = blanks(scan);
    if scan.byte(b'(').is_some() {
        let _ = blanks(scan);
        scan.number(7)?;
        scan.byte(b')')?;
    }
    scan.byte(b':')?;
    scan.end_or(b' ')
}

fn dated(scan: &mut Scan<'_>) -> Option<Stamp> {
    let stamp = stamp(scan).filter(|stamp| stamp.date != Date::None)?;
    let rest = [android, apple, kiwi];
    rest.iter().find_map(|rest| scan.attempt(rest))?;
    Some(stamp)
}

/// ` 20476-20521 System.out   com.example.app   I  `
fn android(scan: &mut Scan<'_>) -> Option<()> {
    scan.byte(b' ')?;
    process(scan)?;
    for _ in 0..2 {
        blanks(scan)?;
        scan.word(|byte| byte != b' ')?;
    }
    blanks(scan)?;
    scan.word(|byte| b"VDIWEF".contains(&byte))
        .filter(|level| level.len() == 1)?;
    if scan.rest.is_empty() {
        return Some(());
    }
    scan.byte(b' ')?;
    scan.end_or(b' ')
}

/// ` App[77:88] [Info] \t`
fn apple(scan: &mut Scan<'_>) -> Option<()> {
    scan.byte(b' ')?;
    scan.word(|byte| !matches!(byte, b' ' | b'['))?;
    scan.byte(b'[')?;
    scan.word(|byte| matches!(byte, b'0'..=b'9' | b':'))?;
    scan.byte(b']')?;
    let _ = scan.attempt(|scan| {
        scan.literal(b" [")?;
        scan.word(|byte| byte.is_ascii_alphabetic())?;
        scan.byte(b']')
    });
    scan.end_or(b' ')?;
    let _ = scan.byte(b'\t');
    Some(())
}

/// `\tDaemon.Info\t192.0.2.1\t` and the header of the syslog record
fn kiwi(scan: &mut Scan<'_>) -> Option<()> {
    for _ in 0..2 {
        scan.byte(b'\t')?;
        scan.word(|byte| !matches!(byte, b'\t' | b' '))?;
    }
    scan.byte(b'\t')?;
    let _ = scan.attempt(|scan| {
        stamp(scan)?;
        scan.byte(b' ')?;
        scan.word(|byte| !matches!(byte, b' ' | b':' | b'[' | b'<'))?;
        if scan.byte(b'[').is_some() {
            scan.number(10)?;
            scan.byte(b']')?;
        }
        scan.byte(b':')?;
        scan.end_or(b' ')
    });
    Some(())
}

/// `Dec 15 18:39:30  linphone[3434] <Notice>: `
fn notice(scan: &mut Scan<'_>) -> Option<Stamp> {
    let stamp = stamp(scan)?;
    blanks(scan)?;
    let _ = scan.attempt(|scan| {
        scan.word(|byte| !matches!(byte, b' ' | b'['))?;
        blanks(scan)
    });
    scan.word(|byte| !matches!(byte, b' ' | b'['))?;
    scan.byte(b'[')?;
    scan.number(10)?;
    scan.literal(b"] <")?;
    scan.word(|byte| byte.is_ascii_alphabetic())?;
    scan.literal(b">:")?;
    scan.end_or(b' ')?;
    Some(stamp)
}

/// `<142>Jan  1 01:06:02 konfsip[1166:1225]: `
fn hostless(scan: &mut Scan<'_>) -> Option<Stamp> {
    scan.byte(b'<')?;
    scan.number(3)?;
    scan.byte(b'>')?;
    let stamp = stamp(scan)?;
    scan.byte(b' ')?;
    scan.word(|byte| !matches!(byte, b' ' | b'[' | b':'))?;
    scan.byte(b'[')?;
    scan.word(|byte| matches!(byte, b'0'..=b'9' | b':'))?;
    scan.literal(b"]:")?;
    scan.end_or(b' ')?;
    Some(stamp)
}

fn process(scan: &mut Scan<'_>) -> Option<()> {
    scan.number(7)?;
    scan.byte(b'-')?;
    scan.number(7)?;
    Some(())
}

fn blanks(scan: &mut Scan<'_>) -> Option<()> {
    scan.word(|byte| byte == b' ').map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_phones_end_where_the_text_begins() {
        for (line, text) in [
            ("02-26 16:44:30.519  3077  3132 I Phone  : To: x", "To: x"),
            ("02-26 16:44:30.519 3077-3132/app I/Phone: To: x", "To: x"),
            (
                "2023-09-20 09:58:08.472 20476-20521 System.out   com.example   I  To: x",
                "To: x",
            ),
            (
                "2023-09-20 09:58:08.472 20476-20521 System.out   com.example   I  ",
                "",
            ),
            ("I/flutter (  123): To: x", "To: x"),
            ("I/Phone:     To: x", "    To: x"),
            (
                "2019-02-26 16:44:30.519+0100 App[77:88] [Info] \tTo: x",
                "To: x",
            ),
            (
                "2022-02-07 19:01:46\tDaemon.Info\t192.0.2.1\tFeb  7 19:01:46 app[88]: To: x",
                "To: x",
            ),
            (
                "2022-02-07 19:01:46\tDaemon.Info\t192.0.2.1\tFeb  7 19:01:46 app[88]:",
                "",
            ),
            ("<142>Jan  1 01:06:02 konf[1:2]: TX 7", "TX 7"),
            ("Dec 15 18:39:30  linphone[3434] <Notice>: bel/x", "bel/x"),
        ] {
            let len = of(line.as_bytes()).map(|(len, _)| len);
            assert_eq!(len.and_then(|len| line.get(len..)), Some(text), "{line}");
        }
        for line in [
            "INVITE sip:a SIP/2.0",
            "Via: x",
            "v=0",
            "E: x",
            "12-34 x",
            "",
        ] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
    }
}
