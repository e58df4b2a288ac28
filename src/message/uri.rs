//! SIP, SIPS and tel URIs, and the name-addr around them (RFC 3261 §19.1, §20.10; RFC 3966).

use super::span::trim;
use crate::short;
use nom::bytes::complete::{take_till, take_while1};
use nom::character::complete::char;
use nom::{IResult, Parser};

/// A URI in parts, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// `sip`, `sips`, `tel`, ... as written.
    pub scheme: &'a [u8],
    /// User part, or the number of a tel URI; empty where there is none.
    pub user: &'a [u8],
    /// Host with brackets where it is IPv6; empty for tel.
    pub host: &'a [u8],
    /// Port as written; empty where there is none.
    pub port: &'a [u8],
    /// Everything from the first `;` on.
    pub params: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Reads a URI; `None` where there is no scheme.
    pub fn parse(input: &'a [u8]) -> Option<Uri<'a>> {
        let (rest, scheme) = scheme(trim(input)).ok()?;
        let is_tel = scheme.eq_ignore_ascii_case(b"tel");
        // A user part may itself hold `;` and `?`; the last `@` before the host ends it.
        let at = short::rfind(rest, b'@').filter(|_| !is_tel);
        let (user, rest) = match at {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
            None => (&b""[..], rest),
        };
        let end = short::find_any(rest, 0, *b";?").unwrap_or(rest.len());
        let (hostport, params) = rest.split_at_checked(end)?;
        if is_tel {
            return Some(Uri {
                scheme,
                user: hostport,
                host: b"",
                port: b"",
                params,
            });
        }
        let (host, port) = host_port(hostport);
        Some(Uri {
            scheme,
            user,
            host,
            port,
            params,
        })
    }

    /// Does it carry `lr`, as the URI of a router does that leaves the Request-URI alone
    /// (RFC 3261 §19.1.1)?
    pub fn is_loose(&self) -> bool {
        let mut parts = self.params.split(|byte| *byte == b';');
        parts.any(|part| {
            let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
            name.trim_ascii().eq_ignore_ascii_case(b"lr")
        })
    }

    /// `scheme:user@host:port` without parameters and password.
    pub fn bare(&self) -> String {
        let user = self
            .user
            .split(|b| b":;".contains(b))
            .next()
            .unwrap_or_default();
        let mut out = format!(
            "{}:{}",
            super::lossy(self.scheme).to_ascii_lowercase(),
            super::lossy(user)
        );
        if !self.host.is_empty() {
            if !user.is_empty() {
                out.push('@');
            }
            out.push_str(&super::lossy(self.host));
            if !self.port.is_empty() {
                out.push(':');
                out.push_str(&super::lossy(self.port));
            }
        }
        out
    }

    /// The port, or the usual one of its scheme and transport (RFC 3261 §19.1.2); 0 for one that is
    /// no number.
    pub fn usual_port(&self) -> u16 {
        let secure = self.scheme.eq_ignore_ascii_case(b"sips")
            || super::params::value_after(self.params, 0, "transport")
                .is_some_and(|span| span.of(self.params).eq_ignore_ascii_case(b"tls"));
        match (self.port, secure) {
            (b"", true) => 5061,
            (b"", false) => 5060,
            (port, _) => std::str::from_utf8(port)
                .ok()
                .and_then(|port| port.parse().ok())
                .unwrap_or(0),
        }
    }

    /// Do both lead to the same user at the same place? Parameters aside.
    pub fn leads_as(&self, other: &Uri<'_>) -> bool {
        self.user == other.user
            && self.host.eq_ignore_ascii_case(other.host)
            && self.usual_port() == other.usual_port()
    }

    /// The user part without its parameters and password; what a person would call the number.
    pub fn number(&self) -> String {
        super::lossy(
            self.user
                .split(|b| b":;".contains(b))
                .next()
                .unwrap_or_default(),
        )
    }
}

/// Host and port of `host:port`, IPv6 in brackets.
pub fn host_port(input: &[u8]) -> (&[u8], &[u8]) {
    let host_end = match input.first() {
        Some(b'[') => short::find(input, 0, b']').map_or(input.len(), |at| at + 1),
        _ => short::find(input, 0, b':').unwrap_or(input.len()),
    };
    let (host, rest) = input.split_at_checked(host_end).unwrap_or((input, b""));
    (
        trim(host),
        trim(rest.strip_prefix(b":").unwrap_or_default()),
    )
}

fn scheme(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (input, scheme) =
        take_while1(|b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b)).parse(input)?;
    let (input, _) = char(':').parse(input)?;
    Ok((input, scheme))
}

/// The URI inside a From, To, Contact or Route element: between `<` and `>`, else up to the
/// first `;` (RFC 3261 §20.10: parameters without brackets belong to the header).
pub fn addr_spec(element: &[u8]) -> &[u8] {
    let element = trim(element);
    let quoted = display_name_end(element);
    let rest = element.get(quoted..).unwrap_or_default();
    if let Some(open) = short::find(rest, 0, b'<') {
        let inner = rest.get(open + 1..).unwrap_or_default();
        let end = short::find(inner, 0, b'>').unwrap_or(inner.len());
        return trim(inner.get(..end).unwrap_or_default());
    }
    let plain: IResult<&[u8], &[u8]> = take_till(|b| b == b';')(rest);
    plain.map_or(rest, |(_, uri)| trim(uri))
}

// A quoted display name may hold `<`; it ends at the closing quote.
fn display_name_end(element: &[u8]) -> usize {
    if element.first() != Some(&b'"') {
        return 0;
    }
    let mut escaped = false;
    for (at, &byte) in element.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(input: &[u8]) -> String {
        Uri::parse(addr_spec(input)).map_or_else(|| "none".into(), |uri| uri.bare())
    }

    #[test]
    fn a_usual_port_may_be_left_out() {
        let same = |a: &str, b: &str| {
            let (a, b) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes()));
            a.unwrap().leads_as(&b.unwrap())
        };
        for (a, b, leads_as) in [
            ("sip:a@Host;lr", "sip:a@host:5060", true),
            ("sips:a@host", "sip:a@host;transport=TLS", true),
            ("sip:a@host", "sip:b@host", false),
            ("sip:a@host:5062", "sip:a@host", false),
        ] {
            assert_eq!(same(a, b), leads_as, "{a} {b}");
        }
    }

    #[test]
    fn uris_lose_parameters_passwords_and_headers() {
        for (input, want) in [
            (
                &b"<sip:a:secret@example.com:5070;transport=tcp?X=1>;tag=1"[..],
                "sip:a@example.com:5070",
            ),
            (
                b"\"x <sip:no@no>\" <SIPS:b@[2001:db8::1]:5061>",
                "sips:b@[2001:db8::1]:5061",
            ),
            (b"sip:c@example.com;tag=9", "sip:c@example.com"),
            (
                b"<tel:+1-212-555-0123;phone-context=x>",
                "tel:+1-212-555-0123",
            ),
            (
                b"<sip:+12125550123;npdi@example.com>",
                "sip:+12125550123@example.com",
            ),
            (b"<sip:example.com>", "sip:example.com"),
            (b"nothing", "none"),
        ] {
            assert_eq!(bare(input), want);
        }
    }
}
