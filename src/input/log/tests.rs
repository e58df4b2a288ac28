//! Texts as people have them, cut into messages.

use std::io::Cursor;

use super::{LARGEST_MESSAGE, LONGEST_LINE};
use crate::input::{Body, InputSummary, Inputs, LogHop};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) lines: (u64, u64),
    pub(super) time: Option<i64>,
    pub(super) time_of_day: Option<u64>,
    pub(super) hop: LogHop,
}

pub(super) fn cut(text: &str) -> (Vec<Message>, InputSummary) {
    let source = Cursor::new(text.as_bytes().to_vec());
    let mut inputs = Inputs::from_readers(vec![("x".to_owned(), Box::new(source))]);
    let mut messages = Vec::new();
    while let Some(record) = inputs.next() {
        let Body::Text {
            bytes,
            last_line,
            time_of_day,
            hop,
        } = record.body
        else {
            panic!("a frame in a text");
        };
        messages.push(Message {
            text: String::from_utf8_lossy(bytes).into_owned(),
            lines: (record.origin.place, last_line),
            time: record.time.map(|time| time.0),
            time_of_day,
            hop,
        });
    }
    (messages, inputs.summaries().remove(0))
}

pub(super) fn texts(text: &str) -> Vec<String> {
    cut(text)
        .0
        .into_iter()
        .map(|message| message.text)
        .collect()
}

const ENVELOPE: &str = "<--- Received SIP request (99 bytes) from UDP:192.0.2.7:5062 --->\n";
const BYE: &str =
    "BYE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7\r\nContent-Length: 0\r\n\r\n";
const OK: &str = "SIP/2.0 200 OK\nCSeq: 2 BYE\nContent-Length: 0\n\n";
const WITH_SDP: &str = "INVITE sip:a@192.0.2.1 SIP/2.0\nContent-Type: application/sdp\nContent-Length: 12\n\nv=0\ns=-\n";

#[test]
fn asterisk_envelopes_give_time_and_hop_and_nothing_of_them_stays() {
    let text = [
        "[2024-03-01 10:00:00.250] VERBOSE[7] res_pjsip_logger.c: ",
        ENVELOPE,
        BYE,
        "\n",
        "[2024-03-01 10:00:00.300] DEBUG[7] res_pjsip.c: Something else\n",
        "[2024-03-01 10:00:01] VERBOSE[7][C-0000001f] res_pjsip_logger.c: ",
        "<--- Transmitting SIP response (9 bytes) to TLS:[2001:db8::7]:5061 --->\n",
        OK,
        "\n\n",
        "    -- Executing [100@default:1] Answer\n",
    ]
    .concat();
    let (messages, summary) = cut(&text);
    assert_eq!([&messages[0].text, &messages[1].text], [BYE, OK]);
    assert_eq!((messages[0].lines, messages[1].lines), ((2, 5), (9, 12)));
    assert_eq!(messages[0].time, Some(1_709_287_200_250_000_000));
    assert_eq!(messages[0].hop.source, "192.0.2.7:5062".parse().ok());
    assert_eq!(
        messages[1].hop.destination,
        "[2001:db8::7]:5061".parse().ok()
    );
    assert_eq!(messages[1].hop.transport, Some("tls"));
    assert_eq!(
        (summary.format.as_str(), summary.lines, summary.sip_lines),
        ("log:asterisk-pjsip", 15, 8)
    );
}

#[test]
fn a_time_stamp_on_every_line_is_taken_off_every_line() {
    let plain = [ENVELOPE, WITH_SDP, "\n", ENVELOPE, OK, "\n"].concat();
    let stamped: String = plain
        .lines()
        .map(|line| format!("[May 17 08:01:35] {line}\n"))
        .collect();
    let (messages, _) = cut(&stamped);
    assert_eq!([&messages[0].text, &messages[1].text], [WITH_SDP, OK]);
    assert_eq!(
        (messages[0].time, messages[0].time_of_day),
        (None, Some(28_895_000_000_000))
    );
    let syslog: String = plain
        .lines()
        .map(|line| format!("May  7 08:01:35 pbx asterisk[9]: {line}\n"))
        .collect();
    assert_eq!(texts(&syslog), [WITH_SDP, OK]);
}

#[test]
fn foreign_lines_inside_a_message_are_passed_over() {
    let entry = "[2024-03-01 10:00:00] NOTICE[7] chan.c: Meanwhile\n";
    let sdp = WITH_SDP
        .replace("Content-Length", &format!("{entry}Content-Length"))
        .replace("s=-", &format!("{entry}s=-"));
    let text = [
        "[2024-03-01 10:00:00] VERBOSE[7] res_pjsip_logger.c: ",
        ENVELOPE,
        &sdp,
        "\n",
        entry,
    ]
    .concat();
    assert_eq!(texts(&text), [WITH_SDP]);
}

#[test]
fn one_envelope_may_hold_two_messages() {
    let (messages, summary) = cut(&[ENVELOPE, BYE, OK, "\n"].concat());
    assert_eq!([&messages[0].text, &messages[1].text], [BYE, OK]);
    assert_eq!(messages[0].hop, messages[1].hop);
    assert_eq!(summary.format, "log:asterisk-pjsip");
}

#[test]
fn pasted_messages_lose_quoting_indentation_and_fences() {
    for margin in ["", "> ", ">> ", "    ", "\t", "// "] {
        let plain = ["Look at this:\n", WITH_SDP, "\n", OK, "\nThat was all.\n"].concat();
        let pasted: String = plain
            .lines()
            .map(|line| format!("{margin}{line}\n").replace(">> \n", ">>\n"))
            .collect();
        assert_eq!(texts(&pasted), [WITH_SDP, OK], "{margin:?}");
    }
    assert_eq!(
        texts(&["```\n", OK.trim_end(), "\n```\nText: not a header\n"].concat()),
        [OK.trim_end().to_owned() + "\n"]
    );
}

#[test]
fn a_fold_keeps_the_blanks_that_make_it_one() {
    let text = "  ACK sip:a@b SIP/2.0\n  Via: SIP/2.0/UDP x\n    ;branch=1\n  To: y\n";
    assert_eq!(
        texts(text),
        ["ACK sip:a@b SIP/2.0\nVia: SIP/2.0/UDP x\n  ;branch=1\nTo: y\n"]
    );
}

#[test]
fn a_body_cut_short_does_not_swallow_what_follows() {
    let trimmed = WITH_SDP.replace("Length: 12", "Length: 430");
    assert_eq!(
        texts(&[&trimmed, "\nSome prose.\n", OK].concat()),
        [trimmed.clone(), OK.to_owned()]
    );
    let none = "INVITE sip:a@b SIP/2.0\nContent-Type: application/sdp\nContent-Length: 142\n\n";
    assert_eq!(texts(&[none, "(Alice's SDP not shown)\n"].concat()), [none]);
}

#[test]
fn a_status_quoted_in_a_notify_is_its_body() {
    let notify = "NOTIFY sip:a@b SIP/2.0\nContent-Type: message/sipfrag\nContent-Length: 20\n\nSIP/2.0 180 Ringing\n";
    assert_eq!(texts(&[notify, "\n", OK].concat()), [notify, OK]);
}

#[test]
fn a_page_break_of_an_rfc_does_not_end_a_message() {
    let page = "\n\n\nRosenberg, et. al.          Standards Track                   [Page 12]\n\x0c\n\
                RFC 3261            SIP: Session Initiation Protocol           June 2002\n\n\n";
    let text = OK.replace("CSeq", &format!("{page}CSeq"));
    assert_eq!(texts(&text), [OK]);
}

#[test]
fn several_formats_in_one_text_make_it_mixed() {
    let (messages, summary) = cut(&[OK, "\nand the log:\n", ENVELOPE, BYE].concat());
    assert_eq!(messages.len(), 2);
    assert_eq!(summary.format, "log:mixed");
}

#[test]
fn endless_lines_and_messages_are_cut_and_said() {
    let long = format!("{OK}{}\n{BYE}", "x".repeat(3 * LONGEST_LINE));
    let (messages, summary) = cut(&long);
    assert_eq!(
        (messages.len(), summary.damage[0].reason, summary.lines),
        (2, "long-line", 9)
    );
    let header = format!("X: {}\n", "y".repeat(997));
    let endless = format!("BYE sip:a@b SIP/2.0\n{}\n{OK}", header.repeat(1200));
    let (messages, summary) = cut(&endless);
    assert_eq!(
        (messages.len(), summary.damage[0].reason),
        (2, "long-message")
    );
    assert!(messages[0].text.len() <= LARGEST_MESSAGE);
}
