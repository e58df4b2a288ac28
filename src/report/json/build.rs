//! Calls and findings to the objects of the contract.

use super::shape::{self, Instant, Place};
use crate::diagnose::across::CaptureFinding;
use crate::diagnose::finding::Part;
use crate::diagnose::{self, Diagnosis, Evidence};
use crate::knowledge::{self, own::Entry};
use crate::lang::Lang;
use crate::layers::Wire;
use crate::message::header::canonical;
use crate::message::{Header, Span};
use crate::report::mask::mask;
use crate::report::{Run, own_entry, terminal, totals::method_name};
use crate::session::aside::What;
use crate::session::media::RtpStream;
use crate::session::{Aside, Call, CopyKind, Final, Spot, Stored};
use std::borrow::Cow;

/// Longest text of a piece of evidence, in bytes.
const LONGEST_TEXT: usize = 1024;

pub(super) fn call<'a>(call: &'a Call, diagnosis: &Diagnosis, lang: &Lang) -> shape::Call<'a> {
    let root = diagnosis.cause().map(|finding| finding.rule.id);
    let time_of_day = call
        .first()
        .filter(|m| m.stamp.time().is_none())
        .and_then(|m| m.stamp.time_of_day());
    let dated = |_: &i64| call.is_dated();
    shape::Call {
        id: call.id,
        call_ids: call.all_legs().filter_map(Call::call_id).collect(),
        joins: joins(call),
        related: call.related.clone(),
        continues: call.continues,
        method: call
            .method
            .name()
            .map_or_else(|| method_name(call).into(), Cow::Borrowed),
        from: call.from(),
        to: call.to(),
        request_uri: call.request_uri(),
        start: call.start().filter(dated).map(Instant),
        end: call.end().filter(dated).map(Instant),
        time_of_day: time_of_day.map(clock_time),
        outcome: call.told().word(),
        decided_by: call.told_by(),
        final_responses: final_responses(call),
        asides: of_legs(call, |leg| {
            leg.asides.iter().map(|a| aside(leg, a, lang)).collect()
        }),
        media: of_legs(call, |leg| {
            leg.media.iter().map(|stream| media(leg, stream)).collect()
        }),
        findings: diagnosis
            .findings
            .iter()
            .map(|f| finding(call.leg(f.leg), f, lang))
            .collect(),
        root_cause: root,
        undetermined: diagnosis
            .undetermined
            .as_ref()
            .map(|u| shape::Undetermined {
                why: lang.undetermined(&u.why),
                would_help: lang.undetermined(&u.would_help),
                missing: u.missing.iter().map(|need| need.word()).collect(),
            }),
        alternatives: alternatives(diagnosis, lang),
        blame: diagnosis.blame.as_ref().map(|blame| shape::Blame {
            element: blame.element.clone(),
            or_beyond: blame.or_beyond,
            acts: blame.acts.word(),
            confidence: blame.confidence.word(),
            grounds: lang.grounds(&blame.grounds),
            relays: blame.relays.clone(),
        }),
    }
}

fn of_legs<'a, T>(call: &'a Call, of: impl Fn(&'a Call) -> Vec<T>) -> Vec<T> {
    call.all_legs().flat_map(of).collect()
}

fn joins(call: &Call) -> Vec<shape::Join> {
    let legs = call.legs.iter().zip(&call.joins);
    let joins = legs.map(|(leg, join)| shape::Join {
        call_id: leg.call_id().unwrap_or_default(),
        by: join.by,
        confidence: join.sure.word(),
    });
    joins.collect()
}

// Those of further legs follow, and their `step_of` counts on.
fn final_responses(call: &Call) -> Vec<shape::FinalResponse<'_>> {
    let mut all: Vec<shape::FinalResponse<'_>> = Vec::new();
    for leg in call.all_legs() {
        let offset = all.len();
        let of_leg = leg.finals.iter().filter_map(|f| final_response(leg, f));
        all.extend(of_leg.map(|mut shaped| {
            shaped.step_of = shaped.step_of.map(|index| index + offset);
            shaped
        }));
    }
    all
}

fn alternatives(diagnosis: &Diagnosis, lang: &Lang) -> Vec<shape::Alternative> {
    let found = diagnosis
        .alternatives
        .iter()
        .filter_map(|index| diagnosis.findings.get(*index));
    let shaped = found.map(|finding| shape::Alternative {
        rule: finding.rule.id,
        confidence: finding.confidence.word(),
        would_confirm: lang.rule(finding.rule, "confirm", &finding.args),
    });
    shaped.collect()
}

fn final_response<'a>(call: &'a Call, answer: &Final) -> Option<shape::FinalResponse<'a>> {
    let stored = call.messages.get(answer.message)?;
    let text = |span: Span| String::from_utf8_lossy(span.of(&stored.raw));
    let head = &stored.head;
    let method = head
        .method
        .name()
        .map_or_else(|| stored.message().method_name().into(), Cow::Borrowed);
    let reason = stored.message().reason().map_or(Cow::Borrowed(""), text);
    let mut explanation = knowledge::explanation_key(answer.code, &method, &reason);
    let own = own_entry(stored, answer.code, &method, &reason);
    if let Some(entry) = own {
        explanation = format!("{explanation}/own:{}", entry.place()).into();
    }
    Some(shape::FinalResponse {
        code: answer.code,
        reason,
        method: Some(method).filter(|method| !method.is_empty()),
        cseq: head.cseq,
        call_id: Some(text(head.call_id)).filter(|id| !id.is_empty()),
        place: place(stored),
        time: time(stored),
        source: stored.stamp.source,
        destination: stored.stamp.destination,
        inferred: stored.stamp.inferred.names(),
        transport: stored.stamp.transport.map(crate::layers::Transport::name),
        repeats: answer
            .repeats
            .iter()
            .filter_map(|at| repeat(call.messages.get(*at)?))
            .collect(),
        step: answer.step.map(crate::session::Step::word),
        step_of: answer.step_of,
        explanation,
        own,
    })
}

fn time(stored: &Stored) -> Option<Instant> {
    stored.stamp.time().map(|time| Instant(time.0))
}

fn place(stored: &Stored) -> Place {
    let stamp = &stored.stamp;
    let of_log = stamp.lines > 0;
    Place {
        input: stamp.origin.input,
        frame: (!of_log).then_some(stamp.origin.place),
        part: (!of_log).then_some(stamp.part),
        line: of_log.then_some(stamp.origin.place),
        last_line: stamp.last_line(),
    }
}

fn repeat(stored: &Stored) -> Option<shape::Repeat> {
    let Place {
        input,
        frame,
        part,
        line,
        ..
    } = place(stored);
    let kind = match stored.copy?.kind {
        CopyKind::Retransmission => "retransmission",
        CopyKind::Duplicate => "duplicate",
    };
    Some(shape::Repeat {
        input,
        frame,
        line,
        part,
        time: time(stored),
        kind,
    })
}

fn aside(call: &Call, aside: &Aside, lang: &Lang) -> shape::Aside {
    let (protocol, kind, about) = match &aside.what {
        What::Icmp(icmp) => {
            let message = call.messages.get(icmp.message);
            let about = message.map(|m| m.stamp.origin.place);
            ("icmp", icmp.kind.name(), about)
        }
        What::Dns(answer) => ("dns", answer.kind, None),
        What::Wire(connection) => {
            let message = call.messages.get(connection.message);
            let about = message.map(|m| m.stamp.origin.place);
            let protocol = match connection.wire {
                Wire::Tls(_) | Wire::Sealed { .. } => "tls",
                _ => "tcp",
            };
            (protocol, connection.wire.name(), about)
        }
    };
    shape::Aside {
        protocol,
        kind,
        input: aside.origin.input,
        frame: aside.origin.place,
        time: aside.time.map(|time| Instant(time.0)),
        about,
        text: lang.aside(&diagnose::asides::aside(call, aside)),
    }
}

fn media(call: &Call, stream: &RtpStream) -> shape::Media {
    shape::Media {
        source: stream.flow.source,
        destination: stream.flow.destination,
        ssrc: stream.ssrc,
        payload_type: stream.payload_type,
        codec: call.codec_of(stream.payload_type),
        packets: stream.packets,
        lost: stream.lost(),
        first_time: stream.first.map(|time| Instant(time.0)),
        last_time: stream.last.map(|time| Instant(time.0)),
    }
}

fn documents(rfc: impl IntoIterator<Item = knowledge::Rfc>) -> Vec<shape::Rfc> {
    rfc.into_iter()
        .map(|rfc| shape::Rfc {
            number: rfc.number,
            section: rfc.section,
        })
        .collect()
}

fn finding(call: &Call, finding: &diagnose::Finding, lang: &Lang) -> shape::Finding {
    let evidence = finding
        .evidence
        .iter()
        .filter_map(|e| evidence(call, finding, e, lang));
    shape::Finding {
        evidence: evidence.collect(),
        ..bare_finding(finding, lang)
    }
}

/// Findings about peers and the capture as a whole.
pub(super) fn across(found: &CaptureFinding, lang: &Lang) -> shape::Finding {
    let evidence = found.exhibits.iter().map(|(exhibit, note)| {
        let mut args = found.finding.args.clone();
        args.0.extend(note.args.0.iter().cloned());
        let place = exhibit.origin.place;
        let length = u32::try_from(exhibit.text.len()).unwrap_or(u32::MAX);
        let beside = exhibit.beside.as_ref().map(|said| lang.aside(said));
        shape::Evidence {
            kind: if beside.is_some() {
                "beside"
            } else {
                "excerpt"
            },
            input: exhibit.origin.input,
            frame: (!exhibit.of_log).then_some(place),
            line: exhibit.of_log.then_some(place),
            part: (!exhibit.of_log && beside.is_none()).then_some(exhibit.part),
            part_of: beside.is_none().then_some("start-line"),
            span: beside.is_none().then_some([0, length]),
            text: Some(beside.unwrap_or_else(|| raw_text(&mask(&exhibit.text)))),
            note: lang.rule(found.finding.rule, note.id, &args),
            ..shape::Evidence::default()
        }
    });
    shape::Finding {
        evidence: evidence.collect(),
        count: Some(found.count),
        first: found.times.map(|(first, _)| Instant(first)),
        last: found.times.map(|(_, last)| Instant(last)),
        ..bare_finding(&found.finding, lang)
    }
}

fn bare_finding(finding: &diagnose::Finding, lang: &Lang) -> shape::Finding {
    let rule = finding.rule;
    let sentence = |id: &str| lang.rule(rule, id, &finding.args);
    shape::Finding {
        rule: rule.id,
        severity: finding.severity.word(),
        confidence: finding.confidence.word(),
        role: finding.role.word(),
        title: sentence("title"),
        why: sentence(finding.why),
        fix: lang.fix(finding),
        rfc: documents(rule.documents()),
        element: finding.element.clone(),
        acts: finding.acts.word(),
        evidence: Vec::new(),
        count: None,
        first: None,
        last: None,
    }
}

fn evidence(
    call: &Call,
    finding: &diagnose::Finding,
    of: &Evidence,
    lang: &Lang,
) -> Option<shape::Evidence> {
    let note = of.note();
    let mut args = finding.args.clone();
    args.0.extend(note.args.0.iter().cloned());
    let note = lang.rule(finding.rule, note.id, &args);
    if let Evidence::Elsewhere { spot, .. } = of {
        return Some(elsewhere(spot, note));
    }
    let stored = call.messages.get(of.message()?)?;
    let Place {
        input,
        frame,
        part,
        line,
        ..
    } = place(stored);
    let kind = match of {
        Evidence::Excerpt { .. } => "excerpt",
        Evidence::Absence { .. } => "absence",
        Evidence::Decoded { .. } => "decoded",
        Evidence::Beside { .. } => "beside",
        Evidence::Elsewhere { .. } => "elsewhere",
    };
    let mut shaped = shape::Evidence {
        kind,
        input,
        frame,
        line,
        part,
        note,
        ..shape::Evidence::default()
    };
    match of {
        Evidence::Excerpt {
            line, mark, part, ..
        } => {
            shaped.part_of = Some(match part {
                Part::StartLine => "start-line",
                Part::Header(_) => "header",
                Part::Body => "body",
            });
            if let Part::Header(header) = part {
                name(&mut shaped, stored, *header);
            }
            let end = line.end.min(
                line.start
                    .saturating_add(u32::try_from(LONGEST_TEXT).unwrap_or(u32::MAX)),
            );
            let shown = Span {
                start: line.start,
                end,
            };
            shaped.cut = end < line.end;
            shaped.text = Some(raw_text(&mask(shown.of(&stored.raw))));
            shaped.span = Some([shown.start, shown.end]);
            shaped.mark = Some([mark.start, mark.end]);
        }
        Evidence::Absence { from, until, .. } => {
            let dated = stored.stamp.time().is_some();
            let instant = |at: i64| dated.then_some(Instant(at));
            (shaped.from, shaped.until) = (instant(*from), instant(*until));
        }
        Evidence::Decoded { header, text, .. } => {
            name(&mut shaped, stored, *header);
            shaped.part_of = Some("header");
            shaped.text = Some(text.clone());
            shaped.span = Some([header.name.start, header.value.end]);
        }
        Evidence::Beside { aside, .. } => {
            let aside = call.asides.get(*aside)?;
            (shaped.input, shaped.part) = (aside.origin.input, None);
            shaped.frame = Some(aside.origin.place);
            shaped.text = Some(lang.aside(&diagnose::asides::aside(call, aside)));
        }
        Evidence::Elsewhere { .. } => {}
    }
    Some(shaped)
}

fn elsewhere(spot: &Spot, note: String) -> shape::Evidence {
    let place = spot.origin.place;
    shape::Evidence {
        kind: "elsewhere",
        input: spot.origin.input,
        frame: (!spot.of_log).then_some(place),
        line: spot.of_log.then_some(place),
        part: (!spot.of_log).then_some(spot.part),
        text: Some(terminal::what(spot)),
        call: (spot.call > 0).then_some(spot.call),
        note,
        ..shape::Evidence::default()
    }
}

fn name(shaped: &mut shape::Evidence, stored: &Stored, header: Header) {
    let received = header.name.of(&stored.raw);
    let full = canonical(received);
    let before = stored
        .message()
        .headers()
        .take_while(|other| other.name != header.name);
    let same = before
        .filter(|other| canonical(other.name.of(&stored.raw)) == full)
        .count();
    shaped.name = Some(String::from_utf8_lossy(received).into_owned());
    shaped.header = Some(full);
    shaped.index = Some(same);
}

/// Bytes as text: what is not UTF-8 is written as `\xHH`.
fn raw_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk
            .invalid()
            .iter()
            .for_each(|byte| out.push_str(&format!("\\x{byte:02X}")));
    }
    out
}

fn clock_time(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let micros = nanoseconds / 1000 % 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{micros:06}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

pub(super) fn explanation(
    explained: knowledge::Explanation,
    own: Option<&Entry>,
    lang: &Lang,
) -> shape::Explanation {
    shape::Explanation {
        from: own.map(Entry::place),
        title: explained.title,
        meaning: explained.meaning,
        when: explained.when,
        fix: explained.fix,
        rfc: documents(explained.rfc),
        lang: lang.tag,
    }
}

pub(super) fn inputs(run: &Run<'_>) -> Vec<shape::Input> {
    let read = run.inputs.iter().map(|read| {
        let (summary, account) = (&read.summary, &read.account);
        let log = summary.format.starts_with("log:");
        // Frames of a log are hex dumps in it: its lines are counted, not they.
        let counted = (!log).then_some(account);
        let mut other: Vec<_> = counted
            .into_iter()
            .flat_map(|account| &account.other)
            .map(|(protocol, frames)| shape::Other {
                protocol,
                frames: *frames,
            })
            .collect();
        other.sort_by_key(|other| (std::cmp::Reverse(other.frames), other.protocol));
        shape::Input {
            path: summary.path.clone(),
            format: summary.format.clone(),
            frames: (!log).then_some(summary.frames),
            sip_frames: (!log).then_some(account.sip_frames),
            lines: log.then_some(summary.lines),
            sip_lines: log.then_some(summary.sip_lines),
            sip_messages: account.sip_messages,
            first_time: summary.first_time.map(|time| Instant(time.0)),
            last_time: summary.last_time.map(|time| Instant(time.0)),
            other,
            not_decoded: counted
                .into_iter()
                .flat_map(|account| &account.not_decoded)
                .map(not_decoded)
                .collect(),
            gaps: account.gaps.map(|gaps| shape::Gaps {
                count: gaps.count,
                bytes: gaps.bytes,
                first_frame: gaps.first_frame,
            }),
            cut_messages: (account.cut_messages > 0).then_some(account.cut_messages),
            damage: summary.damage.iter().map(damage).collect(),
            more_damage: (summary.more_damage > 0).then_some(summary.more_damage),
            tls: (read.tls.connections > 0).then(|| tls(&read.tls)),
            error: summary.error.as_ref().map(|error| error.reason.clone()),
        }
    });
    read.collect()
}

fn not_decoded(of: &crate::message::account::NotDecoded) -> shape::NotDecoded {
    shape::NotDecoded {
        reason: of.reason,
        frames: of.frames,
        first_frame: of.first_frame,
        detail: of.detail.clone(),
    }
}

fn tls(of: &crate::layers::TlsReport) -> shape::Tls {
    let closed = of.closed.iter().map(|group| shape::ClosedTls {
        connections: group.connections,
        reason: group.reason,
        handshake: group.handshake.clone(),
        server_name: group.server_name.clone(),
        version: group.version,
        suite: group.suite.clone(),
    });
    shape::Tls {
        connections: of.connections,
        decrypted: of.decrypted,
        undecrypted: of.undecrypted,
        closed: closed.collect(),
        more: of.more,
    }
}

fn damage(of: &crate::input::Damage) -> shape::Damage {
    shape::Damage {
        reason: of.reason,
        offset: of.offset,
        detail: of.detail.clone(),
    }
}

pub(super) fn totals(run: &Run<'_>) -> shape::Totals {
    let totals = run.totals;
    let outcomes = totals.outcomes.iter().map(|(method, by_outcome)| {
        (
            method.clone(),
            by_outcome
                .iter()
                .map(|(outcome, count)| (outcome.word(), *count))
                .collect(),
        )
    });
    shape::Totals {
        messages: totals.messages,
        requests: totals.requests,
        responses: totals.responses,
        calls: totals.calls,
        entries: totals.entries,
        final_responses: totals.final_responses.clone(),
        deciding: totals.deciding.clone(),
        outcomes: outcomes.collect(),
        limits: run.limits.iter().copied().collect(),
    }
}
