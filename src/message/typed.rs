//! Typed views of the headers that diagnoses look at.
//!
//! rsip reads the element first; it is sound but narrow, so where it refuses an element, or is
//! known to lose part of one, our own reading answers and the comment there names the case.

use super::header::{elements, unfold};
use super::params::{self, Param};
use super::uri::{Uri, addr_spec};
use super::{Message, lossy};
use rsip::headers::{ToTypedHeader, UntypedHeader, untyped};

/// One Via value (RFC 3261 §20.42, RFC 3581).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, ...
    pub transport: String,
    /// Host and port as written.
    pub sent_by: String,
    /// Parameter branch.
    pub branch: Option<String>,
    /// Parameter received.
    pub received: Option<String>,
    /// Parameter rport with a value.
    pub rport: Option<u16>,
}

/// All Via values, topmost first.
pub fn vias(message: Message<'_>) -> Vec<Via> {
    let values = message
        .all("Via")
        .map(|header| unfold(header.value.of(message.raw)).into_owned());
    values
        .flat_map(|value| elements(&value).into_iter().map(via).collect::<Vec<_>>())
        .collect()
}

fn via(element: &[u8]) -> Via {
    let list = params::semicolon_list(
        element
            .split(|b| *b == b';')
            .skip(1)
            .collect::<Vec<_>>()
            .join(&b';')
            .as_slice(),
    );
    let find = |name| {
        params::find(&list, name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let (transport, sent_by) = match untyped::Via::new(lossy(element)).typed() {
        // rsip fails on IPv6 in sent-by, on blanks around the slashes and on unknown transports.
        Ok(view) => (
            view.transport.to_string(),
            view.uri.host_with_port.to_string(),
        ),
        Err(_) => own_via(element),
    };
    // rsip cuts an IPv6 `received` at its first colon and drops parameters with blanks around `=`.
    Via {
        transport,
        sent_by,
        branch: find("branch"),
        received: find("received"),
        rport: find("rport").and_then(|port| port.parse().ok()),
    }
}

fn own_via(element: &[u8]) -> (String, String) {
    let head = element
        .split(|b| *b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let blank = head
        .iter()
        .rposition(|b| b.is_ascii_whitespace())
        .unwrap_or(0);
    let (protocol, sent_by) = head.split_at_checked(blank).unwrap_or_default();
    let transport = protocol.rsplit(|b| *b == b'/').next().unwrap_or_default();
    (
        lossy(transport.trim_ascii()).to_ascii_uppercase(),
        lossy(sent_by.trim_ascii()),
    )
}

/// A WWW-Authenticate or Proxy-Authenticate value (RFC 7616 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Protection domain.
    pub realm: String,
    /// The nonce to be answered.
    pub nonce: String,
    /// As written; `MD5` where there is none.
    pub algorithm: String,
    /// The previous nonce was too old, the credentials may be right.
    pub stale: bool,
    /// For a proxy, in Proxy-Authenticate.
    pub proxy: bool,
}

/// The challenges in a 401 or 407.
pub fn challenges(message: Message<'_>) -> Vec<Challenge> {
    let of = |name: &'static str, proxy| {
        message
            .all(name)
            .filter_map(move |header| challenge(&unfold(header.value.of(message.raw)), proxy))
    };
    of("WWW-Authenticate", false)
        .chain(of("Proxy-Authenticate", true))
        .collect()
}

fn challenge(value: &[u8], proxy: bool) -> Option<Challenge> {
    if let Ok(view) = untyped::WwwAuthenticate::new(lossy(value)).typed() {
        return Some(Challenge {
            realm: view.realm,
            nonce: view.nonce,
            algorithm: view
                .algorithm
                .map_or_else(|| "MD5".to_owned(), |a| a.to_string()),
            stale: view
                .stale
                .is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            proxy,
        });
    }
    // rsip knows neither `qop="auth,auth-int"` nor `algorithm=SHA-256`.
    let list = auth_params(value);
    let find = |name| params::find(&list, name);
    Some(Challenge {
        realm: find("realm")?.to_owned(),
        nonce: find("nonce")?.to_owned(),
        algorithm: find("algorithm").unwrap_or("MD5").to_owned(),
        stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        proxy,
    })
}

/// An Authorization or Proxy-Authorization value, its response left out (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Name that the hash was made for.
    pub username: String,
    /// Protection domain answered.
    pub realm: String,
    /// Nonce answered.
    pub nonce: String,
    /// In Proxy-Authorization.
    pub proxy: bool,
    /// Where the header stands among all headers with its name.
    pub index: usize,
}

/// The credentials of a request.
pub fn credentials(message: Message<'_>) -> Vec<Credentials> {
    let of = |name: &'static str, proxy| {
        message
            .all(name)
            .enumerate()
            .filter_map(move |(index, header)| {
                let value = unfold(header.value.of(message.raw));
                // rsip wants a `uri` that it can read, which excludes IPv6 and tel; ours does not care.
                let list = auth_params(&value);
                let find = |name| params::find(&list, name).map(str::to_owned);
                Some(Credentials {
                    username: find("username")?,
                    realm: find("realm").unwrap_or_default(),
                    nonce: find("nonce").unwrap_or_default(),
                    proxy,
                    index,
                })
            })
    };
    of("Authorization", false)
        .chain(of("Proxy-Authorization", true))
        .collect()
}

// The scheme stands before the first parameter, without a comma.
fn auth_params(value: &[u8]) -> Vec<Param> {
    let value = value.trim_ascii();
    let scheme = value
        .iter()
        .position(|b| b.is_ascii_whitespace())
        .unwrap_or(0);
    params::comma_list(value.get(scheme..).unwrap_or_default())
}

/// One Warning value (RFC 3261 §20.43).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Three digits.
    pub code: u16,
    /// Host that added it.
    pub agent: String,
    /// Text without quotes.
    pub text: String,
}

/// The warnings of a response.
pub fn warnings(message: Message<'_>) -> Vec<Warning> {
    let values = message
        .all("Warning")
        .map(|header| unfold(header.value.of(message.raw)).into_owned());
    values
        .flat_map(|value| {
            elements(&value)
                .into_iter()
                .filter_map(warning)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn warning(element: &[u8]) -> Option<Warning> {
    if let Ok(view) = untyped::Warning::new(lossy(element)).typed() {
        let agent = view.uri.host_with_port.to_string();
        return Some(Warning {
            code: view.code,
            agent,
            text: params::unquote(view.text.as_bytes()),
        });
    }
    // rsip refuses an agent that is no host (`isup`, a pseudonym with blanks in the text).
    let mut words = element.splitn(3, |b| *b == b' ');
    let code = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let agent = lossy(words.next()?);
    Some(Warning {
        code,
        agent,
        text: params::unquote(words.next().unwrap_or_default().trim_ascii()),
    })
}

/// One Reason value (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850`, ...
    pub protocol: String,
    /// Parameter cause.
    pub cause: Option<u32>,
    /// Parameter text.
    pub text: Option<String>,
    /// Parameter location: in which network a Q.850 cause arose (RFC 8606 §4).
    pub location: Option<String>,
}

/// The reasons that a message gives.
pub fn reasons(message: Message<'_>) -> Vec<Reason> {
    let mut all = Vec::new();
    for header in message.all("Reason") {
        let value = unfold(header.value.of(message.raw));
        all.extend(elements(&value).into_iter().map(reason));
    }
    all
}

// rsip does not know the header.
fn reason(element: &[u8]) -> Reason {
    let list = params::semicolon_list(element);
    let protocol = element.split(|b| *b == b';').next().unwrap_or_default();
    Reason {
        protocol: lossy(protocol.trim_ascii()),
        cause: params::find(&list, "cause").and_then(|cause| cause.parse().ok()),
        text: params::find(&list, "text").map(str::to_owned),
        location: params::find(&list, "location").map(str::to_owned),
    }
}

/// The URIs of all Contact values, parameters and headers left out.
pub fn contacts(message: Message<'_>) -> Vec<String> {
    let values = message
        .all("Contact")
        .map(|header| unfold(header.value.of(message.raw)).into_owned());
    values
        .flat_map(|value| {
            elements(&value)
                .into_iter()
                .filter_map(contact)
                .collect::<Vec<_>>()
        })
        .collect()
}

// rsip takes `tel:+1415` for a host named tel and fails on IPv6, so ours answers for all.
fn contact(element: &[u8]) -> Option<String> {
    Uri::parse(addr_spec(element)).map(|uri| uri.bare())
}

/// Seconds of a Retry-After value, comment and parameters left out (RFC 3261 §20.33).
pub fn retry_after(message: Message<'_>) -> Option<u64> {
    let value = message.text("Retry-After")?;
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Head;

    const RAW: &[u8] = b"SIP/2.0 401 Unauthorized\r\n\
        Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;received=2001:db8::9;rport=5062, SIP/2.0/TLS a.example;branch=z9hG4bK2\r\n\
        WWW-Authenticate: Digest realm=\"example.net\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm=SHA-256, stale=TRUE\r\n\
        WWW-Authenticate: Digest realm=\"example.net\", nonce=\"n2\"\r\n\
        Authorization: Digest username=\"bob\",realm=\"example.net\",nonce=\"n1\",uri=\"sip:[2001:db8::1]\",response=\"x\"\r\n\
        Warning: 301 isup \"a, b\", 307 b.example \"y\"\r\n\
        Reason: Q.850;cause=34;text=\"No circuit\", SIP ;cause=503\r\n\
        Contact: \"<x>\" <tel:+1415>;q=1, <sip:a@b;transport=tcp>\r\n\
        Retry-After: 120 (in a meeting);duration=3\r\n\r\n";

    #[test]
    fn every_element_is_read_also_where_rsip_refuses() {
        let head = Head::read(RAW).unwrap();
        let message = Message {
            raw: RAW,
            head: &head,
        };
        let vias = vias(message);
        assert_eq!(
            (vias.len(), vias[0].sent_by.as_str(), vias[0].rport),
            (2, "[2001:db8::1]:5060", Some(5062))
        );
        assert_eq!(vias[0].received.as_deref(), Some("2001:db8::9"));
        assert_eq!(
            (vias[1].transport.as_str(), vias[1].branch.as_deref()),
            ("TLS", Some("z9hG4bK2"))
        );
        let challenges = challenges(message);
        assert_eq!(
            (challenges[0].algorithm.as_str(), challenges[0].stale),
            ("SHA-256", true)
        );
        assert_eq!(
            (
                challenges[1].nonce.as_str(),
                challenges[1].algorithm.as_str()
            ),
            ("n2", "MD5")
        );
        assert_eq!(credentials(message)[0].username, "bob");
        let warnings = warnings(message);
        assert_eq!(
            (
                warnings[0].code,
                warnings[0].text.as_str(),
                warnings[1].code
            ),
            (301, "a, b", 307)
        );
        let reasons = reasons(message);
        assert_eq!(
            (
                reasons[0].protocol.as_str(),
                reasons[0].cause,
                reasons[1].cause
            ),
            ("Q.850", Some(34), Some(503))
        );
        assert_eq!(contacts(message), ["tel:+1415", "sip:a@b"]);
        assert_eq!(retry_after(message), Some(120));
    }
}
