//! traceSM of Avaya Session Manager (`asset.log`): a block with time, arrow and both sides, the message.

use super::address::{hop, socket_address};
use super::pattern::fields;
use super::{Cut, Format, Line, Opening, Signs, stamps};
use crate::input::LogHop;

/// ```text
/// com.avaya.asm  SIPMSGT
/// --------------------
/// 07/11/2024 11:04:54.333 <--
///     octets: 612, Body Length: 0
///     ingress: [NO TARGET]
///     egress: { L192.0.2.10:5061/R198.51.100.20:5061/TLS/0xa }
/// --------------------
/// ```
pub(super) static FORMAT: Format = Format {
    name: "avaya-session-manager",
    signs: Signs::NUMBER,
    bare: true,
    recognise,
    envelope,
    cut,
};

const RULER: &[u8] = b"--------------------";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    let text = line.text.trim_ascii_end();
    if !matches!(text, [b'0'..=b'3', b'0'..=b'9', b'/', ..]) {
        return None;
    }
    let [day, month, year, clock, arrow] = fields(text, "{}/{}/{} {} {}")?;
    let date = stamps::date(day, month, year)?;
    matches!(arrow, "-->" | "<--" | "--v" | "v--").then_some(())?;
    let mut opening = Opening {
        stamp: Some(stamps::at(date, clock)?),
        ..Opening::default()
    };
    opening.hop.sent = match arrow {
        "-->" => Some(false),
        "<--" => Some(true),
        _ => None,
    };
    Some(opening)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    let text = line.text.trim_ascii();
    let outward = opening.hop.sent != Some(false);
    if let Some([target]) = fields(text, "ingress: {}") {
        if let Some(found) = side(target, false)
            && (!outward || opening.hop.transport.is_none())
        {
            opening.hop = found;
        }
        return true;
    }
    if let Some([target]) = fields(text, "egress: {}") {
        if let Some(found) = side(target, true)
            && (outward || opening.hop.transport.is_none())
        {
            opening.hop = found;
        }
        return true;
    }
    text == RULER || text.starts_with(b"octets:")
}

// `{ L192.0.2.10:5061/R198.51.100.20:5061/TLS/0xa }`
fn side(target: &str, sent: bool) -> Option<LogHop> {
    let target = target.strip_prefix("{ L")?;
    let mut parts = target.split('/');
    let local = parts.next()?;
    let remote = parts.next()?.strip_prefix('R')?;
    Some(hop(
        socket_address(local),
        socket_address(remote),
        parts.next()?,
        sent,
    ))
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    let text = line.text.trim_ascii_end();
    if text == RULER {
        return Cut::End;
    }
    // A record of a syslog that did not fit.
    let from = memchr::memmem::find(text, b"SIPMSGT+ ").map_or(0, |at| at + 9);
    match line.end.is_empty() {
        true => Cut::Part(line.text.get(from..).unwrap_or_default().to_vec()),
        false => Cut::Text(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_has_both_addresses() {
        let found = side("{ L192.0.2.10:5061/R[2001:db8::7]:5061/TLS/0xa }", true).unwrap();
        assert_eq!(found.source, "192.0.2.10:5061".parse().ok());
        assert_eq!(found.destination, "[2001:db8::7]:5061".parse().ok());
        assert_eq!((found.transport, found.sent), (Some("tls"), Some(true)));
        assert_eq!(side("[NO TARGET]", true), None);
    }
}
