//! `sipmsg.log` of Oracle (Acme Packet) session border controllers.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::prefix::{after_stamp, stamp_in};
use super::{Cut, Format, Line, Opening, Signs, one_line};
use crate::input::LogHop;

/// `Jul  4 11:29:22.360 On [257:888]192.0.2.10:5060 sent to 198.51.100.20:5060`, up to 40 dashes
pub(super) static FORMAT: Format = Format {
    name: "acme-sipmsg",
    signs: Signs {
        first: b"ADFJMNOS",
        word: " On ",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    line.text.first().filter(|byte| byte.is_ascii_uppercase())?;
    memchr::memmem::find(line.text.get(..40.min(line.text.len()))?, b" On ")?;
    let rest = after_stamp(line.text)?.strip_prefix(b" On ")?;
    Some(Opening {
        hop: said(rest)?,
        stamp: stamp_in(line.text),
        ..Opening::default()
    })
}

// `[257:888]192.0.2.10:5060 sent to 198.51.100.20:5060`
fn said(text: &[u8]) -> Option<LogHop> {
    let (sent, [local, remote]) = match fields(text, "{} sent to {}") {
        Some(found) => (true, found),
        None => (false, fields(text, "{} received from {}")?),
    };
    // The slot and VLAN; an IPv6 address has brackets of its own.
    let slot = local
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let local = match slot {
        Some((_, address)) if !address.starts_with(':') => address,
        _ => local,
    };
    Some(hop(socket_address(local), socket_address(remote), "", sent))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line
        .text
        .starts_with(b"----------------------------------------")
    {
        true => Cut::End,
        false => Cut::Text(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_read() {
        let remote = "198.51.100.20:5060".parse().ok();
        for (text, local) in [
            ("[257:888]192.0.2.10:5060", "192.0.2.10:5060"),
            ("192.0.2.10:5060", "192.0.2.10:5060"),
            ("[0:0][2001:db8::1]:5060", "[2001:db8::1]:5060"),
            ("[2001:db8::1]:5060", "[2001:db8::1]:5060"),
        ] {
            let hop = said(format!("{text} sent to 198.51.100.20:5060").as_bytes()).unwrap();
            assert_eq!(
                (hop.source, hop.destination),
                (local.parse().ok(), remote),
                "{text}"
            );
        }
        assert_eq!(said(b"the way"), None);
    }
}
