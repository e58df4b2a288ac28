//! Calls written as text (`fixtures/flows/*.flow`), compiled to captures with correct identifiers,
//! lengths and times. `fixtures/flows/README.md` tells the language.

mod answer;
mod line;
mod packet;
mod request;
mod script;
mod send;
mod sip;
mod special;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

#[allow(unused_imports, reason = "not every test file uses it")]
pub(crate) use script::compile;

/// A flow, compiled.
pub(crate) struct Flow {
    /// What it shows.
    pub(crate) title: String,
    /// What must hold: the lines of its head by key (`fires`, `silent`, `root`, ...).
    pub(crate) expect: BTreeMap<String, Vec<String>>,
    /// The capture.
    pub(crate) pcap: Vec<u8>,
}

/// Somebody who sends and receives.
#[derive(Clone, Debug)]
struct Party {
    at: SocketAddr,
    tcp: bool,
    /// `Via` in Via, `Contact` in Contact, `media` in SDP, where they are not `at`; `ua`, `user`.
    more: BTreeMap<String, String>,
}

impl Party {
    fn says(&self, key: &str) -> String {
        self.more
            .get(key)
            .cloned()
            .unwrap_or_else(|| self.at.to_string())
    }

    fn media(&self) -> String {
        let own = |ip: IpAddr| ip.to_string();
        self.more
            .get("media")
            .cloned()
            .unwrap_or_else(|| own(self.at.ip()))
    }
}
