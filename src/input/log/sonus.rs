//! TRC logs of Sonus (Ribbon) session border controllers: a record names both ends, then the message.

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
    let stamp = entry(line.text)?;
    let at = memchr::memmem::find(line.text, b" msg for CallId:")?;
    let sent = line.text.get(..at)?.ends_with(b"sent");
    Some(Opening {
        hop: said(line.text.get(at..)?, sent)?,
        stamp: Some(stamp),
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

/// The date and time near the head of a record: `12162016 083615.737177:`
fn entry(text: &[u8]) -> Option<Stamp> {
    text.first().filter(|byte| byte.is_ascii_digit())?;
    let head = text.get(..text.len().min(40))?;
    let head = head.get(..memchr::memchr(b':', head)?)?;
    let mut words = std::str::from_utf8(head).ok()?.rsplit(' ');
    let (clock, date) = (words.next()?, words.next()?);
    let numeric = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let clock = clock.split_at_checked(2).filter(|_| numeric)?;
    let rest = clock.1.split_at_checked(2)?;
    let clock = format!("{}:{}:{}", clock.0, rest.0, rest.1);
    let date = stamps::date(date.get(2..4)?, date.get(..2)?, date.get(4..)?)?;
    stamps::at(date, &clock)
}

fn envelope(line: &Line<'_>, _: &mut Opening) -> bool {
    line.text.starts_with(b"RAW PDU:")
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match entry(line.text) {
        Some(_) => Cut::Foreign,
        None => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::log::clock::Date;

    #[test]
    fn a_record_has_a_date_a_clock_and_both_ends() {
        let stamp = entry(b"1787 12162016 083615.737177:1.01.00.38939.MAJOR .SIPSG").unwrap();
        assert_eq!(stamp.date, Date::Full(2016, 12, 16));
        assert_eq!(stamp.nanoseconds, 30_975_737_177_000);
        let text = b" msg for CallId:x gcid:0xDDB from IP/port:192.0.2.7/5000, Local IP/port:192.0.2.10/5001";
        let found = said(text, false).unwrap();
        assert_eq!(found.source, "192.0.2.7:5000".parse().ok());
        assert_eq!(found.destination, "192.0.2.10:5001".parse().ok());
    }
}
