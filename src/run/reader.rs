//! The thread that reads, decodes and cuts messages.

use super::Batch;
use super::pool::Pool;
use crate::input::{Body, Inputs, Record, Time};
use crate::layers::{At, Flow, Keys, Layers, LimitHits, TlsReport};
use crate::message::Head;
use crate::message::account::Account;
use crate::message::framing::{Beside, Framer, Receive};
use crate::message::stamp::{Stamp, When};
use crate::session::aside::{Aside, Connection, Icmp, MOST_QUOTED, What};
use crate::session::keys::KeyMaker;
use crate::session::media::Meter;
use std::sync::mpsc::{Receiver, SyncSender};

/// Messages in a batch, bytes of them, and records after which one is sent in any case. All are
/// counts of what was read, never of time.
const BATCH_MESSAGES: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_RECORDS: u32 = 4096;
/// Makes batches of what was read, and sends them.
struct Sender {
    batch: Batch,
    records: u32,
    keys: KeyMaker,
    meter: Meter,
    pool: Pool,
    /// The other thread ended after an error: there is nobody to read for.
    gone: bool,
    to: SyncSender<Batch>,
    empty: Receiver<Batch>,
}

impl Receive for Sender {
    fn message(&mut self, stamp: &Stamp, head: &Head, raw: &[u8]) {
        let keys = self.keys.keys(stamp, head, raw);
        self.batch.bytes += raw.len();
        let stored = self.pool.message(stamp, head, keys, raw);
        self.batch.messages.push(stored);
        if self.batch.messages.len() >= BATCH_MESSAGES || self.batch.bytes >= BATCH_BYTES {
            self.send();
        }
    }

    fn beside(&mut self, at: &At, beside: Beside<'_>) {
        let what = match beside {
            Beside::Rtp(flow, header) => return self.meter.packet(at, flow, header),
            Beside::KeepAlive(flow) => return self.keep_alive(at, flow),
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
    fn keep_alive(&mut self, at: &At, flow: &Flow) {
        if let Some(time) = at.time {
            let before = self.batch.messages.len();
            self.batch.alive.push((before, flow.source, time));
        }
        if self.batch.alive.len() >= BATCH_MESSAGES {
            self.send();
        }
    }

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

    fn send(&mut self) {
        self.records = 0;
        self.batch.media = self.meter.due(self.batch.clock[2]);
        let mut next = self.empty.try_recv().unwrap_or_default();
        self.pool.take_back(next.spare.drain(..));
        let full = std::mem::replace(&mut self.batch, next);
        self.gone = self.to.send(full).is_err();
    }
}

/// What reading left behind: the inputs, and what became of their frames and TLS connections.
pub(super) struct Held {
    pub(super) inputs: Inputs,
    pub(super) accounts: Vec<Account>,
    pub(super) tls: Vec<TlsReport>,
    pub(super) hits: LimitHits,
}

/// Reads the inputs through; batches that were judged come back in `empty`.
pub(super) fn read(
    mut inputs: Inputs,
    keys: Keys,
    to: SyncSender<Batch>,
    empty: Receiver<Batch>,
) -> Held {
    let sender = Sender {
        batch: Batch::default(),
        records: 0,
        keys: KeyMaker::default(),
        meter: Meter::default(),
        pool: Pool::default(),
        gone: false,
        to,
        empty,
    };
    let mut layers = Layers::with_keys(keys);
    let mut framer = Framer::new(sender);
    while let Some(record) = inputs.next().filter(|_| !framer.receiver().gone) {
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
