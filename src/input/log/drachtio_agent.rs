//! What `drachtio-srf` logs of its connection to a drachtio server (`DEBUG=drachtio:agent`).

use super::address::{hop, of_parts};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs, one_line};

/// `2022-03-23T01:44:41.419Z drachtio:agent <===467#<id>|sip|network|0|tcp|192.0.2.7|5060|01:44:41.418704|...`
pub(super) static FORMAT: Format = Format {
    name: "drachtio-srf",
    signs: Signs {
        word: "|sip|",
        timed: true,
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope: one_line,
    cut,
};

fn recognise(line: &Line<'_>) -> Option<Opening> {
    line.prefix.stamp?;
    let at = memchr::memmem::find(line.text, b"|sip|")?;
    let marked = memchr::memmem::find(line.text.get(..at)?, b"drachtio:agent").is_some();
    let fields = std::str::from_utf8(line.text.get(at + 5..)?).ok()?;
    let mut fields = fields.split('|');
    let sent = match fields.next()? {
        "network" => false,
        "application" => true,
        _ => return None,
    };
    let _count = fields.next()?;
    let (transport, host, port) = (fields.next()?, fields.next()?, fields.next()?);
    let clock = fields.next()?;
    // What came over no connection was made by the stack itself: a timer that ran out.
    let own = host.is_empty() && port == "0";
    marked.then(|| Opening {
        hop: hop(None, of_parts(host, port), transport, sent || own),
        stamp: stamp_in(clock.as_bytes()).or(line.prefix.stamp),
        ..Opening::default()
    })
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.prefix.dated {
        true => Cut::Foreign,
        false => Cut::Text(0),
    }
}
