//! Log lines that begin with a date, in whichever order the rest comes: FreeSWITCH's.

use super::prefix::{Prefix, stamp};
use super::scan::Scan;

/// `2021-05-23 20:07:57.808015 [NOTICE] `, with an identifier before it or none: the time counts, and
/// nothing is taken off but the identifier.
pub(super) fn of(line: &[u8]) -> Prefix {
    let mut scan = Scan { rest: line };
    let uuid = matches!(line, [_, _, _, _, _, _, _, _, b'-', ..]) && scan.attempt(uuid).is_some();
    let len = line.len() - scan.rest.len();
    let full = matches!(scan.rest, [b'0'..=b'9', _, _, _, b'-', ..]);
    let stamp = full.then(|| scan.attempt(stamp)).flatten();
    let level = |scan: &mut Scan<'_>| {
        scan.byte(b' ')?;
        let _ = scan.attempt(|scan| {
            scan.word(|byte| byte.is_ascii_digit() || byte == b'.')?;
            scan.literal(b"% ")
        });
        scan.byte(b'[')?;
        scan.word(|byte| byte.is_ascii_uppercase())?;
        scan.literal(b"] ")
    };
    Prefix {
        len: if uuid { len } else { 0 },
        syslog: 0,
        entry: stamp.is_some() && scan.attempt(level).is_some(),
        dated: stamp.is_some(),
        channel: uuid,
        stamp,
    }
}

/// `e343d2cb-fef0-4f00-b83d-743a9b05b6f0 `
fn uuid(scan: &mut Scan<'_>) -> Option<()> {
    for (n, len) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if n > 0 {
            scan.byte(b'-')?;
        }
        let part = scan.word(|byte| byte.is_ascii_hexdigit())?;
        (part.len() == len).then_some(())?;
    }
    scan.byte(b' ')
}

#[cfg(test)]
mod tests {
    use super::super::prefix;

    #[test]
    fn the_date_of_a_line_is_read_and_the_line_is_left() {
        let id = "e343d2cb-fef0-4f00-b83d-743a9b05b6f0 ";
        for (line, entry) in [
            (
                "2021-05-23 20:07:57.808015 [NOTICE] switch_channel.c:1118 New",
                true,
            ),
            (
                "2021-05-23 20:07:57.808015 97.33% [DEBUG] mod.c:1 New",
                true,
            ),
            ("2021-05-23 20:07:57.808015 recv 1 bytes", false),
            ("2021-05-23T20:07:57.808Z drachtio:agent", false),
        ] {
            let prefix = prefix::of(line.as_bytes());
            assert_eq!((prefix.len, prefix.entry), (0, entry), "{line}");
            assert!(prefix.stamp.is_some(), "{line}");
            let prefix = prefix::of(format!("{id}{line}").as_bytes());
            assert_eq!((prefix.len, prefix.entry), (37, entry), "{line}");
        }
        assert_eq!(prefix::of(b"2021 was a year").stamp, None);
    }

    #[test]
    fn what_kiwi_writes_goes() {
        let line =
            "2022-02-08 17:22:43\tLocal4.Info\t192.0.2.7\tFeb  8 17:22:43 192.0.2.7 phone: To: y";
        let prefix = prefix::of(line.as_bytes());
        assert_eq!(line.get(prefix.len..), Some("To: y"));
    }
}
