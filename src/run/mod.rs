//! The pipeline: one thread reads, decodes and cuts messages, the other correlates, diagnoses and
//! reports. Each is strictly in order, so the result does not depend on their timing.

/// Memory of released messages.
mod pool;

use crate::diagnose::{self, Context, Depth, Ledger};
use crate::error::Error;
use crate::input::{Body, Inputs, Record, SkippedFiles, Time};
use crate::layers::{At, Keys, Layers, LimitHits, TlsReport};
use crate::message::Head;
use crate::message::account::Account;
use crate::message::framing::{Beside, Framer, Receive};
use crate::message::stamp::{Stamp, When};
use crate::report::totals::Totals;
use crate::report::{Read, Report, Run};
use crate::select::Selection;
use crate::session::aside::{Aside, Connection, Icmp, MOST_QUOTED, What};
use crate::session::keys::KeyMaker;
use crate::session::media::{Meter, RtpStream};
use crate::session::{Call, Session, Stored, View};
use pool::Pool;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Messages in a batch, bytes of them, and records after which one is sent in any case. All are
/// counts of what was read, never of time.
const BATCH_MESSAGES: usize = 1024;
const BATCH_BYTES: usize = 512 * 1024;
const BATCH_RECORDS: u32 = 4096;
/// Messages from this length on get their buffer on the reading thread, shorter ones on the judging
/// thread: to fill memory that was not touched for seconds is dear, and so both share it.
const LONG: usize = 768;
/// Batches under way.
const BATCHES: usize = 4;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// SIP messages read.
    pub sip_messages: u64,
    /// Entries selected.
    pub selected: u64,
    /// Entries selected that failed, timed out or were redirected to nowhere.
    pub failed: u64,
    /// Entries selected, and peers, with a finding of severity error.
    pub errors: u64,
    /// Entries selected, and peers, with a finding of severity warning or error.
    pub warnings: u64,
    /// Inputs that could not be read, as they were named, and why.
    pub unread: Vec<String>,
    /// What the inputs held instead, where they held no SIP.
    pub instead: Vec<String>,
    /// Files in folders and archives that were passed over.
    pub skipped: Vec<SkippedFiles>,
}

/// Messages on their way from one thread to the other; the bytes of short ones stand one behind the
/// other in `bytes`. Buffers of long ones come back in `spare`.
#[derive(Default)]
struct Batch {
    messages: Vec<(Stored, usize)>,
    bytes: Vec<u8>,
    long: usize,
    /// Times of its last records, the latest last: a pause is believed once three records confirm it.
    clock: [Option<Time>; 3],
    /// Nothing may follow for a while: what was released is to be seen now.
    live: bool,
    spare: Vec<Vec<u8>>,
    /// What was seen beside messages, and how many messages of the batch came before it.
    asides: Vec<(usize, Aside)>,
    /// What is new about streams of media.
    media: Vec<RtpStream>,
}

struct Sender {
    batch: Batch,
    records: u32,
    keys: KeyMaker,
    meter: Meter,
    pool: Pool,
    to: SyncSender<Batch>,
    empty: Receiver<Batch>,
}

impl Receive for Sender {
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        let keys = self.keys.keys(stamp, head, raw);
        let mut stored = Stored {
            stamp: *stamp,
            head: *head,
            raw: Vec::new(),
            keys,
            copy: None,
        };
        if raw.len() >= LONG {
            stored.raw = self.pool.bytes(raw);
            self.batch.long += raw.len();
            self.batch.messages.push((stored, 0));
        } else {
            self.batch.bytes.extend_from_slice(raw);
            self.batch.messages.push((stored, raw.len()));
        }
        if self.batch.messages.len() >= BATCH_MESSAGES
            || self.batch.bytes.len() + self.batch.long >= BATCH_BYTES
        {
            self.send();
        }
    }

    fn beside(&mut self, at: &At, beside: Beside<'_>) {
        let what = match beside {
            Beside::Rtp(flow, header) => return self.meter.packet(at, flow, header),
            Beside::Dns(answer) => What::Dns(answer),
            Beside::Wire(flow, wire) => What::Wire(Connection {
                flow: *flow,
                wire,
                message: 0,
            }),
            Beside::Icmp(error) => {
                let stamp = Stamp::of_frame(at, &error.flow, 0);
                let head = Head::read(error.quoted).filter(|head| !head.call_id.is_empty());
                let quoted = error.quoted.get(..MOST_QUOTED).unwrap_or(error.quoted);
                What::Icmp(Icmp {
                    reporter: error.reporter,
                    kind: error.kind,
                    ident: error.ident,
                    flow: error.flow,
                    keys: head.map(|head| self.keys.keys(&stamp, &head, error.quoted)),
                    quoted: quoted.to_vec(),
                    message: 0,
                })
            }
        };
        let aside = Aside {
            origin: at.origin,
            time: at.time,
            what,
        };
        self.batch.asides.push((self.batch.messages.len(), aside));
        if self.batch.asides.len() >= BATCH_MESSAGES {
            self.send();
        }
    }
}

impl Sender {
    fn record(&mut self, time: Option<Time>) {
        if time.is_some() {
            self.batch.clock.rotate_left(1);
            self.batch.clock[2] = time;
        }
        self.records += 1;
        if self.records >= BATCH_RECORDS {
            self.send();
        }
    }

    fn send_live(&mut self) {
        self.batch.live = true;
        self.send();
    }

    // The other thread may be gone after an error; there is then nobody to send to.
    fn send(&mut self) {
        self.records = 0;
        self.batch.media = self.meter.due(self.batch.clock[2]);
        let mut next = self.empty.try_recv().unwrap_or_default();
        self.pool.take_back(next.spare.drain(..));
        let full = std::mem::replace(&mut self.batch, next);
        let _ = self.to.send(full);
    }
}

/// Reads the inputs through, and reports on every call that was selected.
///
/// # Errors
/// If the report cannot be written. What is wrong with an input is part of the report.
pub fn analyze(
    inputs: Inputs,
    keys: Keys,
    selection: &Selection,
    filters: &[String],
    report: &mut dyn Report,
) -> Result<Judged, Error> {
    let (to, batches) = sync_channel(BATCHES);
    let (give_back, empty) = sync_channel(BATCHES);
    std::thread::scope(|scope| {
        let sender = Sender {
            batch: Batch::default(),
            records: 0,
            keys: KeyMaker::default(),
            meter: Meter::default(),
            pool: Pool::default(),
            to,
            empty,
        };
        let thread = std::thread::Builder::new().name("reader".to_owned());
        let reader = thread
            .spawn_scoped(scope, move || read(inputs, keys, sender))
            .map_err(|_| Error::Stage("reads the inputs"))?;
        let mut judge = Judge::new(selection, report);
        for mut batch in batches {
            judge.batch(&mut batch)?;
            let _ = give_back.try_send(batch);
        }
        let held = reader
            .join()
            .map_err(|_| Error::Stage("reads the inputs"))?;
        judge.finish(held, filters)
    })
}

/// What reading left behind: the inputs, and what became of their frames and TLS connections.
struct Held {
    inputs: Inputs,
    accounts: Vec<Account>,
    tls: Vec<TlsReport>,
    hits: LimitHits,
}

fn read(mut inputs: Inputs, keys: Keys, sender: Sender) -> Held {
    let mut layers = Layers::with_keys(keys);
    let mut framer = Framer::new(sender);
    while let Some(record) = inputs.next() {
        decode(&mut layers, &mut framer, record);
        framer.receiver().record(record.time);
        if inputs.live() {
            framer.receiver().send_live();
        }
    }
    layers.end(&mut framer);
    let (accounts, mut sender) = framer.finish();
    sender.send();
    sender.batch.media = sender.meter.rest();
    let _ = sender.to.send(sender.batch);
    Held {
        inputs,
        accounts,
        tls: layers.tls_reports(),
        hits: layers.limit_hits(),
    }
}

/// Hands a record to where it belongs: frames to the layers, messages of logs to the framer.
pub fn decode<R: Receive>(layers: &mut Layers, framer: &mut Framer<R>, record: Record<'_>) {
    match record.body {
        Body::Frame {
            link,
            bytes,
            wire_len,
        } => layers.frame(record.origin, record.time, link, bytes, wire_len, framer),
        Body::Dump {
            link,
            bytes,
            last_line,
            time_of_day,
        } => {
            let at = At::in_log(record.origin, last_line, record.time, time_of_day);
            layers.dump(at, link, bytes, framer);
        }
        Body::Secrets { bytes } => layers.secrets(bytes),
        Body::Text {
            bytes,
            last_line,
            time_of_day,
            hop,
        } => {
            let when = When::new(record.time, time_of_day);
            let stamp = Stamp::of_log(record.origin, last_line, when, hop);
            framer.text(stamp, bytes);
        }
    }
}

struct Judge<'a> {
    session: Session,
    pool: Pool,
    desk: Desk<'a>,
}

/// Where released calls are diagnosed, counted and reported.
struct Desk<'a> {
    selection: &'a Selection,
    report: &'a mut dyn Report,
    totals: Totals,
    ledger: Ledger,
    entries: u64,
    judged: Judged,
    failure: Option<io::Error>,
}

impl<'a> Judge<'a> {
    fn new(selection: &'a Selection, report: &'a mut dyn Report) -> Judge<'a> {
        let desk = Desk {
            selection,
            report,
            totals: Totals::default(),
            ledger: Ledger::default(),
            entries: 0,
            judged: Judged::default(),
            failure: None,
        };
        Judge {
            session: Session::default(),
            pool: Pool::default(),
            desk,
        }
    }

    fn batch(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let desk = &mut self.desk;
        let mut release = |call: &Call, view: &View| desk.call(call, view);
        for stream in batch.media.drain(..) {
            self.session.media(stream);
        }
        let (mut at, mut asides) = (0, batch.asides.drain(..).peekable());
        for (index, (mut stored, length)) in batch.messages.drain(..).enumerate() {
            while let Some((_, aside)) = asides.next_if(|(before, _)| *before <= index) {
                self.session.aside(aside);
            }
            let bytes = batch.bytes.get(at..at + length).unwrap_or_default();
            at += length;
            if length > 0 {
                stored.raw = self.pool.bytes(bytes);
            }
            self.session.message(stored, &mut release);
        }
        asides.for_each(|(_, aside)| self.session.aside(aside));
        batch.bytes.clear();
        for time in std::mem::take(&mut batch.clock).into_iter().flatten() {
            self.session.tick(time, &mut release);
        }
        batch.long = 0;
        if std::mem::take(&mut batch.live) {
            self.desk.report.flush()?;
        }
        let (long, short) = self
            .session
            .spare()
            .partition(|buffer| buffer.capacity() >= LONG);
        batch.spare = long;
        self.pool.take_back(Vec::into_iter(short));
        self.desk
            .failure
            .take()
            .map_or(Ok(()), |error| Err(error.into()))
    }

    fn finish(self, held: Held, filters: &[String]) -> Result<Judged, Error> {
        let Judge {
            session, mut desk, ..
        } = self;
        let (limits, attempts) =
            session.finish(&mut |call: &Call, view: &View| desk.call(call, view));
        if let Some(error) = desk.failure {
            return Err(error.into());
        }
        let named = held.hits.named().into_iter().chain(limits.named());
        let limits: Vec<_> = named.filter(|(_, count)| *count > 0).collect();
        desk.judged.skipped = held.inputs.skipped().cloned().collect();
        let mut accounts = held.accounts.into_iter();
        let mut tls = held.tls.into_iter();
        let inputs: Vec<Read> = held
            .inputs
            .summaries()
            .into_iter()
            .map(|summary| Read {
                summary,
                account: accounts.next().unwrap_or_default(),
                tls: tls.next().unwrap_or_default(),
            })
            .collect();
        // Of a selection it is not known which connections the other calls needed.
        if filters.is_empty() {
            desk.ledger.add_attempts(attempts);
        }
        let errors = inputs.iter().filter_map(|read| read.summary.error.as_ref());
        let findings = diagnose::across::judge(&desk.ledger);
        let mut judged = desk.judged;
        for found in &findings {
            let severity = found.finding.severity;
            judged.errors += u64::from(severity == diagnose::Severity::Error);
            judged.warnings += u64::from(severity <= diagnose::Severity::Warning);
        }
        judged.sip_messages = inputs.iter().map(|read| read.account.sip_messages).sum();
        judged.unread = errors.map(ToString::to_string).collect();
        judged.instead = inputs
            .iter()
            .filter(|read| read.summary.error.is_none())
            .map(instead)
            .collect();
        let run = Run {
            inputs: &inputs,
            totals: &desk.totals,
            findings: &findings,
            entries: desk.entries,
            limits: &limits,
            filters,
        };
        desk.report.finish(&run)?;
        Ok(judged)
    }
}

impl Desk<'_> {
    fn call(&mut self, call: &Call, view: &View) {
        self.entries += 1;
        if self.failure.is_some() || !self.selection.takes(call) {
            return;
        }
        let diagnose = |depth| diagnose::diagnose(call, &Context::new(view), depth);
        let diagnosis = diagnose(self.report.depth());
        let has = |severity| {
            diagnosis
                .findings
                .iter()
                .any(|finding| finding.severity <= severity)
        };
        self.judged.selected += 1;
        self.judged.failed += u64::from(call.outcome.is_failure());
        self.judged.errors += u64::from(has(diagnose::Severity::Error));
        self.judged.warnings += u64::from(has(diagnose::Severity::Warning));
        self.totals.add(call);
        self.ledger.add(call, &diagnosis);
        let prove = || diagnose(Depth::Proof);
        self.failure = self.report.call(call, &diagnosis, &prove).err();
    }
}

// What an input without SIP held: the most frequent first.
fn instead(read: &Read) -> String {
    let path = &read.summary.path;
    let mut held: Vec<(String, u64)> = read
        .account
        .other
        .iter()
        .map(|(name, frames)| ((*name).to_owned(), *frames))
        .collect();
    held.extend(
        read.account
            .not_decoded
            .iter()
            .map(|n| (format!("not decoded ({})", n.reason), n.frames)),
    );
    held.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let held: Vec<String> = held
        .into_iter()
        .map(|(name, frames)| format!("{frames} {name}"))
        .collect();
    match (read.summary.format.starts_with("log:"), held.is_empty()) {
        (true, _) => format!("{path}: {} lines of text", read.summary.lines),
        (false, true) => format!("{path}: no frames"),
        (false, false) => format!(
            "{path}, frames: {}: {}",
            read.summary.frames,
            held.join(", ")
        ),
    }
}
