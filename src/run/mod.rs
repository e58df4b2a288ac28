//! The pipeline: one thread reads, decodes and cuts messages, the other correlates, diagnoses and
//! reports. Each is strictly in order, so the result does not depend on their timing.

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
use crate::policy::Policy;
use crate::report::Report;
use crate::select::Selection;
use crate::session::Stored;
use crate::session::aside::Aside;
use crate::session::media::RtpStream;
use correlator::Correlator;
use judge::Judge;
use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;

/// Batches under way.
const BATCHES: usize = 4;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// SIP messages read.
    pub sip_messages: u64,
    /// Entries selected.
    pub selected: u64,
    /// What fell short of the policy, one line each.
    pub short: Vec<String>,
    /// What is known already and was left out, one line each.
    pub suppressed: Vec<String>,
    /// Inputs that could not be read, as they were named, and why.
    pub unread: Vec<String>,
    /// What the inputs held instead, where they held no SIP.
    pub instead: Vec<String>,
    /// Inputs that were named and held no SIP, while others did; and what they held.
    pub empty: Vec<String>,
    /// Inputs that end early or are damaged, and where first.
    pub damaged: Vec<String>,
    /// Files in folders and archives that were passed over.
    pub skipped: Vec<SkippedFiles>,
}

/// Messages on their way from one thread to the other; their memory comes back in `spare`.
#[derive(Default)]
struct Batch {
    messages: Vec<Box<Stored>>,
    /// The length of all of them.
    bytes: usize,
    /// Times of its last records, the latest last: a pause is believed once three records confirm it.
    clock: [Option<Time>; 3],
    /// Nothing may follow for a while: what was released is to be seen now.
    live: bool,
    spare: Vec<Box<Stored>>,
    /// What was seen beside messages, and how many messages of the batch came before it.
    asides: Vec<(usize, Aside)>,
    /// Packets that only keep a way open: how many messages came before, from where, when.
    alive: Vec<(usize, SocketAddr, Time)>,
    /// What is new about streams of media.
    media: Vec<RtpStream>,
}

/// Reads the inputs through, and reports on every call that was selected.
///
/// # Errors
/// If the report cannot be written. What is wrong with an input is part of the report.
pub fn analyze(
    inputs: Inputs,
    keys: Keys,
    selection: &Selection,
    policy: &Policy,
    filters: &[String],
    report: &mut dyn Report,
) -> Result<Judged, Error> {
    let (to, batches) = sync_channel(BATCHES);
    let (give_back, empty) = sync_channel(BATCHES);
    std::thread::scope(|scope| {
        let failed = || Error::Stage("reads the inputs");
        let thread = std::thread::Builder::new().name("reader".to_owned());
        let reader = thread
            .spawn_scoped(scope, move || reader::read(inputs, keys, to, empty))
            .map_err(|_| failed())?;
        let (mut correlator, mut judge) =
            (Correlator::default(), Judge::new(selection, policy, report));
        for mut batch in batches {
            let live = std::mem::take(&mut batch.live);
            correlator.batch(&mut batch, &mut judge);
            judge.batch(live)?;
            let _ = give_back.try_send(batch);
        }
        let held = reader.join().map_err(|_| failed())?;
        let limits = correlator.finish(&mut judge);
        judge.batch(false)?;
        judge.finish(held, limits, filters)
    })
}
