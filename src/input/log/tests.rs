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
fn a_start_line_without_headers_is_said_to_be_cut() {
    let (messages, summary) = cut(&format!("{ENVELOPE}{BYE}\n{ENVELOPE}BYE sip:b@b SIP/2.0\n"));
    assert_eq!((messages.len(), summary.sip_lines), (1, 4));
    let reasons: Vec<_> = summary.damage.iter().map(|damage| damage.reason).collect();
    assert_eq!(reasons, ["cut-message"]);
    // Without an envelope it may be prose.
    let (messages, summary) = cut(&format!("{BYE}\n\nsee\n\nBYE sip:b@b SIP/2.0\n"));
    assert_eq!((messages[0].text.as_str(), summary.damage.len()), (BYE, 0));
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

/// The rows of a packet, as tcpdump -X writes them.
fn dump(bytes: &[u8]) -> String {
    let rows = bytes.chunks(16).enumerate().map(|(n, row)| {
        let pairs: Vec<String> = row
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        format!("\t0x{:04x}:  {:<39}  ....\n", n * 16, pairs.join(" "))
    });
    rows.collect()
}

#[test]
fn a_hex_dump_takes_the_place_of_the_message_in_words() {
    let header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1];
    let packet = [&header, BYE.as_bytes()].concat();
    let line = "09:00:00.500000 IP 192.0.2.1.5060 > 192.0.2.2.5060: SIP: BYE sip:a SIP/2.0\n";
    let words: String = BYE.lines().map(|line| format!("\t{line}\n")).collect();
    let rows = dump(&packet);
    let text = [OK, line, &words, &rows, line, &rows, "\nThat is all.\n"].concat();
    let source = Cursor::new(text.into_bytes());
    let mut inputs = Inputs::from_readers(vec![("x".to_owned(), Box::new(source))]);
    let mut seen = Vec::new();
    while let Some(record) = inputs.next() {
        let place = record.origin.place;
        match record.body {
            Body::Dump {
                link,
                bytes,
                last_line,
                time_of_day,
            } => {
                assert_eq!((link, bytes), (101, &packet[..]));
                assert_eq!(time_of_day, Some(32_400_500_000_000));
                seen.push((place, last_line));
            }
            _ => seen.push((place, 0)),
        }
    }
    let rows = packet.len().div_ceil(16) as u64;
    let (first, second) = (10, 10 + rows + 1);
    let expected = [
        (1, 0),
        (first, first + rows - 1),
        (second, second + rows - 1),
    ];
    assert_eq!(seen, expected);
    let summary = inputs.summaries().remove(0);
    assert_eq!(summary.format, "log:mixed");
    assert_eq!(summary.sip_lines, 4 + 2 * rows);
}

#[test]
fn a_start_line_is_not_taken_for_what_another_packet_held() {
    let frame = "Frame 1: 60 bytes on wire (480 bits)\n\
                 Internet Protocol Version 4, Src: 192.0.2.1, Dst: 192.0.2.2\n\
                 User Datagram Protocol, Src Port: 7, Dst Port: 9\nData (4 bytes)\n";
    let list = "    1   0.000000 192.0.2.1 \u{2192} 192.0.2.2 RTP 468 PT=0\n";
    for before in [frame, list] {
        let (messages, _) = cut(&[before, OK].concat());
        assert_eq!(messages.len(), 1, "{before}");
        assert_eq!(messages[0].hop, LogHop::default(), "{before}");
    }
}

#[test]
fn a_dump_may_be_all_there_is() {
    let packet = [
        &[0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1],
        &[7; 20][..],
    ]
    .concat();
    let rows = dump(&packet).replace("\t0x", "").replace(':', "");
    let source = Cursor::new(rows.into_bytes());
    let mut inputs = Inputs::from_readers(vec![("x".to_owned(), Box::new(source))]);
    let record = inputs.next().unwrap();
    assert!(matches!(record.body, Body::Dump { last_line: 3, .. }));
    assert!(inputs.next().is_none());
}

#[test]
fn a_list_of_packets_says_what_it_is() {
    let list = "    1   0.000000 192.0.2.1 \u{2192} 192.0.2.2 SIP 468 Request: BYE sip:a | \n";
    let (messages, summary) = cut(&list.repeat(3));
    assert!(messages.is_empty());
    let reason = summary.error.unwrap().reason;
    assert!(reason.starts_with("a list of packets without"), "{reason}");
}

#[test]
fn what_follows_a_count_has_the_direction_of_it() {
    let head = "Follow: tcp,ascii\nFilter: tcp.stream eq 0\n\
                Node 0: 192.0.2.1:5060\nNode 1: 192.0.2.2:5070\n84\n";
    let rule = "=".repeat(67);
    let text = [head, BYE, "\n\t46\n", OK, "\n", &rule, "\n"].concat();
    let (messages, _) = cut(&text);
    let hops: Vec<_> = messages.iter().map(|message| message.hop).collect();
    assert_eq!(hops.len(), 2);
    assert_eq!(hops[0].source, "192.0.2.1:5060".parse().ok());
    assert_eq!(hops[1].source, "192.0.2.2:5070".parse().ok());
    assert_eq!(hops[1].transport, Some("tcp"));
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

const CHAN_SIP: &str = "<--- SIP read from UDP:192.0.2.7:5062 --->\n";

#[test]
fn what_an_envelope_announces_may_be_no_message() {
    let junk = "\n<------------->\n--- (0 headers 1 lines) Nat keepalive ---\n";
    let text = [CHAN_SIP, "jaK\n", junk, CHAN_SIP, OK, "\n<------------->\n"].concat();
    let (messages, _) = cut(&text);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].text, OK);
    assert_eq!(messages[0].hop.source, "192.0.2.7:5062".parse().ok());
    // One that comes much later was announced by nobody.
    let text = [CHAN_SIP, &"something else\n".repeat(30), OK].concat();
    assert_eq!(cut(&text).0[0].hop, LogHop::default());
}

#[test]
fn blank_lines_that_were_doubled_do_not_cut_a_message() {
    let doubled = WITH_SDP.replace('\n', "\n\n");
    assert_eq!(
        texts(&[&doubled, "\n", &OK.replace('\n', "\n\n")].concat()),
        [WITH_SDP, OK]
    );
}

#[test]
fn a_line_cut_between_two_records_becomes_one_again() {
    let head = "[S=1] [SID=a:1:2]  (N 7)  ---- Incoming SIP Message from 192.0.2.7:5062 to SIPInterface #0 (LAN) UDP TO(#0) ---- ";
    let text = [
        head,
        "#012 [Time:01-01@09:00:00.000]\n",
        "[S=2] [SID=a:1:2]  SIP/2.0 200 OK#012CSe [Time:01-01@09:00:00.000]\n",
        "[S=3] [SID=a:1:3]  (N 8) Something else [Time:01-01@09:00:00.000]\n",
        "[S=4] [SID=a:1:2]  q: 2 BYE#012Content-Length: 0#012#012 [Time:01-01@09:00:00.001]\n",
    ]
    .concat();
    let (messages, _) = cut(&text);
    assert_eq!(messages[0].text.replace('\r', ""), OK);
    assert_eq!(messages[0].hop.source, "192.0.2.7:5062".parse().ok());
    assert_eq!(messages[0].time_of_day, Some(32_400_000_000_000));
}

#[test]
fn a_message_flattened_onto_one_line_is_rebuilt_with_its_envelope() {
    let dashes = "-".repeat(72);
    let text = format!(
        "1-> recv 99 bytes from udp/[192.0.2.7]:5062 at 20:07:57.811303: {dashes} {} 2021-05-23 20:07:57.9 [NOTICE] x\n",
        OK.trim_end().replace('\n', " ")
    );
    let (messages, _) = cut(&text);
    assert_eq!(messages[0].text.replace('\r', ""), OK);
    assert_eq!(messages[0].hop.source, "192.0.2.7:5062".parse().ok());
}

#[test]
fn a_log_line_that_quotes_a_start_line_is_no_message() {
    let text = "Mar  8 22:04:47 sbc kamailio[9]: INFO: <script>: relaying INVITE sip:a@b SIP/2.0\n\
                Mar  8 22:04:47 sbc kamailio[9]: INFO: <script>: done\n";
    assert!(texts(text).is_empty());
}
