//! Records of several lines as `journalctl` prints them: the lines after the first are indented by as
//! much as the head of the record takes.

/// How wide the head of the current record is; 0 where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Journal {
    width: usize,
}

impl Journal {
    /// A line without what `journalctl` put before it.
    pub(super) fn unindented<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        match line.split_at_checked(self.width) {
            Some((indentation, text)) if indentation.iter().all(|byte| *byte == b' ') => text,
            _ => line,
        }
    }

    /// Notes a line: the bytes of its head, if it begins a record, and whether it was indented.
    pub(super) fn see(&mut self, head: usize, indented: bool, blank: bool) {
        if head > 0 || !(indented || blank) {
            self.width = head;
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
        journal.see(4, false, false);
        for (line, text) in [
            ("     x", " x"),
            ("", ""),
            ("    x", "x"),
            ("   x", "   x"),
            ("    x", "    x"),
        ] {
            let found = journal.unindented(line.as_bytes());
            assert_eq!(found, text.as_bytes(), "{line}");
            journal.see(0, found.len() < line.len(), found.is_empty());
        }
    }
}
