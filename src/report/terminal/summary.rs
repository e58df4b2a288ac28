//! What was read, and the counts over all calls.

use super::block::Block;
use super::escape::clean;
use crate::input::InputSummary;
use crate::knowledge;
use crate::lang::Lang;
use crate::layers::{TlsReport, link_name};
use crate::report::{Read, Run};
use crate::session::clock::widen;
use crate::session::{Call, Outcome};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use unicode_width::UnicodeWidthStr;

/// Peers counted, and peers shown.
const MOST_PEERS: usize = 10_000;
const SHOWN_PEERS: usize = 20;
/// Inputs stated one by one; further ones are counted together.
const SHOWN_INPUTS: usize = 20;
/// Damages stated of each.
const SHOWN_DAMAGES: usize = 3;
/// Groups of TLS connections stated one by one.
const SHOWN_TLS: usize = 8;

/// Calls by the address that they were sent to first.
#[derive(Debug, Default)]
pub(super) struct Peers {
    by_address: HashMap<SocketAddr, Peer, RandomState>,
    more: u64,
}

#[derive(Debug, Default)]
struct Peer {
    calls: u64,
    answered: u64,
    unfinished: u64,
    failures: BTreeMap<u16, u64>,
    times: Option<(i64, i64)>,
}

impl Peers {
    /// Counts a call.
    pub(super) fn add(&mut self, call: &Call) {
        if call.method != crate::message::Method::Invite {
            return;
        }
        let Some(address) = call.request().and_then(|request| request.stamp.destination) else {
            return;
        };
        if self.by_address.len() >= MOST_PEERS && !self.by_address.contains_key(&address) {
            self.more += 1;
            return;
        }
        let peer = self.by_address.entry(address).or_default();
        peer.calls += 1;
        match call.told() {
            Outcome::Succeeded => peer.answered += 1,
            Outcome::Unfinished => peer.unfinished += 1,
            _ => *peer.failures.entry(call.code().unwrap_or(0)).or_default() += 1,
        }
        if let Some(time) = call.start().filter(|_| call.is_dated()) {
            widen(&mut peer.times, time);
        }
    }
}

/// What was read: a line an input, then what is wrong with it, then the calls.
pub(super) fn head(run: &Run<'_>, block: &Block) -> Vec<String> {
    let lang = block.options.lang;
    let mut lines = Vec::new();
    for (index, read) in run.inputs.iter().enumerate().take(SHOWN_INPUTS) {
        // Frames of further inputs carry this number.
        let number = match run.inputs.len() {
            1 => String::new(),
            _ => format!("[{}] ", index + 1),
        };
        lines.push(format!("{number}{}", input(read, lang)));
        let summary = &read.summary;
        for damage in summary.damage.iter().take(SHOWN_DAMAGES) {
            let args = [
                ("offset", damage.offset.to_string()),
                ("detail", clean(&damage.detail)),
                ("reason", damage.reason.to_owned()),
            ];
            lines.push(format!(
                "  {}",
                lang.say("damaged at byte {offset}: {detail} ({reason})", &args)
            ));
        }
        lines.extend(more_damage(summary, lang));
        if let Some(gaps) = read.account.gaps {
            let args = [
                ("count", gaps.count.to_string()),
                ("bytes", gaps.bytes.to_string()),
                ("frame", gaps.first_frame.to_string()),
            ];
            lines.push(format!("  {}", lang.say(
                "holes in TCP streams of SIP: {count} ({bytes} bytes), the first before #{frame}: what stood there was not captured",
                &args,
            )));
        }
        let cut = read.account.cut_messages;
        let log = summary.format.starts_with("log:");
        if cut > 0 {
            let args = [("count", cut.to_string())];
            let said = match log {
                true => "messages of which only the beginning is there: {count}",
                false => {
                    "messages cut off by the capture: {count}; record whole packets (tcpdump -s 0)"
                }
            };
            lines.push(format!("  {}", lang.say(said, &args)));
        }
        for skipped in read.account.not_decoded.iter().filter(|_| !log) {
            let args = [
                ("frames", skipped.frames.to_string()),
                ("first", skipped.first_frame.to_string()),
                ("detail", clean(&skipped.detail)),
                ("reason", skipped.reason.to_owned()),
            ];
            let text = match skipped.frames {
                1 => "not decoded: {frames} frame from #{first} on, {detail} ({reason})",
                _ => "not decoded: {frames} frames from #{first} on, {detail} ({reason})",
            };
            lines.push(format!("  {}", lang.say(text, &args)));
        }
        lines.extend(tls(&read.tls, lang));
    }
    if run.inputs.len() > SHOWN_INPUTS {
        let more = [("count", (run.inputs.len() - SHOWN_INPUTS).to_string())];
        lines.push(lang.say("and {count} more inputs", &more));
    }
    if !run.filters.is_empty() {
        let filters = clean(&run.filters.join(" "));
        let args = [
            ("selected", run.totals.entries.to_string()),
            ("all", run.entries.to_string()),
            ("filters", filters),
        ];
        lines.push(lang.say("{selected} of {all} entries selected by {filters}", &args));
    }
    let copies = run.totals.duplicates;
    if copies > 0 {
        let args = [("copies", copies.to_string())];
        let text = match copies {
            1 => "{copies} message recorded again, not counted a second time",
            _ => "{copies} messages recorded again, not counted a second time",
        };
        lines.push(lang.say(text, &args));
    }
    for (name, count) in run.limits {
        let args = [
            ("count", count.to_string()),
            ("name", lang.word(name).into_owned()),
        ];
        lines.push(lang.say("note: {count} {name}", &args));
    }
    lines.push(block.palette.strong(&outcomes(run, lang)));
    lines
}

fn more_damage(summary: &InputSummary, lang: &Lang) -> Option<String> {
    let listed = summary.damage.len().saturating_sub(SHOWN_DAMAGES) as u64;
    let more = listed + summary.more_damage;
    let text = match more {
        1 => "damaged in {more} more place",
        _ => "damaged in {more} more places",
    };
    (more > 0).then(|| format!("  {}", lang.say(text, &[("more", more.to_string())])))
}

// `capture.pcap · pcap, Ethernet · 1204 frames: 148 SIP, 1056 RTP, 0 not decoded · 2 min 14 s`
fn input(read: &Read, lang: &Lang) -> String {
    let (summary, account) = (&read.summary, &read.account);
    if let Some(error) = &summary.error {
        let (path, reason) = (clean(&summary.path), clean(&error.reason));
        return lang.say(
            "{path} · not read: {reason}",
            &[("path", path), ("reason", reason)],
        );
    }
    let mut format = vec![summary.format.clone()];
    format.extend(summary.compression.map(str::to_owned));
    format.extend(summary.links.iter().map(|&number| {
        let unknown = || lang.say("link type {number}", &[("number", number.to_string())]);
        link_name(number).map_or_else(unknown, str::to_owned)
    }));
    let counts = if summary.format.starts_with("log:") {
        let args = [
            ("lines", summary.lines.to_string()),
            ("sip", summary.sip_lines.to_string()),
            ("messages", account.sip_messages.to_string()),
        ];
        lang.say("{lines} lines: {sip} of SIP, {messages} messages", &args)
    } else {
        let mut other = account.other.clone();
        other.sort_by_key(|(protocol, frames)| (std::cmp::Reverse(*frames), *protocol));
        let mut parts = vec![format!("{} SIP", account.sip_frames)];
        parts.extend(
            other
                .iter()
                .map(|(protocol, frames)| format!("{frames} {}", protocol_name(protocol, lang))),
        );
        let not_decoded: u64 = account.not_decoded.iter().map(|n| n.frames).sum();
        parts.push(lang.say("{count} not decoded", &[("count", not_decoded.to_string())]));
        let text = match summary.frames {
            1 => "{frames} frame: {parts}",
            _ => "{frames} frames: {parts}",
        };
        lang.say(
            text,
            &[
                ("frames", summary.frames.to_string()),
                ("parts", parts.join(", ")),
            ],
        )
    };
    let span = summary
        .first_time
        .zip(summary.last_time)
        .map(|(first, last)| format!(" · {}", lang.duration(last.0 - first.0)));
    format!(
        "{} · {} · {counts}{}",
        clean(&summary.path),
        format.join(", "),
        span.unwrap_or_default()
    )
}

// `  TLS: 3 connections, 1 decrypted, 2 not`, then the others by what is known of them.
fn tls(report: &TlsReport, lang: &Lang) -> Vec<String> {
    if report.connections == 0 {
        return Vec::new();
    }
    let connections = |count: u64| {
        let text = if count == 1 {
            "{count} connection"
        } else {
            "{count} connections"
        };
        lang.say(text, &[("count", count.to_string())])
    };
    let args = [
        ("connections", connections(report.connections)),
        ("decrypted", report.decrypted.to_string()),
        ("rest", (report.connections - report.decrypted).to_string()),
    ];
    let mut lines = vec![format!(
        "  {}",
        lang.say(
            "TLS: {connections}, {decrypted} decrypted, {rest} not",
            &args
        )
    )];
    for group in report.closed.iter().take(SHOWN_TLS) {
        let mut known = vec![lang.say("handshake {state}", &[("state", group.handshake.clone())])];
        known.extend(
            group
                .server_name
                .as_ref()
                .map(|name| lang.say("to {name}", &[("name", clean(name))])),
        );
        known.extend(group.version.map(str::to_owned));
        known.extend(group.suite.clone());
        lines.push(format!(
            "    {}: {} ({})",
            connections(group.connections),
            known.join(", "),
            group.reason
        ));
    }
    let shown: u64 = report
        .closed
        .iter()
        .take(SHOWN_TLS)
        .map(|g| g.connections)
        .sum();
    let rest = report.connections - report.decrypted - shown;
    if rest > 0 {
        let more = [("connections", connections(rest))];
        lines.push(format!("    {}", lang.say("and {connections} more", &more)));
    }
    lines
}

fn protocol_name(protocol: &str, lang: &Lang) -> String {
    match protocol {
        "unrecognised" => lang.word("unrecognised").into_owned(),
        "tcp" => lang.word("other TCP").into_owned(),
        _ => protocol.to_uppercase(),
    }
}

// `12 calls: 9 answered, 1 refused, 2 failed · 3 registrations: 3 ok`
fn outcomes(run: &Run<'_>, lang: &Lang) -> String {
    let all = run.totals.outcomes.iter().map(|(method, by_outcome)| {
        let total: u64 = by_outcome.values().sum();
        let total_of = [("total", total.to_string())];
        let noun = match (method.as_str(), total) {
            ("INVITE", 1) => lang.say("{total} call", &total_of),
            ("INVITE", _) => lang.say("{total} calls", &total_of),
            ("REGISTER", 1) => lang.say("{total} registration", &total_of),
            ("REGISTER", _) => lang.say("{total} registrations", &total_of),
            ("", _) => format!("{total} {}", lang.word("answers without request")),
            _ => format!("{total} {}", clean(method)),
        };
        let parts = Outcome::ALL.iter().filter_map(|outcome| {
            let count = by_outcome.get(outcome)?;
            let word = lang.word(match (outcome, method.as_str()) {
                (Outcome::Succeeded, "INVITE") => "answered",
                (Outcome::Succeeded, _) => "ok",
                (other, _) => other.word(),
            });
            Some(format!("{count} {word}"))
        });
        let parts = parts.collect::<Vec<_>>().join(", ");
        format!("{noun}{}{parts}", lang.word(": "))
    });
    all.collect::<Vec<_>>().join(" · ")
}

/// Final responses by code, and calls by peer.
pub(super) fn tail(
    run: &Run<'_>,
    block: &Block,
    causes: &HashMap<(u16, &'static str), u64, RandomState>,
    peers: &Peers,
) -> Vec<String> {
    let mut lines = Vec::new();
    if !run.totals.final_responses.is_empty() {
        lines.push(String::new());
        lines.push(
            block
                .palette
                .strong(&block.options.lang.word("Final responses")),
        );
        lines.extend(codes(run, block, causes));
    }
    lines.extend(peer_lines(block, peers));
    lines
}

fn codes(
    run: &Run<'_>,
    block: &Block,
    causes: &HashMap<(u16, &'static str), u64, RandomState>,
) -> Vec<String> {
    const BAR: u64 = 20;
    let unregistered = block.options.lang.word("unregistered").into_owned();
    let most = run
        .totals
        .final_responses
        .values()
        .copied()
        .max()
        .unwrap_or(1)
        .max(1);
    let named: Vec<_> = run
        .totals
        .final_responses
        .iter()
        .map(|(code, count)| {
            let title = knowledge::code(*code)
                .map_or_else(|| unregistered.clone(), |known| known.title.clone());
            (*code, *count, format!("{code} {title}"))
        })
        .collect();
    let width = named
        .iter()
        .map(|(_, _, name)| name.width())
        .max()
        .unwrap_or(0);
    named
        .into_iter()
        .map(|(code, count, name)| {
            let bar = "█".repeat(usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0));
            let mut why: Vec<_> = causes
                .iter()
                .filter(|((of, _), _)| *of == code)
                .map(|((_, id), n)| (*n, *id))
                .collect();
            why.sort_unstable_by(|a, b| b.cmp(a));
            let why = why
                .iter()
                .map(|(n, id)| format!("{id} ({n})"))
                .collect::<Vec<_>>()
                .join(", ");
            let name = format!("{name}{}", " ".repeat(width.saturating_sub(name.width())));
            format!(
                "  {name}  {count:>7}  {}  {why}",
                block.palette.faint(&format!("{bar:20}"))
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

fn peer_lines(block: &Block, peers: &Peers) -> Vec<String> {
    let mut all: Vec<_> = peers.by_address.iter().collect();
    all.sort_by_key(|(address, peer)| (std::cmp::Reverse(peer.calls), **address));
    if all.is_empty() {
        return Vec::new();
    }
    let lang = block.options.lang;
    let mut lines = vec![
        String::new(),
        block.palette.strong(&lang.word("Calls by peer")),
    ];
    let width = all
        .iter()
        .take(SHOWN_PEERS)
        .map(|(address, _)| address.to_string().len())
        .max()
        .unwrap_or(0);
    for (address, peer) in all.iter().take(SHOWN_PEERS) {
        let top = peer
            .failures
            .iter()
            .max_by_key(|(code, count)| (**count, std::cmp::Reverse(**code)));
        let top = top.map_or_else(String::new, |(code, count)| match code {
            0 => lang.say(
                ", most often without answer ({count})",
                &[("count", count.to_string())],
            ),
            code => {
                let args = [("code", code.to_string()), ("count", count.to_string())];
                lang.say(", most often {code} ({count})", &args)
            }
        });
        let open = match peer.unfinished {
            0 => String::new(),
            count => lang.say(", {count} not finished", &[("count", count.to_string())]),
        };
        let span = peer.times.map_or_else(String::new, |(first, last)| {
            format!(", {}", block.span(first, last))
        });
        let address = address.to_string();
        let args = [
            ("calls", peer.calls.to_string()),
            ("answered", peer.answered.to_string()),
        ];
        let text = match peer.calls {
            1 => "{calls} call, {answered} answered",
            _ => "{calls} calls, {answered} answered",
        };
        lines.push(format!(
            "  {address:width$}  {}{open}{top}{span}",
            lang.say(text, &args)
        ));
    }
    if all.len() > SHOWN_PEERS {
        let more = [("count", (all.len() - SHOWN_PEERS).to_string())];
        lines.push(format!("  {}", lang.say("and {count} more peers", &more)));
    }
    if peers.more > 0 {
        let more = [
            ("count", peers.more.to_string()),
            ("most", MOST_PEERS.to_string()),
        ];
        let said = lang.say("and {count} calls to peers beyond the first {most}", &more);
        lines.push(format!("  {said}"));
    }
    lines
}
