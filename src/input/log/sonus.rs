//! TRC logs of Sonus (Ribbon) session border controllers: a record names both ends, then the message. What is
//! longer than 1800 bytes goes on in a record with the same time and number.

use super::address::{hop, of_parts};
use super::clock::Stamp;
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, stamps};
use crate::input::LogHop;

/// ```text
/// 1787 12162016 083615.737177:1.01.00.38939.MAJOR .SIPSG:... Ingress: received msg for CallId:x gcid:0xDDB from IP/port:192.0.2.7/5000, Local IP/port:192.0.2.10/5000
/// RAW PDU:
/// INVITE ...
/// ```
pub(super) static FORMAT: Format = Format {
    name: "sonus-trc",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let (stamp, number) = entry(line.text)?;
    let at = memchr::memmem::find(line.text, b" msg for CallId:")?;
    let sent = line.text.get(..at)?.ends_with(b"sent");
    Some(Opening {
        hop: said(line.text.get(at..)?, sent)?,
        stamp: Some(stamp),
        record: number,
        ..Opening::default()
    })
}

fn said(text: &[u8], sent: bool) -> Option<LogHop> {
    let [_, remote_host, remote_port, local_host, local] =
        fields(text, " msg for CallId:{}IP/port:{}/{}, Local IP/port:{}/{}")?;
    let digits = local.bytes().take_while(u8::is_ascii_digit).count();
    let local = of_parts(local_host, local.get(..digits)?);
    Some(hop(local, of_parts(remote_host, remote_port), "", sent))
}

/// The date and time near the head of a record, and its number: `12162016 083615.737177:1.01.00.38939.MAJOR`
fn entry(text: &[u8]) -> Option<(Stamp, u64)> {
    text.first().filter(|byte| byte.is_ascii_digit())?;
    let head = text.get(..text.len().min(80))?;
    let (head, behind) = head.split_at(memchr::memchr(b':', head)?);
    let mut words = std::str::from_utf8(head).ok()?.rsplit(' ');
    let (clock, date) = (words.next()?, words.next()?);
    let numeric = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let clock = clock.split_at_checked(2).filter(|_| numeric)?;
    let rest = clock.1.split_at_checked(2)?;
    let clock = format!("{}:{}:{}", clock.0, rest.0, rest.1);
    let date = stamps::date(date.get(2..4)?, date.get(..2)?, date.get(4..)?)?;
    let number = behind.split(|byte| *byte == b'.').nth(3);
    let number = number.and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
    Some((stamps::at(date, &clock)?, number.unwrap_or_default()))
}

fn envelope(line: &Line<'_>, _: &mut Opening) -> bool {
    line.text.starts_with(b"RAW PDU:")
}

fn cut(line: &Line<'_>, opening: &Opening) -> Cut {
    let Some((stamp, number)) = entry(line.text) else {
        return Cut::Text(0);
    };
    match opening.stamp == Some(stamp) && opening.record == number {
        true => rest(line.text).map_or(Cut::Foreign, Cut::Rest),
        false => Cut::Foreign,
    }
}

/// Where the text of a record begins: `... .SIPSG:`, `... .SIPSG:FILTER=x GCID=0x00000DDB:`
fn rest(text: &[u8]) -> Option<usize> {
    let module = memchr::memmem::find(text, b" .")?;
    let mut at = module + memchr::memchr(b':', text.get(module..)?)? + 1;
    if text.get(at..)?.starts_with(b"FILTER=") {
        let filter = memchr::memmem::find(text.get(at..)?, b" GCID=")?;
        at += filter + memchr::memchr(b':', text.get(at + filter..)?)? + 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::log::clock::Date;
    use crate::input::log::tests::texts;

    #[test]
    fn a_record_has_a_date_a_clock_and_both_ends() {
        let (stamp, number) =
            entry(b"1787 12162016 083615.737177:1.01.00.38939.MAJOR .SIPSG").unwrap();
        assert_eq!(number, 38939);
        assert_eq!(stamp.date, Date::Full(2016, 12, 16));
        assert_eq!(stamp.nanoseconds, 30_975_737_177_000);
        let text = b" msg for CallId:x gcid:0xDDB from IP/port:192.0.2.7/5000, Local IP/port:192.0.2.10/5001";
        let found = said(text, false).unwrap();
        assert_eq!(found.source, "192.0.2.7:5000".parse().ok());
        assert_eq!(found.destination, "192.0.2.10:5001".parse().ok());
    }

    #[test]
    fn a_record_goes_on_in_one_of_the_same_time_and_number() {
        let head = "1787 12162016 083615.737177:1.01.00.38939.MAJOR .SIPSG:";
        let said = "FILTER=x GCID=0xDDB: Ingress: received msg for CallId:x gcid:0xDDB from IP/port:192.0.2.7/5060, Local IP/port:192.0.2.10/5060";
        let bye = "BYE sip:a@b SIP/2.0\nCall-ID: x\nSubject: a b\nContent-Length: 0\n\n";
        let whole = format!("{head}{said}\nRAW PDU:\n{bye}\n");
        for behind in ["", "FILTER=x GCID=0xDDB:"] {
            let text = whole.replace("t: a b", &format!("t: a\n{head}{behind} b"));
            assert_eq!(texts(&text), [bye], "{behind}");
        }
        let other = head.replace("38939", "38940");
        let text = whole.replace("Subject", &format!("{other}FILTER=x: logged\nSubject"));
        assert_eq!(texts(&text), [bye]);
    }
}
