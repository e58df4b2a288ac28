//! Logs that tell of messages and do not hold them: what they are, and what to ask for instead.

/// What a line shows the text to be, if it is of such a log.
pub(super) fn of(line: &[u8]) -> Option<&'static str> {
    let fields = || line.split(|byte| *byte == b'\t');
    // SIPp: date, time, seconds, direction, Call-ID, CSeq, start line
    if line.get(10) == Some(&b'\t')
        && fields().count() == 7
        && fields()
            .nth(5)
            .is_some_and(|cseq| cseq.starts_with(b"CSeq"))
        && matches!(fields().nth(3), Some(b"S" | b"R"))
    {
        return Some(
            "a short message trace of SIPp, which holds start lines only: record it with -trace_msg",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_short_trace_is_called_by_its_name() {
        let line = "2026-11-20\t23:29:34.762676\t1795217374.7\tS\t1-1@x\tCSeq:1 INVITE\tINVITE sip:a@b SIP/2.0";
        assert!(of(line.as_bytes()).is_some_and(|what| what.contains("-trace_msg")));
        assert_eq!(of(b"a\tb"), None);
    }
}
