//! What an answer such as `400 Bad Request` complains about: many servers name a header in the reason
//! phrase or in a Warning.

use crate::message::{lossy, typed};
use crate::session::Stored;

/// What a complaint can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the header or part of its name")]
pub enum Topic {
    CallId,
    Contact,
    ContentLength,
    ContentType,
    Credentials,
    CSeq,
    Date,
    Expires,
    From,
    MaxForwards,
    RequestUri,
    Body,
    Route,
    SessionTimer,
    Tag,
    To,
    Via,
}

/// The header that a topic is about.
pub fn header(topic: Topic) -> Option<&'static str> {
    Some(match topic {
        Topic::CallId => "Call-ID",
        Topic::Contact => "Contact",
        Topic::ContentLength => "Content-Length",
        Topic::ContentType => "Content-Type",
        Topic::CSeq => "CSeq",
        Topic::Date => "Date",
        Topic::Expires => "Expires",
        Topic::From => "From",
        Topic::MaxForwards => "Max-Forwards",
        Topic::Route => "Route",
        Topic::SessionTimer => "Session-Expires",
        Topic::To => "To",
        Topic::Via => "Via",
        Topic::Credentials | Topic::RequestUri | Topic::Body | Topic::Tag => return None,
    })
}

/// Words that name a topic, one after the other where there are two.
const WORDS: [(&[&str], Topic); 36] = [
    (&["call-id"], Topic::CallId),
    (&["callid"], Topic::CallId),
    (&["call", "id"], Topic::CallId),
    (&["contact"], Topic::Contact),
    (&["contacts"], Topic::Contact),
    (&["content-length"], Topic::ContentLength),
    (&["content", "length"], Topic::ContentLength),
    (&["body", "length"], Topic::ContentLength),
    (&["content-type"], Topic::ContentType),
    (&["content", "type"], Topic::ContentType),
    (&["authorization"], Topic::Credentials),
    (&["credentials"], Topic::Credentials),
    (&["digest"], Topic::Credentials),
    (&["cseq"], Topic::CSeq),
    (&["sequence", "number"], Topic::CSeq),
    (&["date"], Topic::Date),
    (&["expires"], Topic::Expires),
    (&["max-forwards"], Topic::MaxForwards),
    (&["maxforwards"], Topic::MaxForwards),
    (&["max", "forwards"], Topic::MaxForwards),
    (&["request-uri"], Topic::RequestUri),
    (&["requri"], Topic::RequestUri),
    (&["ruri"], Topic::RequestUri),
    (&["r-uri"], Topic::RequestUri),
    (&["request", "uri"], Topic::RequestUri),
    (&["request", "line"], Topic::RequestUri),
    (&["sdp"], Topic::Body),
    (&["body"], Topic::Body),
    (&["multipart"], Topic::Body),
    (&["route"], Topic::Route),
    (&["session-expires"], Topic::SessionTimer),
    (&["min-se"], Topic::SessionTimer),
    (&["tag"], Topic::Tag),
    (&["tags"], Topic::Tag),
    (&["via"], Topic::Via),
    (&["branch"], Topic::Via),
];

/// Bytes of a phrase and of each Warning that are read.
const LONGEST: usize = 256;

/// What an answer complains about, in the order in which it says so.
pub fn topics(answer: &Stored) -> Vec<Topic> {
    let message = answer.message();
    let phrase = message.reason().map(|span| span.of(&answer.raw));
    let mut said = vec![lossy(cut(phrase.unwrap_or_default()))];
    let warnings = typed::warnings(message).into_iter().take(4);
    said.extend(warnings.map(|warning| warning.text.chars().take(LONGEST).collect()));
    let mut found = Vec::new();
    for topic in said.iter().flat_map(|text| in_text(text)) {
        if !found.contains(&topic) {
            found.push(topic);
        }
    }
    found
}

fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..LONGEST).unwrap_or(bytes)
}

fn in_text(text: &str) -> Vec<Topic> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let words: Vec<&str> = text
        .split(|c: char| !is_part(c))
        .filter(|w| !w.is_empty())
        .collect();
    let small: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        let follows = |want: &[&str]| {
            want.iter()
                .enumerate()
                .all(|(n, w)| small.get(at + n).is_some_and(|s| s == w))
        };
        found.extend(
            WORDS
                .iter()
                .find(|(want, _)| follows(want))
                .map(|(_, topic)| *topic),
        );
        found.extend(from_or_to(&words, &small, at));
    }
    found
}

// "from" and "to" are words of any sentence: they name a header only where the words around say so.
fn from_or_to(words: &[&str], small: &[String], at: usize) -> Option<Topic> {
    const BEFORE: [&str; 8] = [
        "missing",
        "malformed",
        "invalid",
        "bad",
        "no",
        "duplicate",
        "multiple",
        "wrong",
    ];
    const BEHIND: [&str; 6] = ["header", "hdr", "tag", "uri", "field", "headers"];
    let topic = match small.get(at)?.as_str() {
        "from" => Topic::From,
        "to" => Topic::To,
        _ => return None,
    };
    let shouted = words
        .get(at)
        .is_some_and(|w| w.chars().all(|c| c.is_ascii_uppercase()));
    let before = at.checked_sub(1).and_then(|at| small.get(at));
    let named = before.is_some_and(|w| BEFORE.contains(&w.as_str()))
        || small
            .get(at + 1)
            .is_some_and(|w| BEHIND.contains(&w.as_str()));
    (shouted || named).then_some(topic)
}

/// Does this text name anything?
pub fn is_about_something(text: &str) -> bool {
    !in_text(text).is_empty()
}

/// What an answer says of a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// It names just that.
    Names,
    /// It names something else.
    Other,
    /// It names nothing.
    Nothing,
}

/// Does the answer name one of these topics?
pub fn speech(answer: &Stored, about: &[Topic]) -> Speech {
    let topics = topics(answer);
    match () {
        () if topics.iter().any(|topic| about.contains(topic)) => Speech::Names,
        () if topics.is_empty() => Speech::Nothing,
        () => Speech::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_name_headers_and_ordinary_words_do_not() {
        for (phrase, want) in [
            ("Bad Request", &[][..]),
            (
                "Bad Request - 'Malformed/Missing Contact field'",
                &[Topic::Contact],
            ),
            (
                "Bad Request - 'Malformed/Missing FROM: field'",
                &[Topic::From],
            ),
            ("Missing Max-Forwards Header", &[Topic::MaxForwards]),
            ("Bad From tag", &[Topic::From, Topic::Tag]),
            ("Invalid CSeq Number", &[Topic::CSeq]),
            ("Content Length mismatch", &[Topic::ContentLength]),
            ("Failed to get answer from backend", &[]),
            ("Missing To header", &[Topic::To]),
            ("Malformed Request-URI", &[Topic::RequestUri]),
        ] {
            assert_eq!(in_text(phrase), want, "{phrase}");
        }
    }
}
