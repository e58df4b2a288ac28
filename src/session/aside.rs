//! What was seen beside SIP and says something about a call: ICMP errors, answers of name servers.

use super::keys::Keys;
use crate::input::{Origin, Time};
use crate::layers::dns::DnsAnswer;
use crate::layers::{Flow, IcmpKind};
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
    /// `ICMP` or `DNS`.
    pub fn protocol(&self) -> &'static str {
        match self.what {
            What::Icmp(_) => "ICMP",
            What::Dns(_) => "DNS",
        }
    }

    /// The same, about the message of the call with this index.
    pub(super) fn about(mut self, index: usize) -> Aside {
        if let What::Icmp(icmp) = &mut self.what {
            icmp.message = index;
        }
        self
    }
}
