//! Records of several lines as `journalctl` prints them: the lines after the first are indented by as
//! much as the head of the record takes.

/// How wide the head of the current record is; 0 where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Journal {
    width: usize,
}

impl Journal {
    /// What came since belongs to no record.
    pub(super) fn end(&mut self) {
        self.width = 0;
    }

    /// The text of a line without what `journalctl` put before it; `head` is what syslog did.
    pub(super) fn under<'a>(&mut self, text: &'a [u8], head: usize) -> &'a [u8] {
        match text.split_at_checked(self.width) {
            Some((indentation, rest))
                if self.width > 0 && indentation.iter().all(|byte| *byte == b' ') =>
            {
                rest
            }
            _ => {
                // Blanks at the end of a line may be lost.
                if !text.trim_ascii().is_empty() {
                    self.width = head;
                }
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use crate::input::log::tests::texts;

    #[test]
    fn a_record_of_several_lines_is_one_message() {
        let bye = "BYE sip:a@b SIP/2.0\nVia: x\nSubject: a\n  fold\nContent-Length: 0\n\n";
        let head = "Jan 01 09:00:00 sbc kamailio[77]: ";
        let under = format!("\n{:width$}", "", width = head.len());
        let record = format!("{head}RAW <<<{bye}>>>").replace('\n', &under);
        assert_eq!(
            texts(&format!("{record}\nsaid somebody:{under}more\n")),
            [bye]
        );
    }

    #[test]
    fn only_lines_under_a_record_are_indented_by_it() {
        let mut journal = Journal::default();
        for (line, head, text) in [
            ("    x", 0, "    x"),
            ("x", 4, "x"),
            ("     x", 0, " x"),
            ("", 0, ""),
            ("    x", 9, "x"),
            ("   x", 0, "   x"),
            ("    x", 0, "    x"),
        ] {
            let found = journal.under(line.as_bytes(), head);
            assert_eq!(found, text.as_bytes(), "{line}");
        }
    }
}
