//! What was seen beside SIP and says something about a call: ICMP errors, answers of name servers,
//! what became of connections.

use super::keys::Keys;
use crate::input::{Origin, Time};
use crate::layers::dns::DnsAnswer;
use crate::layers::{Flow, IcmpKind, Sight, Wire};
use std::net::IpAddr;

/// Asides kept of one entry; further ones say the same again.
pub(super) const MOST_ASIDES: usize = 16;

/// Bytes of a quotation that are compared with messages.
pub const MOST_QUOTED: usize = 64;

/// Something seen beside SIP.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Its frame.
    pub origin: Origin,
    /// When.
    pub time: Option<Time>,
    /// What it is.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum What {
    /// A packet could not be delivered.
    Icmp(Icmp),
    /// A name was looked up.
    Dns(DnsAnswer),
    /// Something happened to a connection.
    Wire(Connection),
}

/// What happened to a TCP connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// From whoever did it, or asked for the connection, to the other end.
    pub flow: Flow,
    /// What happened.
    pub wire: Wire,
    /// Index of the message of the call that it is about, or that came last before it.
    pub message: usize,
}

impl Connection {
    /// Was no connection made at all?
    pub fn is_attempt(&self) -> bool {
        matches!(
            self.wire,
            Wire::Unanswered { .. } | Wire::Refused { .. } | Wire::Tls(_)
        )
    }

    /// When it began: the first of the copies.
    pub fn first(&self) -> Option<Sight> {
        match self.wire {
            Wire::Unanswered { first, .. }
            | Wire::Refused { first, .. }
            | Wire::Unheard { first, .. } => Some(first),
            _ => None,
        }
    }
}

/// An ICMP error about a message.
#[derive(Clone, Debug)]
pub struct Icmp {
    /// Who reports.
    pub reporter: IpAddr,
    /// What went wrong.
    pub kind: IcmpKind,
    /// The IP identification of the packet that it quotes; 0 where it has none.
    pub ident: u32,
    /// The hop of that packet.
    pub flow: Flow,
    /// Keys of the message that it quotes, where enough of it is there to name its Call-ID.
    pub keys: Option<Keys>,
    /// The first bytes that it quotes, at most [`MOST_QUOTED`].
    pub quoted: Vec<u8>,
    /// Index of the message of the call that it is about.
    pub message: usize,
}

impl Aside {
    /// `ICMP`, `DNS`, `TCP` or `TLS`.
    pub fn protocol(&self) -> &'static str {
        match &self.what {
            What::Icmp(_) => "ICMP",
            What::Dns(_) => "DNS",
            What::Wire(connection) => match connection.wire {
                Wire::Tls(_) | Wire::Sealed { .. } => "TLS",
                _ => "TCP",
            },
        }
    }

    /// When it began, nanoseconds: for what was tried again and again the first try.
    pub fn began(&self) -> Option<i64> {
        let first = match &self.what {
            What::Wire(connection) => connection.first().and_then(|first| first.time),
            _ => None,
        };
        first.or(self.time).map(|time| time.0)
    }

    /// The same, about the message of the call with this index.
    pub(super) fn about(mut self, index: usize) -> Aside {
        match &mut self.what {
            What::Icmp(icmp) => icmp.message = index,
            What::Wire(connection) => connection.message = index,
            What::Dns(_) => {}
        }
        self
    }
}
