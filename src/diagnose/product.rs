//! Products by what they call themselves in User-Agent and Server: their settings have names.

use super::Finding;
use crate::session::Call;
use std::net::SocketAddr;

/// A product whose settings rules know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Asterisk, FreePBX.
    Asterisk,
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
        known.map(|(_, product)| *product)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Product::Asterisk => "Asterisk",
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
            Product::FreeSwitch => "on-freeswitch",
            Product::Kamailio => "on-kamailio",
            Product::OpenSips => "on-opensips",
            Product::Cube => "on-cube",
        }
    }
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
