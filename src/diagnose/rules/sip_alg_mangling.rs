//! N5: something on the way rewrites SIP messages: the "SIP ALG" of a router or firewall.

use super::super::address::is_private;
use super::super::finding::{Evidence, Part, Template, note};
use super::super::reach::sent_by;
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Need, Role, Rule, Severity,
};
use crate::message::header::Header;
use crate::message::{Flaw, Span, lossy};
use crate::session::clock::SECOND;
use crate::session::{Call, Outcome, Stored};
use std::net::{IpAddr, SocketAddr};

/// The rule.
pub static RULE: Rule = Rule {
    id: "sip-alg-mangling",
    severity: Severity::Error,
    frequency: Frequency::High,
    needs: &[Need::Addresses],
    rfc: &[(3261, "16.6"), (3261, "18.1.2"), (3261, "20.14")],
    title: "something in front of {element} rewrites SIP messages (SIP ALG)",
    why: "the same message was recorded twice, from {before} and from {element}, and its content differs although no proxy added a Via: a router or firewall between the two points rewrites SIP",
    fix: "Switch off the SIP helper in the router or firewall (called SIP ALG, SIP helper, SIP transformations, SIP inspection; on Linux the module nf_conntrack_sip). Where that cannot be done, use TLS or another port than 5060 towards the server, so that it does not see SIP.",
    sentences: &[
        (
            "why-via",
            "{element} answered with a Via that names {after}, and the request had named {before}: a server must return Via unchanged, and who sent the request must drop an answer that differs, so a router or firewall on the way rewrites SIP",
        ),
        (
            "why-dropped",
            "{element} answered with a Via that names {after}, and the request had named {before}: a server must return Via unchanged, so a router or firewall on the way rewrites SIP. Who sent the request dropped the answer, as it must: it sent the same {method} {copies} times more, so for it nothing was answered",
        ),
        (
            "why-length",
            "the Content-Length of the message from {element} is wrong by {off} bytes, just what the session description gains where {before} is replaced by {after}: a router or firewall on the way rewrites addresses in SIP and forgets the length",
        ),
        (
            "again",
            "the same request once more, though it was answered",
        ),
        ("before", "as it was sent"),
        ("after", "as it went on"),
        ("length", "there are {body} bytes of body"),
        (
            "rewritten",
            "the address put in; o= or another line still names {before}",
        ),
    ],
    explains: &[
        "bad-request-400",
        "content-length-mismatch",
        "private-contact",
        "request-no-response",
    ],
    confirm: "captures on both sides of the router in front of {element}",
    check,
    ..Rule::PLAIN
};

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if let Some((first, second)) = two_views(call) {
        return tell_views(call, first, second, found);
    }
    if let Some((request, answer)) = changed_via(call) {
        return tell_via(call, request, answer, found);
    }
    if let Some((index, length)) = forgotten_length(call) {
        tell_length(call, index, length, found);
    }
}

// A message that was changed is the cause where nobody could use it any more: silence, an answer
// without ACK, or 400.
fn weight(call: &Call, proved: Confidence) -> (Severity, Role, Confidence) {
    let ruined = match call.outcome {
        Outcome::TimedOut => true,
        Outcome::Failed => matches!(call.code(), Some(200..=299 | 400)),
        _ => false,
    };
    match ruined {
        true => (Severity::Error, Role::Cause, Confidence::Likely),
        false => (Severity::Warning, Role::Contributing, proved),
    }
}

// The same message before and after a translation: another sender, the same topmost branch and
// number of Vias, and other bytes.
fn two_views(call: &Call) -> Option<(usize, usize)> {
    const MOST: usize = 8;
    let begins = |m: &Stored| {
        (m.head.is_request() || m.head.final_code().is_some())
            && m.stamp.lines == 0
            && call.is_of_beginning(m)
            && !m.head.flaws.has(Flaw::CutByCapture)
    };
    let all = || call.originals().filter(|(_, m)| begins(m)).take(MOST);
    for (nth, (index, m)) in all().enumerate() {
        let mut earlier = all().take(nth);
        if let Some((first, other)) = earlier.find(|(_, other)| is_same_elsewhere(other, m)) {
            return difference(other, m).map(|_| (first, index));
        }
    }
    None
}

fn is_same_elsewhere(a: &Stored, b: &Stored) -> bool {
    let together = a
        .time()
        .zip(b.time())
        .is_some_and(|(a, b)| (b - a).abs() < 2 * SECOND);
    let branch = |m: &Stored| m.head.branch.of(&m.raw).to_vec();
    a.head.code() == b.head.code()
        && a.head.method == b.head.method
        && a.cseq() == b.cseq()
        && a.head.vias == b.head.vias
        && a.keys.to_tag == b.keys.to_tag
        && a.stamp.source.map(|a| a.ip()) != b.stamp.source.map(|a| a.ip())
        && !a.head.branch.is_empty()
        && together
        && branch(a) == branch(b)
}

// The first line in which the two differ, in either.
fn difference(a: &Stored, b: &Stored) -> Option<(Span, Span)> {
    const MOST: usize = 400;
    let lines = |m: &'_ Stored| -> Vec<Span> {
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', &m.raw).chain([m.raw.len()]);
        let spans = ends.take(MOST).map(|end| {
            let line = Span::new(start, end);
            start = end + 1;
            let text = line.of(&m.raw);
            Span::new(
                line.start as usize,
                line.start as usize + text.trim_ascii_end().len(),
            )
        });
        spans.collect()
    };
    let (a_lines, b_lines) = (lines(a), lines(b));
    let mut pairs = a_lines.into_iter().zip(b_lines);
    pairs.find(|(x, y)| x.of(&a.raw) != y.of(&b.raw))
}

fn part_of(stored: &Stored, line: Span) -> Part {
    if line.start >= stored.head.body {
        return Part::Body;
    }
    let mut headers = stored.message().headers();
    let found = headers.find(|h: &Header| h.name.start <= line.start && line.start <= h.value.end);
    found.map_or(Part::StartLine, Part::Header)
}

fn excerpt(index: usize, stored: &Stored, line: Span, note: Template) -> Evidence {
    Evidence::Excerpt {
        message: index,
        line,
        mark: line,
        part: part_of(stored, line),
        note,
    }
}

fn tell_views(call: &Call, first: usize, second: usize, found: &mut Findings) {
    let (severity, role, sure) = weight(call, Confidence::Certain);
    let (Some(a), Some(b)) = (call.messages.get(first), call.messages.get(second)) else {
        return;
    };
    let Some(finding) = found.add_with(severity, role, sure, Acts::Network) else {
        return;
    };
    let at = |m: &Stored| m.stamp.source.map_or_else(String::new, |a| a.to_string());
    finding
        .element(at(b))
        .args(Args::new().text("before", at(a)).text("after", at(b)));
    if let Some((before, after)) = difference(a, b) {
        finding
            .proof(excerpt(first, a, before, note("before")))
            .proof(excerpt(second, b, after, note("after")));
    }
}

// An answer with the branch of a request and another sent-by in the same Via: the two are
// different transactions, so the request seems unanswered (RFC 3261 §18.1.2).
fn changed_via(call: &Call) -> Option<(usize, usize)> {
    let unmatched = call
        .transactions()
        .iter()
        .find(|t| t.sends.is_empty() && t.acks.is_empty() && t.is_answered())?;
    let at = *unmatched
        .provisionals
        .first()
        .or(unmatched.finals.first())?;
    let answer = call.messages.get(at)?;
    let (from, to) = answer.stamp.observed()?;
    // Its author named itself there: no router does that for it.
    if sent_by(answer).is_some_and(|(host, _)| host.ip() == Some(from.ip())) {
        return None;
    }
    let branch = |m: &Stored| m.head.branch.of(&m.raw).to_vec();
    let asked = call.originals().take(64).find(|(_, m)| {
        m.head.is_request()
            && m.head.method == answer.head.method
            && m.cseq() == answer.cseq()
            && m.stamp
                .observed()
                .is_some_and(|(from, _)| from.ip() == to.ip())
            && !m.head.branch.is_empty()
            && branch(m) == branch(answer)
            && m.head.sent_by.of(&m.raw) != answer.head.sent_by.of(&answer.raw)
    });
    let (index, request) = asked?;
    // Its sender named itself rightly, so nobody else had reason to put another address there.
    let own = sent_by(request)?.0.ip() == request.stamp.source.map(|a| a.ip());
    (own && request.stamp.lines == 0).then_some((index, at))
}

fn tell_via(call: &Call, request: usize, answer: usize, found: &mut Findings) {
    let (severity, role, sure) = weight(call, Confidence::Likely);
    let (Some(asked), Some(told)) = (call.messages.get(request), call.messages.get(answer)) else {
        return;
    };
    let Some(finding) = found.add_with(severity, role, sure, Acts::Network) else {
        return;
    };
    let named = |m: &Stored| lossy(m.head.sent_by.of(&m.raw));
    let element = told
        .stamp
        .source
        .map_or_else(String::new, |a| a.to_string());
    finding
        .element(element)
        .args(
            Args::new()
                .text("before", named(asked))
                .text("after", named(told)),
        )
        .why("why-via")
        .proof(Evidence::header(request, asked, "Via", note("before")))
        .proof(Evidence::header(answer, told, "Via", note("after")));
    let again = sent_after(call, request, told);
    if let (Some(&last), true) = (again.last(), again.len() >= 2)
        && let Some(m) = call.messages.get(last)
    {
        finding
            .why("why-dropped")
            .args(
                Args::new()
                    .text("method", asked.message().method_name())
                    .count("copies", again.len()),
            )
            .proof(Evidence::start_line(last, m, note("again")));
    }
}

// The copies of a request that were sent well after an answer to it was seen.
fn sent_after(call: &Call, request: usize, answer: &Stored) -> Vec<usize> {
    const CROSSED: i64 = 3 * SECOND / 10;
    let sends = call.transaction_of(request).map(|t| t.sends.as_slice());
    let later = |at: &usize| {
        let sent = call.messages.get(*at).and_then(Stored::time);
        sent.zip(answer.time())
            .is_some_and(|(sent, answered)| sent > answered + CROSSED)
    };
    let sends = sends.unwrap_or_default().iter().copied();
    sends.filter(later).collect()
}

/// A body that is longer or shorter than its Content-Length by what a replaced address gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Forgotten {
    /// Bytes of body less Content-Length.
    off: i64,
    /// What o= or another line still names.
    before: IpAddr,
    /// What c= names.
    after: IpAddr,
    /// The c= line, in bytes of the body.
    line: Span,
}

fn forgotten_length(call: &Call) -> Option<(usize, Forgotten)> {
    let wrong = |m: &Stored| {
        let flaws = m.head.flaws;
        (flaws.has(Flaw::BodyCut) || flaws.has(Flaw::BodyExcess))
            && !flaws.has(Flaw::CutByCapture)
            && m.stamp.lines == 0
    };
    call.originals()
        .filter(|(_, m)| wrong(m))
        .find_map(|(index, m)| {
            let length = m.head.content_length?;
            Some((index, replaced(m.message().body(), length)?))
        })
}

fn replaced(body: &[u8], length: u32) -> Option<Forgotten> {
    let off = i64::try_from(body.len()).ok()? - i64::from(length);
    let mut addresses: Vec<(IpAddr, u8, Span)> = Vec::new();
    let mut start = 0;
    for line in body.split(|b| *b == b'\n').take(200) {
        let text = line.trim_ascii_end();
        let kind = text.first().copied().unwrap_or(0);
        let last = text.rsplit(|b| *b == b' ').next().unwrap_or_default();
        if matches!(kind, b'c' | b'o')
            && let Some(ip) = std::str::from_utf8(last).ok().and_then(|t| t.parse().ok())
        {
            addresses.push((ip, kind, Span::new(start, start + text.len())));
        }
        start += line.len() + 1;
    }
    let width = |ip: &IpAddr| i64::try_from(ip.to_string().len()).unwrap_or(0);
    let put_in: Vec<_> = addresses
        .iter()
        .filter(|(ip, _, _)| !is_private(*ip))
        .collect();
    let (after, _, line) = put_in.iter().find(|(_, kind, _)| *kind == b'c')?;
    let (before, _, _) = addresses.iter().find(|(ip, _, _)| is_private(*ip))?;
    let gain = width(after) - width(before);
    let lines = i64::try_from(put_in.len()).unwrap_or(1);
    (gain != 0 && (1..=lines).any(|count| count * gain == off)).then_some(Forgotten {
        off,
        before: *before,
        after: *after,
        line: *line,
    })
}

fn tell_length(call: &Call, index: usize, length: Forgotten, found: &mut Findings) {
    let (severity, role, sure) = weight(call, Confidence::Likely);
    let Some(stored) = call.messages.get(index) else {
        return;
    };
    let Some(finding) = found.add_with(severity, role, sure, Acts::Network) else {
        return;
    };
    let source: Option<SocketAddr> = stored.stamp.source;
    let body = stored.message().body().len();
    let off = usize::try_from(length.off.unsigned_abs()).unwrap_or(0);
    finding
        .element(source.map_or_else(String::new, |a| a.to_string()))
        .args(
            Args::new()
                .text("before", length.before.to_string())
                .text("after", length.after.to_string())
                .count("off", off),
        )
        .why("why-length")
        .proof(Evidence::header(
            index,
            stored,
            "Content-Length",
            Template::new("length", Args::new().count("body", body)),
        ));
    let line = length.line.shifted(stored.head.body as usize);
    finding.proof(excerpt(index, stored, line, note("rewritten")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_off_by_a_replaced_address() {
        let body = b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n";
        let length = u32::try_from(body.len()).unwrap();
        let off = replaced(body, length - 5).unwrap();
        assert_eq!(
            (off.off, off.line.of(body)),
            (5, &b"c=IN IP4 198.51.100.20"[..])
        );
        for other in [length, length - 4, length + 5, 0] {
            assert_eq!(replaced(body, other), None, "{other}");
        }
    }
}
