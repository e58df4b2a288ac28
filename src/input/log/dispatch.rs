//! Which format a line belongs to.

use super::draft::Draft;
use super::{Format, LOGS, Line, Opening};

/// What a line opens, by the first format that recognises it.
pub(super) fn opened_by(line: &Line<'_>, draft: &Draft) -> Option<(&'static Format, Opening)> {
    LOGS.iter().find_map(|format| {
        let opening = (format.recognise)(line)?;
        // A start line quoted in the body of a NOTIFY (message/sipfrag) opens nothing.
        let quoted = opening.starts_at.is_some() && draft.expects_fragment();
        (!quoted).then_some((*format, opening))
    })
}
