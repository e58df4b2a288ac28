//! Kamailio's sipdump module (`sipdump_mod.c`): a block of fields, then the message as it was.

use super::address::{of_parts, transport_name};
use super::stamps::{epoch, fraction};
use super::{Cut, Format, Line, Opening, Signs};

/// ```text
/// ====================
/// tag: rcv
/// time: 1795217637.210238
/// proto: udp ipv4
/// srcip: 192.0.2.10
/// ...
/// ~~~~~~~~~~~~~~~~~~~~
/// INVITE ...
/// ||||||||||||||||||||
/// ```
pub(super) static FORMAT: Format = Format {
    name: "kamailio-sipdump",
    signs: Signs {
        first: b"=",
        ..Signs::ANY
    },
    bare: true,
    recognise,
    envelope,
    cut,
};

const START: &[u8] = b"====================";
const FIELDS_END: &[u8] = b"~~~~~~~~~~~~~~~~~~~~";
const END: &[u8] = b"||||||||||||||||||||";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    (line.text.trim_ascii_end() == START).then(Opening::default)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    if line.text == FIELDS_END {
        return true;
    }
    let Ok(text) = std::str::from_utf8(line.text) else {
        return false;
    };
    let Some((name, value)) = text.split_once(": ") else {
        return false;
    };
    let value = value.trim();
    match name {
        "tag" => opening.hop.sent = Some(value == "snd"),
        "time" => opening.stamp = time(value),
        "proto" => opening.hop.transport = transport_name(value.split(' ').next().unwrap_or("")),
        "srcip" => opening.hop.source = of_parts(value, "0"),
        "dstip" => opening.hop.destination = of_parts(value, "0"),
        "srcport" => set_port(&mut opening.hop.source, value),
        "dstport" => set_port(&mut opening.hop.destination, value),
        _ => return matches!(name, "pid" | "process" | "date"),
    }
    true
}

fn set_port(address: &mut Option<std::net::SocketAddr>, port: &str) {
    match (&mut *address, port.parse()) {
        (Some(known), Ok(port)) => known.set_port(port),
        _ => *address = None,
    }
}

fn time(text: &str) -> Option<super::clock::Stamp> {
    let (seconds, decimals) = text.split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    epoch(
        seconds
            .checked_mul(1_000_000_000)?
            .checked_add(fraction(decimals)?)?,
    )
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match line.text.strip_suffix(END) {
        Some(last) => Cut::Last(last.to_vec()),
        None => Cut::Text(0),
    }
}
