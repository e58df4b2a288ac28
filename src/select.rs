//! Which calls the user asked for.

use crate::message::uri::{Uri, addr_spec};
use crate::session::Call;
use std::net::IpAddr;

/// The filters; all that are given must fit.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Numbers of calls.
    pub ids: Vec<u64>,
    /// Call-IDs.
    pub call_ids: Vec<String>,
    /// Numbers or user names in From, To, Request-URI or P-Asserted-Identity.
    pub numbers: Vec<String>,
    /// Addresses that sent or received a message of the call.
    pub ips: Vec<IpAddr>,
    /// Methods that began it.
    pub methods: Vec<String>,
    /// Codes among its final responses; `4xx` for a class.
    pub codes: Vec<String>,
}

impl Selection {
    /// Is nothing filtered?
    pub fn is_everything(&self) -> bool {
        self.ids.is_empty()
            && self.call_ids.is_empty()
            && self.numbers.is_empty()
            && self.ips.is_empty()
            && self.methods.is_empty()
            && self.codes.is_empty()
    }

    /// Did the user ask for this call?
    pub fn takes(&self, call: &Call) -> bool {
        self.is_everything()
            || (any(&self.ids, |id| call.all_legs().any(|leg| leg.id == *id))
                && any(&self.call_ids, |id| {
                    call.all_legs()
                        .any(|leg| leg.call_id().as_ref() == Some(id))
                })
                && any(&self.methods, |method| {
                    call.first()
                        .is_some_and(|m| m.message().method_name().eq_ignore_ascii_case(method))
                })
                && any(&self.codes, |code| {
                    let mut finals = call.all_legs().flat_map(|leg| &leg.finals);
                    finals.any(|f| fits_code(code, f.code))
                })
                && any(&self.ips, |ip| {
                    call.all_legs().any(|leg| has_address(leg, *ip))
                })
                && any(&self.numbers, |number| {
                    call.all_legs().any(|leg| has_number(leg, number))
                }))
    }
}

fn any<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

/// Is it this code, or of this class (`4xx`)?
pub fn fits_code(wanted: &str, code: u16) -> bool {
    let code = code.to_string();
    wanted == code
        || (wanted.len() == 3 && wanted.ends_with("xx") && wanted.get(..1) == code.get(..1))
}

fn has_address(call: &Call, ip: IpAddr) -> bool {
    let ends = |m: &crate::session::Stored| [m.stamp.source, m.stamp.destination];
    call.messages
        .iter()
        .flat_map(ends)
        .flatten()
        .any(|address| address.ip() == ip)
}

fn has_number(call: &Call, wanted: &str) -> bool {
    let wanted = digits(wanted);
    call.originals().any(|(_, m)| {
        let message = m.message();
        let uri = message.request_uri().map(|uri| uri.of(&m.raw));
        let names = ["From", "To", "P-Asserted-Identity"];
        let named = names
            .into_iter()
            .flat_map(|name| message.all(name))
            .map(|header| header.value.of(&m.raw));
        let values = named.map(addr_spec);
        let users = uri
            .into_iter()
            .chain(values)
            .filter_map(Uri::parse)
            .map(|uri| digits(&uri.number()));
        users
            .into_iter()
            .any(|user| !user.is_empty() && user == wanted)
    })
}

// Visual separators do not count (RFC 3966 §5.1.1), and neither does a leading + or 00.
fn digits(number: &str) -> String {
    let plain: String = number.chars().filter(|c| !" -.()".contains(*c)).collect();
    let international = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"));
    international.unwrap_or(&plain).to_owned()
}
