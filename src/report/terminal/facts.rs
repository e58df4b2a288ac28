//! What is known of a call whatever its cause: hops, legs, media, times.

use super::block::Block;
use super::escape::clean;
use super::ladder;
use super::words::result;
use crate::diagnose::{Template, asides};
use crate::lang::Lang;
use crate::message::Method;
use crate::session::aside::What;
use crate::session::legs::Join;
use crate::session::media::RtpStream;
use crate::session::{Aside, Call, Outcome, Stored};

/// A span of which only the least is known is told from this on, nanoseconds.
const SHOWN: i64 = 1_000_000;

impl Block {
    pub(super) fn facts(&self, lines: &mut Vec<String>, call: &Call) {
        let lang = self.options.lang;
        if let Some(uri) = call.request_uri() {
            self.item(lines, &lang.word("dialled"), &clean(&uri));
        }
        let hops: Vec<String> = call.all_legs().flat_map(hops).collect();
        if !hops.is_empty() {
            self.item(lines, &lang.word("hops"), &clean(&hops.join(", ")));
        }
        self.asides(lines, call);
        for (leg, join) in call.legs.iter().zip(&call.joins) {
            let id = leg.call_id().unwrap_or_default();
            let args = [
                ("id", id),
                ("result", result(leg, lang)),
                ("by", joined_by(join, lang)),
                ("sure", lang.word(join.sure.word()).into_owned()),
            ];
            let said = lang.say("{id}, {result}: joined by {by} ({sure})", &args);
            self.item(lines, &lang.word("leg"), &clean(&said));
        }
        if !call.related.is_empty() {
            let numbers: Vec<String> = call.related.iter().map(u64::to_string).collect();
            let said = lang.say("perhaps call {numbers}", &[("numbers", numbers.join(", "))]);
            self.item(lines, &lang.word("related"), &said);
        }
        for (leg, stream) in call
            .all_legs()
            .flat_map(|leg| leg.media.iter().map(move |s| (leg, s)))
        {
            self.item(
                lines,
                &lang.word("media"),
                &clean(&media(leg, stream, lang)),
            );
        }
        let times = times(call, lang);
        if !times.is_empty() {
            self.item(lines, &lang.word("times"), &times.join(", "));
        }
        let in_capture = call.first().is_some_and(|m| m.stamp.lines == 0);
        let filters = call.all_legs().filter_map(Call::call_id).map(|call_id| {
            let quoted = call_id.replace('\\', "\\\\").replace('"', "\\\"");
            format!("sip.Call-ID == \"{}\"", clean(&quoted))
        });
        let filters: Vec<String> = filters.filter(|_| in_capture).collect();
        if !filters.is_empty() {
            self.item(lines, &lang.word("in Wireshark"), &filters.join(" || "));
        }
    }

    // The same report about several messages is said once.
    pub(super) fn asides(&self, lines: &mut Vec<String>, call: &Call) {
        let mut said: Vec<(&Aside, Template, usize)> = Vec::new();
        for aside in &call.asides {
            let sentence = asides::aside(call, aside);
            let same = said
                .iter_mut()
                .find(|(_, known, _)| known.says_as(&sentence, "about"));
            match same {
                Some((.., count)) => *count += 1,
                None => said.push((aside, sentence, 1)),
            }
        }
        for (aside, sentence, count) in said {
            let text = self.options.lang.aside(&sentence);
            let more = match count {
                1 => String::new(),
                _ => self
                    .options
                    .lang
                    .say("; {count} such reports", &[("count", count.to_string())]),
            };
            let place = ladder::numbered("#", aside.origin);
            let line = format!("{place}{}{text}{more}", self.options.lang.word(": "));
            self.item(lines, aside.protocol(), &clean(&line));
        }
    }
}

// `PCMU/8000 192.0.2.10:40000 -> 198.51.100.20:30000, 500 packets in 10.0 s, none missing in the capture`
fn media(call: &Call, stream: &RtpStream, lang: &Lang) -> String {
    let kind = stream.payload_type;
    let codec = call
        .codec_of(kind)
        .unwrap_or_else(|| lang.say("payload type {kind}", &[("kind", kind.to_string())]));
    let span = stream.first.zip(stream.last);
    let span = span.map_or(0, |(first, last)| last.0 - first.0);
    let lost = match stream.lost() {
        0 => lang.word("none missing in the capture").into_owned(),
        lost => lang.say(
            "{lost} lost before the capture",
            &[("lost", lost.to_string())],
        ),
    };
    let (from, to) = (stream.flow.source, stream.flow.destination);
    let args = [
        ("packets", stream.packets.to_string()),
        ("span", lang.duration(span)),
    ];
    let packets = lang.say("{packets} packets in {span}", &args);
    format!("{codec} {from} -> {to}, {packets}, {lost}")
}

// Each hop of the beginning once, with the product on either end where a header names it.
fn hops(call: &Call) -> Vec<String> {
    const MOST: usize = 6;
    let agent = |address: std::net::SocketAddr| {
        let sent = call
            .messages
            .iter()
            .filter(|m| m.stamp.source == Some(address));
        let named = sent
            .filter(|m| m.head.vias <= 1 || !m.head.is_request())
            .find_map(|m| {
                let name = if m.head.is_request() {
                    "User-Agent"
                } else {
                    "Server"
                };
                m.message()
                    .text(name)
                    .or_else(|| m.message().text("User-Agent"))
            });
        match named {
            Some(name) => format!("{address} ({})", name.chars().take(60).collect::<String>()),
            None => address.to_string(),
        }
    };
    let mut seen = Vec::new();
    for message in call.messages.iter().filter(|m| call.is_of_beginning(m)) {
        let (Some(source), Some(destination)) = (message.stamp.source, message.stamp.destination)
        else {
            continue;
        };
        let hop = if message.head.is_request() {
            (source, destination)
        } else {
            (destination, source)
        };
        if !seen.contains(&hop) && seen.len() < MOST {
            seen.push(hop);
        }
    }
    seen.into_iter()
        .map(|(from, to)| format!("{} -> {}", agent(from), agent(to)))
        .collect()
}

/// A dialog without SIP is let go after 2 hours.
const LONGEST_SILENCE: i64 = 2 * 3600 * 1_000_000_000;

/// Delay to ringing and to the final answer, ring and talk time; a provisional 100 is no delay.
pub(super) fn times(call: &Call, lang: &Lang) -> Vec<String> {
    let start = call.start().filter(|_| call.has_beginning());
    let ringing = call.ringing();
    let after = |text, after: String| lang.say(text, &[("after", after)]);
    let lasted = |whole: bool, text, at_least, span: i64| {
        lang.say(
            if whole { text } else { at_least },
            &[("span", lang.duration(span))],
        )
    };
    let mut all = Vec::new();
    if let Some(ringing) = ringing {
        let code = ringing.head.code().unwrap_or(180);
        let since = ladder::since(start, Some(ringing), lang);
        all.extend(since.map(|since| format!("{code} {}", after("after {after}", since))));
    }
    let last = call.answer().or_else(|| call.deciding());
    all.extend(ladder::since(start, last, lang).map(|since| after("final after {after}", since)));
    if call.method != Method::Invite {
        return all;
    }
    let cancelled = call.requests(Method::Cancel).next().map(|(_, m)| m);
    let end = last.or(cancelled);
    // A 183 does not say that it rings.
    let is_ringing = |m: &&Stored| m.head.rings() && call.is_of_beginning(m);
    let rings = call.messages.iter().find(is_ringing);
    if let Some(from) = rings.and_then(Stored::time)
        && let Some(until) = end.and_then(Stored::time).or_else(|| seen(call))
    {
        let whole = end.is_some() && call.has_beginning();
        let rang = until - from;
        if whole || rang >= SHOWN {
            all.push(lasted(whole, "rang {span}", "rang at least {span}", rang));
        }
    }
    let talked = |whole, span| lasted(whole, "talked {span}", "talked at least {span}", span);
    // Nobody talks where the caller never knew of the answer, or did not take it.
    let taken = call.told() != Outcome::Failed;
    if let Some(answered) = call.answer().and_then(Stored::time).filter(|_| taken) {
        match call.bye().and_then(Stored::time) {
            Some(bye) => all.push(talked(call.has_beginning(), bye - answered)),
            // No dialog is held longer than this without a message; the clock may have jumped.
            None => {
                let last = call.messages.iter().filter_map(Stored::time).max();
                let let_go = last.map(|last| last + LONGEST_SILENCE);
                let until = seen(call).filter(|until| Some(*until) < let_go);
                let span = until
                    .map(|until| until - answered)
                    .filter(|span| *span >= SHOWN);
                all.extend(span.map(|span| talked(false, span)));
            }
        }
    }
    all
}

// Until when something of the call could be seen: where its connection had ended, no longer than that, or
// than what came after it all the same.
fn seen(call: &Call) -> Option<i64> {
    let ended = |aside: &Aside| match &aside.what {
        What::Wire(connection) if !connection.is_attempt() => aside.began(),
        _ => None,
    };
    let Some(ended) = call.asides.iter().filter_map(ended).min() else {
        return call.seen_until;
    };
    let messages = call.messages.iter().filter_map(Stored::time);
    let media = call.media.iter().filter_map(|s| s.last.map(|time| time.0));
    let last = messages.chain(media).fold(ended, i64::max);
    call.seen_until.map(|until| until.min(last))
}

// A header keeps its name in every language.
fn joined_by(join: &Join, lang: &Lang) -> String {
    match join.by.contains(' ') {
        true => lang.word(join.by).into_owned(),
        false => join.by.to_owned(),
    }
}
