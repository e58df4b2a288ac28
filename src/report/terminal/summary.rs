//! What was read, and the counts over all calls.

use super::block::Block;
use super::escape::clean;
use crate::input::InputSummary;
use crate::knowledge;
use crate::lang::duration;
use crate::layers::{TlsReport, link_name};
use crate::report::{Read, Run};
use crate::session::{Call, Outcome};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

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
        peer.answered += u64::from(call.outcome == Outcome::Succeeded);
        if call.outcome != Outcome::Succeeded {
            *peer.failures.entry(call.code().unwrap_or(0)).or_default() += 1;
        }
        if let Some(time) = call.start().filter(|_| call.is_dated()) {
            let (first, last) = peer.times.unwrap_or((time, time));
            peer.times = Some((first.min(time), last.max(time)));
        }
    }
}

/// What was read: a line an input, then what is wrong with it, then the calls.
pub(super) fn head(run: &Run<'_>, block: &Block) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, read) in run.inputs.iter().enumerate().take(SHOWN_INPUTS) {
        // Frames of further inputs carry this number.
        let number = match run.inputs.len() {
            1 => String::new(),
            _ => format!("[{}] ", index + 1),
        };
        lines.push(format!("{number}{}", input(read)));
        let summary = &read.summary;
        for damage in summary.damage.iter().take(SHOWN_DAMAGES) {
            lines.push(format!(
                "  damaged at byte {}: {} ({})",
                damage.offset,
                clean(&damage.detail),
                damage.reason
            ));
        }
        lines.extend(more_damage(summary));
        if let Some(gaps) = read.account.gaps {
            lines.push(format!(
                "  holes in TCP streams of SIP: {} ({} bytes), the first before #{}: what stood there was not captured",
                gaps.count, gaps.bytes, gaps.first_frame
            ));
        }
        let cut = read.account.cut_messages;
        if cut > 0 {
            lines.push(format!(
                "  cut by the snap length: {cut} {}; record whole packets (tcpdump -s 0)",
                plural(cut, "message")
            ));
        }
        let log = summary.format.starts_with("log:");
        for skipped in read.account.not_decoded.iter().filter(|_| !log) {
            lines.push(format!(
                "  not decoded: {} {} from #{} on, {} ({})",
                skipped.frames,
                plural(skipped.frames, "frame"),
                skipped.first_frame,
                clean(&skipped.detail),
                skipped.reason
            ));
        }
        lines.extend(tls(&read.tls));
    }
    if run.inputs.len() > SHOWN_INPUTS {
        lines.push(format!(
            "and {} more inputs",
            run.inputs.len() - SHOWN_INPUTS
        ));
    }
    if !run.filters.is_empty() {
        let filters = clean(&run.filters.join(" "));
        lines.push(format!(
            "{} of {} entries selected by {filters}",
            run.totals.entries, run.entries
        ));
    }
    let copies = run.totals.duplicates;
    if copies > 0 {
        lines.push(format!(
            "{copies} {} recorded again, not counted a second time",
            plural(copies, "message")
        ));
    }
    for (name, count) in run.limits {
        lines.push(format!("note: {count} {name}"));
    }
    lines.push(block.palette.strong(&outcomes(run)));
    lines
}

fn more_damage(summary: &InputSummary) -> Option<String> {
    let listed = summary.damage.len().saturating_sub(SHOWN_DAMAGES) as u64;
    let more = listed + summary.more_damage;
    (more > 0).then(|| format!("  damaged in {more} more {}", plural(more, "place")))
}

// `capture.pcap · pcap, Ethernet · 1204 frames: 148 SIP, 1056 RTP, 0 not decoded · 2 min 14 s`
fn input(read: &Read) -> String {
    let (summary, account) = (&read.summary, &read.account);
    if let Some(error) = &summary.error {
        let (path, reason) = (clean(&summary.path), clean(&error.reason));
        return format!("{path} · not read: {reason}");
    }
    let mut format = vec![summary.format.clone()];
    format.extend(summary.compression.map(str::to_owned));
    format.extend(summary.links.iter().map(|&number| {
        link_name(number).map_or_else(|| format!("link type {number}"), str::to_owned)
    }));
    let counts = if summary.format.starts_with("log:") {
        format!(
            "{} lines: {} of SIP, {} messages",
            summary.lines, summary.sip_lines, account.sip_messages
        )
    } else {
        let mut other = account.other.clone();
        other.sort_by_key(|(protocol, frames)| (std::cmp::Reverse(*frames), *protocol));
        let mut parts = vec![format!("{} SIP", account.sip_frames)];
        parts.extend(
            other
                .iter()
                .map(|(protocol, frames)| format!("{frames} {}", protocol_name(protocol))),
        );
        let not_decoded: u64 = account.not_decoded.iter().map(|n| n.frames).sum();
        parts.push(format!("{not_decoded} not decoded"));
        format!(
            "{} {}: {}",
            summary.frames,
            plural(summary.frames, "frame"),
            parts.join(", ")
        )
    };
    let span = summary
        .first_time
        .zip(summary.last_time)
        .map(|(first, last)| format!(" · {}", duration(last.0 - first.0)));
    format!(
        "{} · {} · {counts}{}",
        clean(&summary.path),
        format.join(", "),
        span.unwrap_or_default()
    )
}

// `  TLS: 3 connections, 1 decrypted, 2 not`, then the others by what is known of them.
fn tls(report: &TlsReport) -> Vec<String> {
    if report.connections == 0 {
        return Vec::new();
    }
    let connections = |count| format!("{count} {}", plural(count, "connection"));
    let mut lines = vec![format!(
        "  TLS: {}, {} decrypted, {} not",
        connections(report.connections),
        report.decrypted,
        report.connections - report.decrypted,
    )];
    for group in report.closed.iter().take(SHOWN_TLS) {
        let mut known = vec![format!("handshake {}", group.handshake)];
        known.extend(
            group
                .server_name
                .as_ref()
                .map(|name| format!("to {}", clean(name))),
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
        lines.push(format!("    and {} more", connections(rest)));
    }
    lines
}

fn protocol_name(protocol: &str) -> String {
    match protocol {
        "unrecognised" => protocol.to_owned(),
        "tcp" => "other TCP".to_owned(),
        _ => protocol.to_uppercase(),
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

// `12 calls: 9 answered, 1 refused, 2 failed · 3 registrations: 3 ok`
fn outcomes(run: &Run<'_>) -> String {
    let all = run.totals.outcomes.iter().map(|(method, by_outcome)| {
        let total: u64 = by_outcome.values().sum();
        let noun = match method.as_str() {
            "INVITE" => plural(total, "call"),
            "REGISTER" => plural(total, "registration"),
            _ => clean(method),
        };
        let parts = Outcome::ALL.iter().filter_map(|outcome| {
            let count = by_outcome.get(outcome)?;
            let word = match (outcome, method.as_str()) {
                (Outcome::Succeeded, "INVITE") => "answered",
                (Outcome::Succeeded, _) => "ok",
                (other, _) => other.word(),
            };
            Some(format!("{count} {word}"))
        });
        format!("{total} {noun}: {}", parts.collect::<Vec<_>>().join(", "))
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
        lines.push(block.palette.strong("Final responses"));
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
                .map_or_else(|| "unregistered".to_owned(), |known| known.title.clone());
            (*code, *count, format!("{code} {title}"))
        })
        .collect();
    let width = named
        .iter()
        .map(|(_, _, name)| name.len())
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
            format!(
                "  {name:width$}  {count:>7}  {}  {why}",
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
    let mut lines = vec![String::new(), block.palette.strong("Calls by peer")];
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
            0 => format!(", most often without answer ({count})"),
            code => format!(", most often {code} ({count})"),
        });
        let span = peer.times.map_or_else(String::new, |(first, last)| {
            format!(", {} to {}", block.clock(first), block.clock(last))
        });
        let address = address.to_string();
        lines.push(format!(
            "  {address:width$}  {} {}, {} answered{top}{span}",
            peer.calls,
            plural(peer.calls, "call"),
            peer.answered
        ));
    }
    if all.len() > SHOWN_PEERS {
        lines.push(format!("  and {} more peers", all.len() - SHOWN_PEERS));
    }
    if peers.more > 0 {
        lines.push(format!(
            "  and {} calls to peers beyond the first {MOST_PEERS}",
            peers.more
        ));
    }
    lines
}
