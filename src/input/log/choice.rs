//! Which formats of text logs are looked for: all of them, or one that the user names.

use super::dispatch::opened_by;
use super::{Cutter, Format, LOGS, Line, Opening, dump, formats, raw};

/// The formats that are looked for in text.
#[derive(Clone, Copy, Default)]
pub struct LogChoice(Chosen);

#[derive(Clone, Copy, Default)]
enum Chosen {
    #[default]
    All,
    One(&'static Format),
    Dumps,
}

impl std::fmt::Debug for LogChoice {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self.0 {
            Chosen::All => "all",
            Chosen::One(format) => format.name,
            Chosen::Dumps => dump::NAME,
        })
    }
}

impl LogChoice {
    /// Only the format with this name, one of [`formats`].
    pub fn only(name: &str) -> Option<Self> {
        if !formats().any(|known| known == name) {
            return None;
        }
        let format = LOGS.iter().find(|format| format.name == name);
        Some(Self(
            format.map_or(Chosen::Dumps, |format| Chosen::One(format)),
        ))
    }

    pub(super) fn takes_dumps(self) -> bool {
        matches!(self.0, Chosen::All | Chosen::Dumps)
    }
}

impl Cutter {
    /// What a line opens, among the formats that are looked for.
    pub(super) fn opened_by(
        &self,
        line: &Line<'_>,
        mentions: bool,
    ) -> Option<(&'static Format, Opening)> {
        let chosen = match self.choice.0 {
            Chosen::All => return opened_by(line, mentions, &self.draft),
            Chosen::Dumps => return None,
            Chosen::One(format) => format,
        };
        // A bare start line belongs to the envelope that announced it.
        let announced = |(open, _): &(&Format, Opening)| open.name == chosen.name;
        let bare = self.open.as_ref().is_some_and(announced);
        let formats = [Some(chosen), Some(&raw::FORMAT).filter(|_| bare)];
        formats.into_iter().flatten().find_map(|format| {
            let opening = (format.recognise)(line)?;
            let quoted = opening.starts_at.is_some() && self.draft.expects_fragment();
            (!quoted).then_some((format, opening))
        })
    }
}
