//! What holds for every text log: cut anywhere, put behind the prefix of another logger, mixed with
//! other logs or damaged, it is read without a panic, and a message that stands whole in the text is found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a test, with functions of its own"
)]

use std::io::Cursor;
use std::path::PathBuf;

use sipexplain::input::{Body, Inputs};
use sipexplain::layers::At;
use sipexplain::message::Head;
use sipexplain::message::framing::{Beside, Framer, Receive};
use sipexplain::message::stamp::{Stamp, When};

/// A message that was read: the last of its lines, and its own lines without blanks at their ends.
#[derive(Clone)]
struct Seen {
    last_line: u64,
    lines: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Collector(Vec<Vec<Vec<u8>>>);

impl Receive for Collector {
    fn message(&mut self, _: &Stamp, _: &Head, raw: &[u8]) {
        let lines = raw.split(|byte| *byte == b'\n');
        let mut lines: Vec<Vec<u8>> = lines.map(|line| line.trim_ascii_end().to_vec()).collect();
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        self.0.push(lines);
    }

    fn beside(&mut self, _: &At, _: Beside<'_>) {}
}

fn seen(text: &[u8]) -> Vec<Seen> {
    let source = Cursor::new(text.to_vec());
    let mut inputs = Inputs::from_readers(vec![("x".to_owned(), Box::new(source))]);
    let mut framer = Framer::new(Collector::default());
    let mut last_lines = Vec::new();
    while let Some(record) = inputs.next() {
        if let Body::Text {
            bytes,
            last_line,
            time_of_day,
            hop,
        } = record.body
        {
            let when = When::new(record.time, time_of_day);
            framer.text(Stamp::of_log(record.origin, last_line, when, hop), bytes);
            let so_far = framer.receiver().0.len();
            last_lines.resize(so_far, last_line);
        }
    }
    let (_, Collector(messages)) = framer.finish();
    let both = messages.into_iter().zip(last_lines);
    both.map(|(lines, last_line)| Seen { last_line, lines })
        .collect()
}

/// The logs of the fixtures that are read as text: name and bytes.
fn logs() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs");
    let entries = |path: PathBuf| std::fs::read_dir(path).unwrap();
    let all = entries(folder.join("recorded")).chain(entries(folder.clone()));
    let mut paths: Vec<PathBuf> = all
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.extension().is_none_or(|e| e != "tsv" && e != "pcap"))
        .collect();
    paths.sort();
    let name = |path: &PathBuf| {
        path.strip_prefix(&folder)
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    let read = |path: PathBuf| (name(&path), std::fs::read(path).unwrap());
    paths.into_iter().map(read).collect()
}

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// How many of the messages are not among those that were read.
fn lost(expected: &[Seen], read: &[Seen]) -> usize {
    let mut left: Vec<&Vec<Vec<u8>>> = read.iter().map(|seen| &seen.lines).collect();
    let mut lost = 0;
    for message in expected {
        match left.iter().position(|other| **other == message.lines) {
            Some(at) => drop(left.remove(at)),
            None => lost += 1,
        }
    }
    lost
}

#[test]
fn a_cut_keeps_what_is_before_it() {
    let mut random = Random(0x5eed);
    let mut wrong = Vec::new();
    for (name, text) in logs() {
        let whole = seen(&text);
        for _ in 0..40 {
            let cut = random.below(text.len());
            let before = &text[..cut];
            let complete = lines(before)
                .iter()
                .filter(|line| line.ends_with(b"\n"))
                .count();
            let expected: Vec<Seen> = whole
                .iter()
                .filter(|message| message.last_line <= complete as u64)
                .cloned()
                .collect();
            let lost = lost(&expected, &seen(before));
            if lost > 0 {
                wrong.push(format!("{name}: {lost} of {} lost at {cut}", whole.len()));
            }
            // What is behind a cut has lost a message at most, and that which a pair of entries shares.
            let behind = seen(&text[cut..]);
            let after = whole
                .iter()
                .filter(|message| message.last_line > complete as u64)
                .count();
            if behind.len() + 1 < after {
                wrong.push(format!("{name}: {} of {after} behind {cut}", behind.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What loggers and people put before lines.
const PREFIXES: &[&str] = &[
    "[May 17 08:01:35] ",
    "[2024-03-01 10:00:00.250] ",
    "Mar  1 10:00:00 host daemon[77]: ",
    "<134>Mar  1 10:00:00 host daemon: ",
    "03-01 10:00:00.250  3077  3132 I Tag     : ",
    "03-01 10:00:00.250 3077-3132/org.example I/Tag: ",
    "2024-03-01 10:00:00.250 3077-3132 Tag  org.example  I  ",
    "I/flutter ( 3077): ",
    "2024-03-01 10:00:00.250+0100 App[77:88] [Info] \t",
    "2024-03-01 10:00:00\tDaemon.Info\t192.0.2.1\tMar  1 10:00:00 app[88]: ",
    "> ",
    ">> ",
    "    ",
    "\t",
    "// ",
];

#[test]
fn a_prefix_before_every_line_changes_nothing() {
    let (mut wrong, mut read) = (Vec::new(), 0);
    for (name, text) in logs() {
        let expected = seen(&text);
        for prefix in PREFIXES {
            let quoting = prefix.trim().len() < 3;
            // People quote and indent what they paste; loggers wrap what a program prints.
            if quoting && !["pasted.txt", "colours.txt", "entities.txt"].contains(&name.as_str()) {
                continue;
            }
            let put = |line: &&[u8]| [prefix.as_bytes(), line].concat();
            let wrapped: Vec<u8> = lines(&text).iter().flat_map(put).collect();
            let lost = lost(&expected, &seen(&wrapped));
            read += expected.len() - lost;
            if lost > 0 {
                wrong.push(format!(
                    "{name}: {lost} of {} lost behind {prefix:?}",
                    expected.len()
                ));
            }
        }
    }
    println!("{read} messages read behind {} prefixes", PREFIXES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A log in pieces that each end behind a message.
fn pieces(text: &[u8]) -> Vec<Vec<u8>> {
    let (all, mut from) = (lines(text), 0);
    let mut pieces = Vec::new();
    for message in seen(text) {
        let to = usize::try_from(message.last_line).unwrap();
        if to > from {
            pieces.push(all[from..to].concat());
            from = to;
        }
    }
    pieces.push(all[from..].concat());
    pieces
}

/// The same log of a call with another Call-ID.
fn another_call(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    while let Some(at) = memchr::memmem::find(&text, b"wrapped-1@") {
        text[at + 8] = b'2';
    }
    text
}

#[test]
fn logs_mixed_between_messages_keep_all_messages() {
    let logs = logs();
    let mut random = Random(0xfeed);
    let mut wrong = Vec::new();
    for (n, (name, text)) in logs.iter().enumerate() {
        for _ in 0..12 {
            let (other, with) = &logs[(n + 1 + random.below(logs.len() - 1)) % logs.len()];
            // Another call: the same message twice in a row may be one that was logged twice.
            let with = &another_call(with);
            let same_call = |line: &Vec<u8>| memchr::memmem::find(line, b"wrapped-1@").is_some();
            // In a hex dump the Call-ID cannot be told apart.
            if seen(with).iter().any(|m| m.lines.iter().any(same_call)) {
                continue;
            }
            let (mut a, mut b) = (pieces(text).into_iter(), pieces(with).into_iter());
            let mut mixed = Vec::new();
            loop {
                let next = if random.below(2) == 0 {
                    a.next().or_else(|| b.next())
                } else {
                    b.next().or_else(|| a.next())
                };
                let Some(piece) = next else { break };
                mixed.extend_from_slice(&piece);
                if !mixed.ends_with(b"\n") {
                    mixed.push(b'\n');
                }
                mixed.extend_from_slice(b"\n");
            }
            let expected: Vec<Seen> = seen(text).into_iter().chain(seen(with)).collect();
            let lost = lost(&expected, &seen(&mixed));
            if lost > 0 {
                wrong.push(format!(
                    "{name} and {other}: {lost} of {} lost",
                    expected.len()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn damage_anywhere_is_no_panic() {
    let mut random = Random(0xbad);
    for (_, text) in logs() {
        for _ in 0..20 {
            let mut damaged = text.clone();
            for _ in 0..1 + random.below(30) {
                let at = random.below(damaged.len());
                match random.below(3) {
                    0 => damaged[at] = u8::try_from(random.below(256)).unwrap(),
                    1 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, b"\n\r \t:;<>'\"\\[]|"[random.below(14)]),
                }
            }
            seen(&damaged);
        }
    }
}
