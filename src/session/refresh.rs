//! Session timers (RFC 4028): the interval that was agreed, and the requests that refresh it.

use super::call::Call;
use super::dialog::Side;
use super::entry::Stored;
use super::transaction::Transaction;
use crate::message::field::Field;
use crate::message::header::Header;
use crate::message::{Method, params, sdp};

/// A session interval, as a 2xx set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Index of the 2xx.
    pub message: usize,
    /// Its Session-Expires.
    pub header: Header,
    /// Seconds after which the session expires.
    pub seconds: u32,
    /// The end that has to refresh it; `None` where the 2xx does not say.
    pub refresher: Option<Side>,
    /// When it began, nanoseconds.
    pub at: i64,
}

impl Interval {
    /// When an end that waits for the refresh hangs up, seconds after the last one: the interval
    /// less 32 seconds or a third, whichever is less (RFC 4028 §10).
    pub fn given_up_after(&self) -> u32 {
        self.seconds - (self.seconds / 3).min(32)
    }
}

/// Seconds and refresher (`uac`: true) of a Session-Expires value (RFC 4028 §4).
pub fn session_expires(value: &[u8]) -> Option<(u32, Option<bool>)> {
    let seconds = seconds(value)?;
    let refresher = params::value_after(value, 0, "refresher").map(|span| span.of(value));
    let refresher = refresher.and_then(|word| match word {
        word if word.eq_ignore_ascii_case(b"uac") => Some(true),
        word if word.eq_ignore_ascii_case(b"uas") => Some(false),
        _ => None,
    });
    Some((seconds, refresher))
}

/// The number at the beginning of a Session-Expires or Min-SE value.
pub fn seconds(value: &[u8]) -> Option<u32> {
    let value = value.trim_ascii_start();
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
}

impl Call {
    /// The interval that holds at `time`; `None` where the last 2xx to INVITE or UPDATE before it
    /// agreed on none.
    pub fn interval_at(&self, time: i64) -> Option<Interval> {
        let sets = |m: &Stored| {
            matches!(m.head.method, Method::Invite | Method::Update)
                && m.head.code().is_some_and(|code| (200..300).contains(&code))
        };
        let before = |m: &Stored| m.time().is_some_and(|at| at < time);
        let (index, last) = self
            .originals()
            .filter(|(_, m)| sets(m) && before(m))
            .last()?;
        let header = self.fields(index).first(Field::SessionExpires)?;
        let (seconds, by_asker) = session_expires(header.value.of(&last.raw))?;
        let answerer = self.side(last);
        let refresher = by_asker.and_then(|by_asker| match by_asker {
            true => answerer.map(Side::other),
            false => answerer,
        });
        Some(Interval {
            message: index,
            header,
            seconds,
            refresher,
            at: last.time()?,
        })
    }

    /// The requests inside the dialog that refresh the session and change nothing, each as its
    /// author sent it.
    pub fn refreshes(&self) -> Vec<&Transaction> {
        const MOST: usize = 64;
        let in_dialog = |t: &&Transaction| {
            let request = t.request().and_then(|index| self.messages.get(index));
            matches!(t.method, Method::Invite | Method::Update)
                && request.is_some_and(|m| !m.head.to_tag.is_empty())
        };
        let mut found: Vec<&Transaction> = Vec::new();
        for transaction in self.transactions().iter().filter(in_dialog).take(MOST) {
            let request = |t: &Transaction| t.request().and_then(|i| self.messages.get(i));
            let Some((index, own)) = transaction.request().zip(request(transaction)) else {
                continue;
            };
            let same = |other: &Stored| {
                other.cseq() == own.cseq()
                    && other.head.method == own.head.method
                    && other.keys.from_tag == own.keys.from_tag
            };
            // A proxy hands on what its author sent before.
            let handed_on = found.iter().any(|t| request(t).is_some_and(same));
            if !handed_on && self.changes_nothing(index) {
                found.push(transaction);
            }
        }
        found
    }

    // No session description, or the one that its author sent last (RFC 3264 §8: the version in
    // the o= line goes up with every change).
    fn changes_nothing(&self, index: usize) -> bool {
        let Some(request) = self.messages.get(index) else {
            return false;
        };
        let origin = |m: &Stored| {
            let origin = sdp::origin(m.message().body());
            origin.map(|(session, version)| (session.to_vec(), version.to_vec()))
        };
        let Some(own) = origin(request) else {
            return request.message().body().is_empty();
        };
        let by_author =
            |m: &Stored| m.keys.from_tag == request.keys.from_tag && m.head.is_request();
        let answered = |m: &Stored| m.keys.to_tag == request.keys.from_tag && !m.head.is_request();
        let before = self.messages.before(index).rev();
        let mut described = before
            .filter(|m| by_author(m) || answered(m))
            .filter_map(origin);
        described.next() == Some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_expires_is_read_with_and_without_refresher() {
        for (value, read) in [
            (&b"1800"[..], Some((1800, None))),
            (b" 90;refresher=uac", Some((90, Some(true)))),
            (b"90 ; Refresher = UAS", Some((90, Some(false)))),
            (b"90;refresher=proxy", Some((90, None))),
            (b"soon", None),
            (b"99999999999", None),
        ] {
            assert_eq!(session_expires(value), read, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn who_waits_hangs_up_before_the_end() {
        let after = |seconds| {
            let header = Header {
                field: None,
                name: Default::default(),
                value: Default::default(),
            };
            let interval = Interval {
                message: 0,
                header,
                seconds,
                refresher: None,
                at: 0,
            };
            interval.given_up_after()
        };
        assert_eq!(
            [90, 120, 180, 1800, 3600].map(after),
            [60, 88, 148, 1768, 3568]
        );
    }
}
