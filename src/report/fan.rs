//! Several reports of one run, each into a sink of its own.

use super::{Prove, Report, Run};
use crate::diagnose::{Depth, Diagnosis};
use crate::session::Call;
use std::cell::OnceCell;
use std::io;

/// Hands everything on to each of its reports, in their order.
pub struct Fan(pub Vec<Box<dyn Report>>);

impl Report for Fan {
    fn depth(&self) -> Depth {
        match self.0.iter().any(|one| one.depth() == Depth::Proof) {
            true => Depth::Proof,
            false => Depth::Verdict,
        }
    }

    // The proof is found once, whoever asks for it.
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        if let [only] = self.0.as_mut_slice() {
            return only.call(call, diagnosis, prove);
        }
        let proved = self.depth() == Depth::Proof;
        let found = OnceCell::new();
        let prove = || match proved {
            true => diagnosis.clone(),
            false => found.get_or_init(prove).clone(),
        };
        let mut all = self.0.iter_mut();
        all.try_for_each(|one| one.call(call, diagnosis, &prove))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|one| one.flush())
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|one| one.finish(run))
    }
}
