//! The pipeline: one thread reads, decodes and cuts messages, the second correlates them, the third
//! diagnoses and reports. Each is strictly in order, so the result does not depend on their timing.

/// Messages to calls.
mod correlator;
/// Calls to findings and reports.
mod judge;
/// Memory of released messages.
mod pool;
/// Inputs to messages.
mod reader;

pub use reader::decode;

use crate::error::Error;
use crate::input::{Inputs, SkippedFiles, Time};
use crate::layers::Keys;
use crate::report::Report;
use crate::select::Selection;
use crate::session::aside::Aside;
use crate::session::media::RtpStream;
use crate::session::{News, Stored};
use judge::Judge;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;

/// Batches under way between two threads.
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
    /// Packets that only keep a way open: how many messages came before, from where, when.
    alive: Vec<(usize, SocketAddr, Time)>,
    /// What is new about streams of media.
    media: Vec<RtpStream>,
}

/// What a batch brought, on its way to be judged.
struct Delivery {
    news: News,
    /// What was released is to be seen now.
    live: bool,
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
    let (to_correlator, batches) = sync_channel(BATCHES);
    let (give_back, empty) = sync_channel(BATCHES);
    let (to_judge, deliveries) = sync_channel(BATCHES);
    let (return_calls, calls) = sync_channel(BATCHES);
    std::thread::scope(|scope| {
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let failed = |what| move |_| Error::Stage(what);
        let reader = thread("reader")
            .spawn_scoped(scope, move || {
                reader::read(inputs, keys, to_correlator, empty)
            })
            .map_err(failed("reads the inputs"))?;
        let correlator = thread("correlator")
            .spawn_scoped(scope, move || {
                correlator::correlate(batches, give_back, to_judge, calls)
            })
            .map_err(failed("correlates messages"))?;
        let mut judge = Judge::new(selection, report);
        for delivery in deliveries {
            let judged = judge.delivery(delivery)?;
            let _ = return_calls.try_send(judged);
        }
        let ended = |what| move |_| Error::Stage(what);
        let held = reader.join().map_err(ended("reads the inputs"))?;
        let limits = correlator.join().map_err(ended("correlates messages"))?;
        judge.finish(held, limits, filters)
    })
}
