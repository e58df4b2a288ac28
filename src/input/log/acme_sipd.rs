//! The XML events in `log.sipd` of Oracle (Acme Packet) session border controllers: a line for each
//! element, the message escaped in one of them.

use super::address::{of_parts, transport_name};
use super::prefix::stamp_in;
use super::{Cut, Format, Line, Opening, Signs};
use std::net::SocketAddr;

/// `<eventEntry>`, `<startTime>`, `<sourceAddress>`, ... `<SipMsgSection>INVITE ...&#xD;&#xA;`
pub(super) static FORMAT: Format = Format {
    name: "acme-sipd",
    signs: Signs {
        word: "<",
        ..Signs::ANY
    },
    bare: false,
    recognise,
    envelope,
    cut,
};

const SECTION: &[u8] = b"<SipMsgSection>";
const SECTION_END: &[u8] = b"</SipMsgSection>";

fn recognise(line: &Line<'_>) -> Option<Opening> {
    if !line.text.starts_with(b"<") {
        memchr::memmem::find(line.text.get(..60.min(line.text.len()))?, b"[SIP]")?;
    }
    if let Some(at) = memchr::memmem::find(line.text, SECTION) {
        return Some(Opening {
            starts_at: Some(at + SECTION.len()),
            ..Opening::default()
        });
    }
    memchr::memmem::find(line.text, b"<eventEntry")?;
    let mut opening = Opening::default();
    envelope(line, &mut opening);
    Some(opening)
}

fn envelope(line: &Line<'_>, opening: &mut Opening) -> bool {
    if memchr::memmem::find(line.text, SECTION).is_some() {
        return false;
    }
    let Ok(text) = std::str::from_utf8(line.text) else {
        return false;
    };
    let value = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.trim())
    };
    if let Some(time) = value("startTime") {
        opening.stamp = stamp_in(time.as_bytes());
    }
    set(
        &mut opening.hop.source,
        value("sourceAddress"),
        value("sourcePort"),
    );
    set(
        &mut opening.hop.destination,
        value("destinationAddress"),
        value("destinationPort"),
    );
    if let Some(name) = value("transportType").or_else(|| value("transport")) {
        opening.hop.transport = transport_name(name);
    }
    match value("direction").map(str::to_ascii_lowercase).as_deref() {
        Some("out" | "outgoing" | "sent" | "tx" | "egress") => opening.hop.sent = Some(true),
        Some("in" | "incoming" | "received" | "rx" | "ingress") => opening.hop.sent = Some(false),
        _ => {}
    }
    memchr::memchr(b'<', line.text).is_some()
}

fn set(address: &mut Option<SocketAddr>, host: Option<&str>, port: Option<&str>) {
    if let Some(host) = host {
        *address = of_parts(host, "0");
    }
    if let Some(port) = port {
        match (&mut *address, port.parse()) {
            (Some(known), Ok(port)) => known.set_port(port),
            _ => *address = None,
        }
    }
}

fn cut(line: &Line<'_>, _: &Opening) -> Cut {
    match memchr::memmem::find(line.text, SECTION_END) {
        Some(at) => Cut::Last(line.text.get(..at).unwrap_or_default().to_vec()),
        None => Cut::Text(0),
    }
}
