//! The objects of the contract `sipexplain/1`. Fields may be added, never changed.

use crate::knowledge::own::Entry;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Name and version of the contract.
pub const SCHEMA: &str = "sipexplain/1";

#[derive(Serialize)]
pub(super) struct Head {
    pub(super) schema: &'static str,
}

/// Nanoseconds since 1970, written as RFC 3339 in UTC with microseconds.
#[derive(Clone, Copy)]
pub(super) struct Instant(pub(super) i64);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(crate::input::Time(self.0).written().as_str())
    }
}

#[derive(Serialize)]
pub(super) struct Call<'a> {
    pub(super) id: u64,
    pub(super) call_ids: Vec<String>,
    pub(super) joins: Vec<Join>,
    pub(super) related: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) continues: Option<u64>,
    pub(super) method: Cow<'a, str>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) request_uri: Option<String>,
    pub(super) start: Option<Instant>,
    pub(super) end: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_of_day: Option<String>,
    pub(super) outcome: &'static str,
    pub(super) decided_by: Option<usize>,
    pub(super) final_responses: Vec<FinalResponse<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) asides: Vec<Aside>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) media: Vec<Media>,
    pub(super) findings: Vec<Finding>,
    pub(super) root_cause: Option<&'static str>,
    pub(super) undetermined: Option<Undetermined>,
    pub(super) alternatives: Vec<Alternative>,
    pub(super) blame: Option<Blame>,
}

#[derive(Serialize)]
pub(super) struct Join {
    pub(super) call_id: String,
    pub(super) by: &'static str,
    pub(super) confidence: &'static str,
}

#[derive(Serialize)]
pub(super) struct Alternative {
    pub(super) rule: &'static str,
    pub(super) confidence: &'static str,
    pub(super) would_confirm: String,
}

#[derive(Serialize)]
pub(super) struct Blame {
    pub(super) element: Option<String>,
    pub(super) or_beyond: bool,
    pub(super) acts: &'static str,
    pub(super) confidence: &'static str,
    pub(super) grounds: String,
    pub(super) relays: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct FinalResponse<'a> {
    pub(super) code: u16,
    pub(super) reason: Cow<'a, str>,
    pub(super) method: Option<Cow<'a, str>>,
    pub(super) cseq: Option<u32>,
    pub(super) call_id: Option<Cow<'a, str>>,
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) time: Option<Instant>,
    pub(super) source: Option<SocketAddr>,
    pub(super) destination: Option<SocketAddr>,
    pub(super) inferred: Vec<&'static str>,
    pub(super) transport: Option<&'static str>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) step: Option<&'static str>,
    pub(super) step_of: Option<usize>,
    pub(super) explanation: Cow<'static, str>,
    /// The user's own entry for it.
    #[serde(skip)]
    pub(super) own: Option<&'static Entry>,
}

/// Frame and part in a capture, lines in a log; the other is null.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Place {
    pub(super) input: u16,
    pub(super) frame: Option<u64>,
    pub(super) part: Option<u16>,
    pub(super) line: Option<u64>,
    pub(super) last_line: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Repeat {
    pub(super) input: u16,
    pub(super) frame: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) part: Option<u16>,
    pub(super) time: Option<Instant>,
    pub(super) kind: &'static str,
}

/// Something seen beside SIP: an ICMP error about a message, an answer of a name server.
#[derive(Serialize)]
pub(super) struct Aside {
    pub(super) protocol: &'static str,
    pub(super) kind: &'static str,
    pub(super) input: u16,
    pub(super) frame: u64,
    pub(super) time: Option<Instant>,
    pub(super) about: Option<u64>,
    pub(super) text: String,
}

/// A stream of RTP between addresses that the session descriptions name.
#[derive(Serialize)]
pub(super) struct Media {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) codec: Option<String>,
    pub(super) packets: u64,
    pub(super) lost: u64,
    pub(super) first_time: Option<Instant>,
    pub(super) last_time: Option<Instant>,
}

#[derive(Serialize)]
pub(super) struct Rfc {
    pub(super) number: u32,
    pub(super) section: Cow<'static, str>,
}

#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) rule: &'static str,
    pub(super) severity: &'static str,
    pub(super) confidence: &'static str,
    pub(super) role: &'static str,
    pub(super) title: String,
    pub(super) why: String,
    pub(super) fix: String,
    pub(super) rfc: Vec<Rfc>,
    pub(super) element: Option<String>,
    pub(super) acts: &'static str,
    pub(super) evidence: Vec<Evidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Instant>,
}

#[derive(Default, Serialize)]
pub(super) struct Evidence {
    pub(super) kind: &'static str,
    pub(super) input: u16,
    pub(super) frame: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) part: Option<u16>,
    pub(super) header: Option<String>,
    pub(super) name: Option<String>,
    pub(super) index: Option<usize>,
    pub(super) part_of: Option<&'static str>,
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) cut: bool,
    pub(super) span: Option<[u32; 2]>,
    pub(super) mark: Option<[u32; 2]>,
    pub(super) from: Option<Instant>,
    pub(super) until: Option<Instant>,
    /// The call that holds it, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<u64>,
    pub(super) note: String,
}

#[derive(Serialize)]
pub(super) struct Undetermined {
    pub(super) why: String,
    pub(super) would_help: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) missing: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Explanation {
    pub(super) title: String,
    pub(super) meaning: String,
    pub(super) when: String,
    pub(super) fix: String,
    pub(super) rfc: Vec<Rfc>,
    pub(super) lang: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
}

#[derive(Serialize)]
pub(super) struct KeyedExplanation {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) explanation: Explanation,
}

#[derive(Serialize)]
pub(super) struct Input {
    pub(super) path: String,
    pub(super) format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_frames: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_lines: Option<u64>,
    pub(super) sip_messages: u64,
    pub(super) first_time: Option<Instant>,
    pub(super) last_time: Option<Instant>,
    pub(super) other: Vec<Other>,
    pub(super) not_decoded: Vec<NotDecoded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gaps: Option<Gaps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cut_messages: Option<u64>,
    pub(super) damage: Vec<Damage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) more_damage: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Tls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Gaps {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) first_frame: u64,
}

#[derive(Serialize)]
pub(super) struct Other {
    pub(super) protocol: &'static str,
    pub(super) frames: u64,
}

#[derive(Serialize)]
pub(super) struct NotDecoded {
    pub(super) reason: &'static str,
    pub(super) frames: u64,
    pub(super) first_frame: u64,
    pub(super) detail: String,
}

#[derive(Serialize)]
pub(super) struct Tls {
    pub(super) connections: u64,
    pub(super) decrypted: u64,
    pub(super) undecrypted: u64,
    pub(super) closed: Vec<ClosedTls>,
    pub(super) more: u64,
}

#[derive(Serialize)]
pub(super) struct ClosedTls {
    pub(super) connections: u64,
    pub(super) reason: &'static str,
    pub(super) handshake: String,
    pub(super) server_name: Option<String>,
    pub(super) version: Option<&'static str>,
    pub(super) suite: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Damage {
    pub(super) reason: &'static str,
    pub(super) offset: u64,
    pub(super) detail: String,
}

#[derive(Serialize)]
pub(super) struct Totals {
    pub(super) messages: u64,
    pub(super) requests: u64,
    pub(super) responses: u64,
    pub(super) calls: u64,
    pub(super) entries: u64,
    pub(super) final_responses: BTreeMap<u16, u64>,
    pub(super) deciding: BTreeMap<u16, u64>,
    pub(super) outcomes: BTreeMap<String, BTreeMap<&'static str, u64>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) limits: BTreeMap<&'static str, u64>,
}
