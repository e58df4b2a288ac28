//! Messages made to do harm.

use super::*;

/// Texts that a header may carry and a report must not pass on.
const EVIL: &[(&str, &[u8])] = &[
    (
        "control characters",
        b"a\x00\x01\x07\x08\x0b\x0c\x0e\x1a\x1f\x7fb\rc",
    ),
    (
        "escape sequences",
        b"\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1bPq\x1b\\",
    ),
    (
        "C1 controls",
        "\u{80}\u{85}\u{9b}31m\u{9d}0;t\u{9c}".as_bytes(),
    ),
    ("bare C1 bytes", b"\x80\x85\x9b31m\x9d0;t\x9c"),
    (
        "bidirectional overrides",
        "\u{202e}gpj\u{202c}\u{2066}x\u{2069}\u{200f}\u{2028}y\u{2029}".as_bytes(),
    ),
    (
        "no UTF-8",
        b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf8\x88\x80\x80\x80\xe2\x82",
    ),
    ("folds", b"a\r\n \x1b[1mb\r\n\t\xe2\x80\xaec"),
    ("quotes and brackets", b"\\\"<>&'`$(x);,=@%0a{}[]"),
    (
        "wide and joined",
        "日本語\u{1f468}\u{200d}\u{1f469}e\u{301}\u{301}\u{feff}".as_bytes(),
    ),
    ("nothing", b""),
];

/// A message with the text wherever a header can carry one. Call-ID, branch and tags tell the
/// calls apart.
fn evil_message(
    start: &[u8],
    method: &str,
    cseq: u32,
    call: u32,
    evil: &[u8],
    more: &[u8],
) -> Vec<u8> {
    // A start line cannot be folded.
    let mut message: Vec<u8> = start.iter().copied().filter(|b| *b != b'\n').collect();
    let mut line = |parts: &[&[u8]]| {
        message.extend(parts.concat());
        message.extend(b"\r\n");
    };
    let (call, cseq) = (format!("{call}"), format!("{cseq} {method}"));
    let n = call.as_bytes();
    line(&[]);
    line(&[
        b"Via: SIP/2.0/UDP ",
        evil,
        b";branch=z9hG4bK",
        cseq.split(' ').next().unwrap().as_bytes(),
        b"x",
        n,
    ]);
    line(&[
        b"From: \"",
        evil,
        b"\" <sip:",
        evil,
        b"@example.org>;tag=",
        evil,
        n,
    ]);
    line(&[
        b"To: \"",
        evil,
        b"\" <sip:bob",
        evil,
        b"@example.net>;tag=",
        if start.starts_with(b"SIP") { evil } else { b"" },
    ]);
    line(&[b"Call-ID: ", n, b"@", evil]);
    line(&[b"CSeq: ", cseq.as_bytes()]);
    line(&[b"Contact: <sip:", evil, b"@192.168.0.1>"]);
    for name in [
        "Server",
        "User-Agent",
        "Subject",
        "P-Asserted-Identity",
        "X-\x1b[5m",
        "Allow",
        "Supported",
        "Call-Info",
    ] {
        line(&[name.as_bytes(), b": ", evil]);
    }
    line(&[b"Reason: Q.850;cause=34;text=\"", evil, b"\""]);
    line(&[b"Reason: SIP;cause=603;text=", evil]);
    line(&[b"Warning: 305 ", evil, b" \"", evil, b"\""]);
    line(&[b"Retry-After: 18000 (", evil, b");duration=", evil]);
    line(&[
        b"WWW-Authenticate: Digest realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        n,
        b"\"",
    ]);
    line(&[
        b"Proxy-Authenticate: Digest realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        b"\"",
    ]);
    line(&[
        b"Identity: ",
        evil,
        b".",
        evil,
        b".",
        evil,
        b";info=<",
        evil,
        b">;alg=",
        evil,
    ]);
    message.extend(more);
    let body = [
        b"v=0\r\ns=",
        evil,
        b"\r\nc=IN IP4 ",
        evil,
        b"\r\nm=audio 4000 RTP/AVP 18 ",
        evil,
        b"\r\na=rtpmap:18 ",
        evil,
        b"\r\n",
    ]
    .concat();
    message.extend(
        format!(
            "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .bytes(),
    );
    message.extend(body);
    message
}

/// Calls that fail in many ways, with the text in every header.
fn evil_calls(evil: &[u8]) -> Vec<u8> {
    let mut capture = Writer::new();
    let codes = [
        302, 401, 403, 404, 407, 408, 422, 480, 484, 486, 487, 488, 500, 503, 600, 603, 607, 608,
        699,
    ];
    let authorization = [
        b"Authorization: Digest username=\"",
        evil,
        b"\", realm=\"",
        evil,
        b"\", nonce=\"",
        evil,
        b"\", response=\"",
        evil,
        b"\"\r\n",
    ]
    .concat();
    for (call, code) in (0u32..).zip(codes) {
        for method in ["INVITE", "REGISTER", "MESSAGE"] {
            let call = call * 3 + u32::try_from(method.len()).unwrap() * 1000;
            let request = [method.as_bytes(), b" sip:", evil, b"@example.net SIP/2.0"].concat();
            let response = [format!("SIP/2.0 {code} ").as_bytes(), evil].concat();
            for cseq in 1..3 {
                let more = if cseq == 2 { &authorization[..] } else { b"" };
                capture.udp(
                    true,
                    &evil_message(&request, method, cseq, call, evil, more),
                );
                capture.udp(
                    false,
                    &evil_message(&response, method, cseq, call, evil, b""),
                );
                capture.wait(20);
            }
        }
    }
    // Never answered.
    let request = [b"INVITE sip:", evil, b"@example.net SIP/2.0"].concat();
    for wait in [0, 500, 1000, 2000, 4000, 8000, 16000, 32000] {
        capture.wait(wait);
        capture.udp(true, &evil_message(&request, "INVITE", 1, 9, evil, b""));
    }
    capture.wait(40_000);
    capture.udp(true, b"\r\n\r\n");
    capture.file
}

/// A capture, and how many messages are in it.
type Hostile = (String, Vec<u8>, usize);

const REQUEST: &str = "INVITE sip:bob@example.net SIP/2.0\r\n";
const ESSENTIAL: [&str; 5] = [
    "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n",
    "From: <sip:alice@example.org>;tag=a\r\n",
    "To: <sip:bob@example.net>\r\n",
    "Call-ID: call@example.org\r\n",
    "CSeq: 1 INVITE\r\n",
];

fn with_headers(start: &str, headers: &str) -> Vec<u8> {
    format!(
        "{start}{}{headers}Content-Length: 0\r\n\r\n",
        ESSENTIAL.concat()
    )
    .into_bytes()
}

fn hostile_captures() -> Vec<Hostile> {
    let mut all: Vec<Hostile> = EVIL
        .iter()
        .map(|(name, evil)| ((*name).to_owned(), evil_calls(evil), 19 * 3 * 4 + 8))
        .collect();
    let mut add = |name: &str, messages: usize, fill: &dyn Fn(&mut Writer)| {
        let mut capture = Writer::new();
        fill(&mut capture);
        all.push((name.to_owned(), capture.file, messages));
    };
    let refusal =
        |code: u16, headers: &str| with_headers(&format!("SIP/2.0 {code} No\r\n"), headers);
    let long = |length: usize| {
        format!(
            "Reason: Q.850;cause=16;text=\"{}\"\r\n",
            "\u{1b}x".repeat(length / 2)
        )
    };
    let many = |count: usize| "X: \u{1b}[1m\r\n".repeat(count);
    let vias = |count: usize| {
        format!(
            "Via: {}a\r\n",
            "SIP/2.0/UDP a;branch=z9hG4bKx, ".repeat(count)
        )
    };
    for (name, headers) in [
        ("60 KB header", long(60_000)),
        ("5000 headers", many(5000)),
        ("1900 Vias", vias(1900)),
    ] {
        add(&format!("{name} in a datagram"), 2, &|capture| {
            capture.udp(true, &with_headers(REQUEST, &headers));
            capture.udp(false, &refusal(486, &headers));
        });
    }
    for (name, headers) in [
        ("200 KB header", long(200_000)),
        ("5000 headers", many(5000)),
        ("6000 Vias", vias(6000)),
    ] {
        add(&format!("{name} over TCP"), 2, &|capture| {
            capture.tcp(true, &with_headers(REQUEST, &headers));
            capture.tcp(false, &refusal(503, &headers));
        });
    }
    add("10000 retransmissions", 10_001, &|capture| {
        for _ in 0..10_000 {
            capture.udp(true, &with_headers(REQUEST, ""));
        }
        capture.udp(false, &refusal(500, ""));
    });
    add("10000 answers", 10_001, &|capture| {
        capture.udp(true, &with_headers(REQUEST, ""));
        for n in 0..10_000 {
            capture.udp(false, &refusal(200 + n % 500, ""));
        }
    });
    add("10000 requests on one Call-ID", 10_000, &|capture| {
        for n in 0..10_000 {
            let request = String::from_utf8(with_headers(REQUEST, "")).unwrap();
            let other = request
                .replace("tag=a", &format!("tag={n}"))
                .replace("bK1", &format!("bK{n}"));
            capture.udp(true, other.as_bytes());
        }
    });
    add("challenges on one Call-ID", 600, &|capture| {
        for n in 0..300 {
            let of = |header: &str| -> String {
                let one = |k| {
                    format!("{header}: Digest username=\"a\", realm=\"r\", nonce=\"{n}-{k}\"\r\n")
                };
                (0..40).map(one).collect()
            };
            let numbered = |start: &str, headers: &str| {
                let message = String::from_utf8(with_headers(start, headers)).unwrap();
                let message = message.replace("tag=a", &format!("tag={n}"));
                message.replace("CSeq: 1", &format!("CSeq: {}", n + 1))
            };
            capture.udp(true, numbered(REQUEST, &of("Authorization")).as_bytes());
            let refusal = numbered("SIP/2.0 401 No\r\n", &of("WWW-Authenticate"));
            capture.udp(false, refusal.as_bytes());
        }
    });
    for (missing, name) in ["Via", "From", "To", "Call-ID", "CSeq"].iter().enumerate() {
        let mut headers = ESSENTIAL.to_vec();
        headers.remove(missing);
        let headers = headers.concat();
        add(&format!("{name} missing"), 12, &|capture| {
            for start in [
                REQUEST,
                "SIP/2.0 404 Not Found\r\n",
                "BYE sip:bob SIP/2.0\r\n",
            ] {
                let message = format!("{start}{headers}\r\n");
                capture.udp(true, message.as_bytes());
                capture.udp(false, message.as_bytes());
                capture.tcp(true, message.as_bytes());
                capture.tcp(false, message.as_bytes());
            }
        });
    }
    add("every header missing", 3, &|capture| {
        capture.udp(true, b"INVITE sip:bob SIP/2.0\r\n\r\n");
        capture.udp(false, b"SIP/2.0 486 Busy\r\n\r\n");
        capture.udp(false, b"SIP/2.0 486\n");
    });
    add("numbers beyond all bounds", 2, &|capture| {
        let huge = "9".repeat(400);
        let headers = format!(
            "CSeq: {huge} INVITE\r\nExpires: {huge}\r\nRetry-After: {huge}\r\nMax-Forwards: -{huge}\r\nMin-SE: {huge}\r\nContent-Length: {huge}\r\n"
        );
        for start in [REQUEST, "SIP/2.0 503 No\r\n"] {
            capture.udp(
                true,
                format!("{start}{headers}{}\r\n", ESSENTIAL[..4].concat()).as_bytes(),
            );
        }
    });
    all
}

/// Longer than any of them may take in a build without optimisation.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn hostile_headers_reach_no_terminal_and_stop_nothing() {
    for (name, capture, messages) in hostile_captures() {
        let began = Instant::now();
        let collect = naming(|| name.clone(), || report_in_every_format(&capture));
        let took = began.elapsed();
        println!("{name}: {messages} messages, {} ms", took.as_millis());
        assert_eq!(collect.seen.len(), messages, "{name}");
        assert!(took < BOUND, "{name}: {took:?}");
    }
}

#[test]
fn hostile_names_and_texts_reach_no_terminal() {
    let folder = std::env::temp_dir().join(format!(
        "sipexplain-\x1b[31m\u{202e}-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let text = evil_message(b"SIP/2.0 404 \x1b[2J", "INVITE", 1, 1, EVIL[1].1, b"");
    for (name, bytes) in [
        ("\x1b]0;a.pcap", evil_calls(EVIL[1].1)),
        ("\u{9b}2J.log", text),
        ("\rempty", Vec::new()),
        ("\x08none\n.txt", b"nothing \x1b[2J here\n".to_vec()),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    for full in [false, true] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sipexplain"));
        program.args([
            "--color",
            "never",
            "--ip",
            "192.0.2.10",
            "--call-id",
            "1@\x1b[2J",
        ]);
        if full {
            program.args(["--all", "--ladder"]);
        }
        program.arg(&folder);
        for entry in std::fs::read_dir(&folder).unwrap() {
            program.arg(entry.unwrap().path());
        }
        let output = program.arg(folder.join("\x1b[1mmissing")).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_harmless(&output.stdout);
        assert_harmless(&output.stderr);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    for arguments in [
        vec!["code", "\x1b[2J"],
        vec!["rule", "\u{202e}x"],
        vec!["--tz", "\x1b[2J", "x"],
        vec!["--lang", "\x1b[2J", "x"],
    ] {
        let (status, out, err) = run_piped(&arguments, b"");
        assert_eq!(status, Some(2), "{arguments:?}");
        assert_harmless(&out);
        assert_harmless(&err);
    }
}

#[test]
fn a_further_attempt_under_another_from_tag_belongs_where_it_answers_the_challenge() {
    for (answered, calls) in [("n1", 1), ("n2", 2)] {
        let mut capture = Writer::new();
        let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\n";
        capture.udp(true, &with_headers(REQUEST, ""));
        capture.udp(false, &with_headers("SIP/2.0 401 No\r\n", challenge));
        let answer =
            format!("Authorization: Digest username=\"a\", realm=\"r\", nonce=\"{answered}\"\r\n");
        let second = |start: &str, headers: &str| {
            let message = String::from_utf8(with_headers(start, headers)).unwrap();
            let message = message
                .replace("tag=a", "tag=b")
                .replace("CSeq: 1", "CSeq: 2");
            message.replace("bK1", "bK2").into_bytes()
        };
        capture.udp(true, &second(REQUEST, &answer));
        capture.udp(false, &second("SIP/2.0 200 OK\r\n", ""));
        let (_, out, _) = run_piped(&["--format", "json", "-"], &capture.file);
        let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            report["calls"].as_array().unwrap().len(),
            calls,
            "{answered}"
        );
    }
}
