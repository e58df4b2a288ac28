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
        .flat_map(|value| elements(&value).map(via).collect::<Vec<_>>())
        .collect()
}

fn via(element: &[u8]) -> Via {
    let semicolon = memchr::memchr(b';', element).unwrap_or(element.len());
    let list = params::semicolon_list(element.get(semicolon..).unwrap_or_default());
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
    /// The qualities of protection offered (`auth,auth-int`).
    pub qop: Option<String>,
    /// To be sent back unchanged.
    pub opaque: Option<String>,
    /// For a proxy, in Proxy-Authenticate.
    pub proxy: bool,
    /// Where the header stands among all headers with its name.
    pub index: usize,
}

/// The challenges in a 401 or 407.
pub fn challenges(message: Message<'_>) -> Vec<Challenge> {
    let of = |name: &'static str, proxy| {
        let headers = message.all(name).enumerate();
        headers.filter_map(move |(index, header)| {
            challenge(&unfold(header.value.of(message.raw)), proxy, index)
        })
    };
    of("WWW-Authenticate", false)
        .chain(of("Proxy-Authenticate", true))
        .collect()
}

// rsip knows neither `qop="auth,auth-int"` nor `algorithm=SHA-256`, so ours answers for all.
fn challenge(value: &[u8], proxy: bool, index: usize) -> Option<Challenge> {
    let list = auth_params(value);
    let find = |name| params::find(&list, name);
    Some(Challenge {
        realm: find("realm")?.to_owned(),
        nonce: find("nonce")?.to_owned(),
        algorithm: find("algorithm").unwrap_or("MD5").to_owned(),
        stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        qop: find("qop").map(str::to_owned),
        opaque: find("opaque").map(str::to_owned),
        proxy,
        index,
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
    /// URI that the hash was made for.
    pub uri: Option<String>,
    /// As written; `MD5` where there is none.
    pub algorithm: String,
    /// Quality of protection chosen.
    pub qop: Option<String>,
    /// How often the nonce was used, as written.
    pub nc: Option<String>,
    /// Is there a cnonce that is not empty?
    pub cnonce: bool,
    /// Sent back as it came.
    pub opaque: Option<String>,
    /// Length of the response, and whether it is made of hexadecimal digits only.
    pub response: (usize, bool),
    /// In Proxy-Authorization.
    pub proxy: bool,
    /// Where the header stands among all headers with its name.
    pub index: usize,
}

/// The credentials of a request.
pub fn credentials(message: Message<'_>) -> Vec<Credentials> {
    let of = |name: &'static str, proxy| {
        let headers = message.all(name).enumerate();
        headers.filter_map(move |(index, header)| {
            credential(&unfold(header.value.of(message.raw)), proxy, index)
        })
    };
    of("Authorization", false)
        .chain(of("Proxy-Authorization", true))
        .collect()
}

// rsip wants a `uri` that it can read, which excludes IPv6 and tel; ours does not care.
fn credential(value: &[u8], proxy: bool, index: usize) -> Option<Credentials> {
    let list = auth_params(value);
    let find = |name| params::find(&list, name).map(str::to_owned);
    let response = params::find(&list, "response").unwrap_or_default();
    Some(Credentials {
        username: find("username")?,
        realm: find("realm").unwrap_or_default(),
        nonce: find("nonce").unwrap_or_default(),
        uri: find("uri"),
        algorithm: find("algorithm").unwrap_or_else(|| "MD5".to_owned()),
        qop: find("qop"),
        nc: find("nc"),
        cnonce: find("cnonce").is_some_and(|cnonce| !cnonce.is_empty()),
        opaque: find("opaque"),
        response: (
            response.len(),
            response.bytes().all(|b| b.is_ascii_hexdigit()),
        ),
        proxy,
        index,
    })
}

// The scheme stands before the first parameter, without a comma.
fn auth_params(value: &[u8]) -> Vec<Param<'_>> {
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
        .flat_map(|value| elements(&value).filter_map(warning).collect::<Vec<_>>())
        .collect()
}

fn warning(element: &[u8]) -> Option<Warning> {
    if let Ok(view) = untyped::Warning::new(lossy(element)).typed() {
        let agent = view.uri.host_with_port.to_string();
        return Some(Warning {
            code: view.code,
            agent,
            text: params::unquote(view.text.as_bytes()).into_owned(),
        });
    }
    // rsip refuses an agent that is no host (`isup`, a pseudonym with blanks in the text).
    let mut words = element.splitn(3, |b| *b == b' ');
    let code = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let agent = lossy(words.next()?);
    Some(Warning {
        code,
        agent,
        text: params::unquote(words.next().unwrap_or_default().trim_ascii()).into_owned(),
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
        all.extend(elements(&value).map(reason));
    }
    all
}

// rsip does not know the header.
fn reason(element: &[u8]) -> Reason {
    let protocol = element.split(|b| *b == b';').next().unwrap_or_default();
    let mut reason = Reason {
        protocol: lossy(protocol.trim_ascii()),
        cause: None,
        text: None,
        location: None,
    };
    let mut numbered = false;
    for (name, value) in params::semicolon_pairs(element) {
        let first = |text: &mut Option<String>| {
            text.get_or_insert_with(|| params::unquote(value).into_owned());
        };
        match name {
            name if name.eq_ignore_ascii_case(b"text") => first(&mut reason.text),
            name if name.eq_ignore_ascii_case(b"location") => first(&mut reason.location),
            name if name.eq_ignore_ascii_case(b"cause") && !numbered => {
                numbered = true;
                reason.cause = params::unquote(value).parse().ok();
            }
            _ => {}
        }
    }
    reason
}

/// The URIs of all Contact values, parameters and headers left out.
pub fn contacts(message: Message<'_>) -> Vec<String> {
    let values = message
        .all("Contact")
        .map(|header| unfold(header.value.of(message.raw)).into_owned());
    values
        .flat_map(|value| elements(&value).filter_map(contact).collect::<Vec<_>>())
        .collect()
}

// rsip takes `tel:+1415` for a host named tel and fails on IPv6, so ours answers for all.
fn contact(element: &[u8]) -> Option<String> {
    Uri::parse(addr_spec(element)).map(|uri| uri.bare())
}

/// A Contact value of a REGISTER or of its answer (RFC 3261 §10.2.1, RFC 5626 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The URI without parameters; `*` where all bindings are meant.
    pub uri: String,
    /// Parameter expires, seconds.
    pub expires: Option<u32>,
    /// Parameter +sip.instance.
    pub instance: Option<String>,
    /// Parameter reg-id.
    pub reg_id: Option<String>,
    /// Where its header stands among all Contact headers.
    pub index: usize,
}

/// The bindings that a REGISTER asks for, or that its answer lists; at most 64.
pub fn bindings(message: Message<'_>) -> Vec<Binding> {
    const MOST: usize = 64;
    let mut all = Vec::new();
    for (index, header) in message.all("Contact").enumerate() {
        let value = unfold(header.value.of(message.raw));
        let elements = elements(&value);
        all.extend(elements.into_iter().map(|element| binding(element, index)));
        if all.len() >= MOST {
            break;
        }
    }
    all.truncate(MOST);
    all
}

fn binding(element: &[u8], index: usize) -> Binding {
    // Parameters behind the angle bracket belong to the header, those inside to the URI.
    let close = memchr::memrchr(b'>', element).map_or(0, |at| at + 1);
    let outside = element.get(close..).unwrap_or_default();
    let list = params::semicolon_list(outside);
    // An instance is `"<urn:uuid:...>"`, whose bracket is no end of a URI.
    let all = params::semicolon_list(element);
    let find = |name| params::find(&all, name).map(str::to_owned);
    let uri = contact(element).unwrap_or_else(|| lossy(element.trim_ascii()));
    let expires = params::find(&list, "expires").or_else(|| params::find(&all, "expires"));
    Binding {
        uri,
        expires: expires.and_then(|expires| expires.trim().parse().ok()),
        instance: find("+sip.instance"),
        reg_id: find("reg-id"),
        index,
    }
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

    #[test]
    fn bindings_keep_what_a_registrar_says_of_each() {
        let raw = b"SIP/2.0 200 OK\r\n\
            Contact: <sip:a@192.0.2.1;transport=udp;expires=1>;expires=60;+sip.instance=\"<urn:uuid:1>\";reg-id=2, sip:b@192.0.2.2;q=1\r\n\
            m: *\r\n\r\n";
        let head = Head::read(raw).unwrap();
        let all = bindings(Message { raw, head: &head });
        let first = all.first().unwrap();
        assert_eq!(
            (first.uri.as_str(), first.expires),
            ("sip:a@192.0.2.1", Some(60))
        );
        assert_eq!(first.instance.as_deref(), Some("<urn:uuid:1>"));
        assert_eq!(first.reg_id.as_deref(), Some("2"));
        let rest: Vec<_> = all
            .iter()
            .skip(1)
            .map(|b| (b.uri.as_str(), b.expires, b.index))
            .collect();
        assert_eq!(rest, [("sip:b@192.0.2.2", None, 0), ("*", None, 1)]);
    }
}
