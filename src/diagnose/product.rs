//! Products by what they call themselves in User-Agent and Server: their settings have names.

use super::Finding;
use crate::session::Call;
use std::net::SocketAddr;

/// A product whose settings rules know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Asterisk, FreePBX.
    Asterisk,
    /// The same before version 12, which knows sip.conf only.
    AsteriskSip,
    /// FreeSWITCH, FusionPBX.
    FreeSwitch,
    /// Kamailio.
    Kamailio,
    /// OpenSIPS.
    OpenSips,
    /// Cisco IOS gateways and CUBE.
    Cube,
}

/// Lower case parts of the header by which each is known.
const NAMES: [(&str, Product); 10] = [
    ("asterisk", Product::Asterisk),
    ("fpbx", Product::Asterisk),
    ("freepbx", Product::Asterisk),
    ("freeswitch", Product::FreeSwitch),
    ("fusionpbx", Product::FreeSwitch),
    ("kamailio", Product::Kamailio),
    ("opensips", Product::OpenSips),
    ("cisco-sipgateway", Product::Cube),
    ("cisco-cube", Product::Cube),
    ("cube/", Product::Cube),
];

impl Product {
    /// The product that calls itself so.
    pub fn of(agent: &str) -> Option<Product> {
        let agent = agent.to_ascii_lowercase();
        let known = NAMES.iter().find(|(name, _)| agent.contains(name));
        match known.map(|(_, product)| *product) {
            Some(Product::Asterisk) if is_old(&agent) => Some(Product::AsteriskSip),
            product => product,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Product::Asterisk => "Asterisk",
            Product::AsteriskSip => "Asterisk before 12",
            Product::FreeSwitch => "FreeSWITCH",
            Product::Kamailio => "Kamailio",
            Product::OpenSips => "OpenSIPS",
            Product::Cube => "Cisco CUBE",
        }
    }

    /// Id of its sentence among those of a rule.
    pub fn id(self) -> &'static str {
        match self {
            Product::Asterisk => "on-asterisk",
            Product::AsteriskSip => "on-asterisk-sip",
            Product::FreeSwitch => "on-freeswitch",
            Product::Kamailio => "on-kamailio",
            Product::OpenSips => "on-opensips",
            Product::Cube => "on-cube",
        }
    }
}

// `asterisk pbx 1.8.32`, `asterisk pbx certified/11.6`, `fpbx-2.11.0(11.7.0)`: PJSIP came with 12.
fn is_old(agent: &str) -> bool {
    let from = agent.find('(').or_else(|| agent.find("asterisk"));
    let version = from.and_then(|from| agent.get(from..)).unwrap_or_default();
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let major = digits.split_once('.').map(|(major, _)| major);
    let major = major.and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| (1..12).contains(&major))
}

/// Notes the product of each finding whose rule knows settings by name.
pub(super) fn tell(call: &Call, findings: &mut [Finding]) {
    for finding in findings {
        let known = |product: Product| finding.rule.settings.iter().any(|(p, _)| *p == product);
        let address = finding
            .element
            .as_deref()
            .and_then(|e| e.parse::<SocketAddr>().ok());
        let looked_up = || {
            let agent = call.agent_at(address?.ip())?;
            Product::of(&agent)
        };
        let product = finding.product.or_else(|| {
            if finding.rule.settings.is_empty() {
                None
            } else {
                looked_up()
            }
        });
        finding.product = product.filter(|product| known(*product) && !finding.alone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_known_by_the_names_they_use() {
        for (agent, product) in [
            ("Asterisk PBX 20.5.0", Some(Product::Asterisk)),
            ("FPBX-16.0.40(18.20.0)", Some(Product::Asterisk)),
            ("Asterisk PBX 1.8.32", Some(Product::AsteriskSip)),
            (
                "Asterisk PBX certified/11.6-cert18",
                Some(Product::AsteriskSip),
            ),
            ("FPBX-2.11.0(11.7.0)", Some(Product::AsteriskSip)),
            ("Asterisk PBX", Some(Product::Asterisk)),
            ("Asterisk PBX GIT-master-1a2b", Some(Product::Asterisk)),
            ("FreeSWITCH-mod_sofia/1.10.9", Some(Product::FreeSwitch)),
            ("kamailio (5.6.3 (x86_64/linux))", Some(Product::Kamailio)),
            ("OpenSIPS (3.4.2 (x86_64/linux))", Some(Product::OpenSips)),
            ("Cisco-SIPGateway/IOS-16.12.5", Some(Product::Cube)),
            ("Example Phone 1.0", None),
        ] {
            assert_eq!(Product::of(agent), product, "{agent}");
        }
    }
}
