//! What became of the frames of an input: every frame is in exactly one account.

use crate::layers::At;

/// Frames that could hold SIP and could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDecoded {
    /// Kebab-case id of the reason.
    pub reason: &'static str,
    /// How many frames.
    pub frames: u64,
    /// The first of them.
    pub first_frame: u64,
    /// What was met there.
    pub detail: String,
}

/// Holes in streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// How many.
    pub count: u64,
    /// Bytes that were never captured.
    pub bytes: u64,
    /// The first frame behind one.
    pub first_frame: u64,
}

/// The account of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Frames with bytes of a SIP message, a repeated segment of one, or a keep-alive of a SIP flow.
    pub sip_frames: u64,
    /// SIP messages read, copies of one packet included.
    pub sip_messages: u64,
    /// SIP messages of which the capture holds only the beginning.
    pub cut_messages: u64,
    /// Holes in streams of SIP: how many, bytes, and the first frame behind one.
    pub gaps: Option<Gaps>,
    /// Frames by protocol that is not SIP.
    pub other: Vec<(&'static str, u64)>,
    /// Frames that could not be looked into.
    pub not_decoded: Vec<NotDecoded>,
}

impl Account {
    /// Counts a hole in a stream of SIP.
    pub(crate) fn add_gap(&mut self, bytes: u64, frame: u64) {
        let gaps = self.gaps.get_or_insert(Gaps {
            count: 0,
            bytes: 0,
            first_frame: frame,
        });
        gaps.count += 1;
        gaps.bytes += bytes;
        gaps.first_frame = gaps.first_frame.min(frame);
    }

    /// Counts frames of a protocol that is not SIP.
    pub fn add_other(&mut self, protocol: &'static str, frames: u32) {
        // The frame may count for something else in it.
        if frames == 0 {
            return;
        }
        match self.other.iter_mut().find(|(name, _)| *name == protocol) {
            Some((_, count)) => *count += u64::from(frames),
            None => self.other.push((protocol, u64::from(frames))),
        }
    }

    /// Counts frames that could not be looked into.
    pub fn add_not_decoded(
        &mut self,
        reason: &'static str,
        frames: u32,
        first_frame: u64,
        detail: &str,
    ) {
        match self
            .not_decoded
            .iter_mut()
            .find(|known| known.reason == reason)
        {
            Some(known) => {
                known.frames += u64::from(frames);
                known.first_frame = known.first_frame.min(first_frame);
            }
            None => self.not_decoded.push(NotDecoded {
                reason,
                frames: u64::from(frames),
                first_frame,
                detail: detail.to_owned(),
            }),
        }
    }

    /// All frames accounted for.
    pub fn total(&self) -> u64 {
        let other: u64 = self.other.iter().map(|(_, count)| count).sum();
        let not_decoded: u64 = self.not_decoded.iter().map(|n| n.frames).sum();
        self.sip_frames + other + not_decoded
    }
}

/// The accounts by input; one that was not met yet is empty.
#[derive(Debug, Default)]
pub(crate) struct Accounts(pub(crate) Vec<Account>);

impl Accounts {
    /// The account of an input.
    pub(crate) fn of(&mut self, input: u16) -> &mut Account {
        let index = usize::from(input);
        if self.0.len() <= index {
            self.0.resize_with(index + 1, Account::default);
        }
        &mut self.0[index]
    }
}

/// Frames of a stream whose account is still open, by input: `(input, frames, first frame)`.
#[derive(Debug, Default)]
pub(crate) struct Unsettled(Vec<(u16, u32, u64)>);

impl Unsettled {
    pub(crate) fn add(&mut self, at: At) {
        match self
            .0
            .iter_mut()
            .find(|(input, ..)| *input == at.origin.input)
        {
            Some((_, frames, _)) => *frames = frames.saturating_add(at.frames),
            None => self.0.push((at.origin.input, at.frames, at.origin.place)),
        }
    }

    /// Hands every open frame to `settle` and forgets them.
    pub(crate) fn settle(
        &mut self,
        accounts: &mut Accounts,
        mut settle: impl FnMut(&mut Account, u32, u64),
    ) {
        for (input, frames, first) in self.0.drain(..) {
            settle(accounts.of(input), frames, first);
        }
    }
}
