//! A flow to a capture: who has said what so far decides what the next message looks like.

use super::line::{self, Line, Mod};
use super::packet::Capture;
use super::sip::Sip;
use super::{Flow, Party};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A message that was sent.
pub(super) struct Sent {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) call: String,
    pub(super) sip: Sip,
    pub(super) relayed_to: Vec<String>,
}

pub(super) struct Script {
    pub(super) parties: BTreeMap<String, Party>,
    pub(super) sent: Vec<Sent>,
    pub(super) counter: u32,
    /// Microseconds of the last packet: what stands on one time follows in order.
    pub(super) ident: u16,
    pub(super) streams: BTreeMap<(SocketAddr, SocketAddr), u32>,
    /// The last packet from one address to another.
    pub(super) last: BTreeMap<(String, String), Vec<u8>>,
    pub(super) capture: Capture,
}

/// Compiles a flow; a mistake in it is a panic that names the line.
pub(crate) fn compile(text: &str) -> Flow {
    let (head, lines) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut expect: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut parties = BTreeMap::new();
    for line in head.lines().filter(|line| !line.starts_with('#')) {
        if let Some(party) = line.strip_prefix("party ") {
            let (name, party) = read_party(party);
            parties.insert(name, party);
            continue;
        }
        let (key, value) = line
            .split_once(':')
            .unwrap_or_else(|| panic!("what is {line:?}?"));
        expect
            .entry(key.to_owned())
            .or_default()
            .push(value.trim().to_owned());
    }
    let mut script = Script {
        parties,
        sent: Vec::new(),
        counter: 0,
        ident: 0,
        streams: BTreeMap::new(),
        last: BTreeMap::new(),
        capture: Capture::new(),
    };
    // A line that begins with blanks goes on with the one before it.
    let joined = lines.replace("\n    ", " ");
    for line in unrolled(&joined) {
        script.line(&line);
    }
    let title = expect
        .get("title")
        .map(|all| all.join(" "))
        .expect("a title");
    Flow {
        title,
        expect,
        pcap: script.capture.pcap(),
    }
}

// `repeat 10 every 2.5` to `end`: the lines again and again, later each time; `$` is the number.
fn unrolled(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut block: Option<(u64, u64, Vec<&str>)> = None;
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        if let Some(head) = line.strip_prefix("repeat ") {
            let (count, every) = head.split_once(" every ").expect("repeat N every SECONDS");
            block = Some((count.parse().unwrap(), line::seconds(every), Vec::new()));
        } else if line == "end" {
            let (count, every, inside) = block.take().expect("a repeat before end");
            for number in 0..count {
                lines.extend(inside.iter().map(|line| {
                    let mut line = line::parse(&line.replace('$', &number.to_string()));
                    line.at += number * every;
                    line
                }));
            }
        } else if let Some((_, _, inside)) = &mut block {
            inside.push(line);
        } else {
            lines.push(line::parse(line));
        }
    }
    assert!(block.is_none(), "repeat without end");
    lines
}

fn read_party(text: &str) -> (String, Party) {
    let mut words = text.split_whitespace();
    let (name, at) = (words.next().unwrap(), words.next().unwrap());
    let mut party = Party {
        at: at.parse().unwrap_or_else(|_| panic!("no ip:port: {at}")),
        tcp: false,
        more: BTreeMap::new(),
    };
    let mut rest: Vec<String> = words.map(str::to_owned).collect();
    // `ua="two words"` was torn.
    while let Some(at) = rest.iter().position(|word| word.matches('"').count() == 1) {
        let next = rest.remove(at + 1);
        rest[at] = format!("{} {next}", rest[at]);
        if next.ends_with('"') {
            rest[at] = rest[at].replace('"', "");
        }
    }
    for word in rest {
        match word.split_once('=') {
            Some((key, value)) => drop(party.more.insert(key.to_owned(), value.replace('"', ""))),
            None if word == "tcp" => party.tcp = true,
            None => panic!("what is {word:?} of {name}?"),
        }
    }
    party
        .more
        .entry("user".to_owned())
        .or_insert_with(|| name.to_owned());
    (name.to_owned(), party)
}

impl Script {
    pub(super) fn party(&self, name: &str) -> &Party {
        self.parties
            .get(name)
            .unwrap_or_else(|| panic!("who is {name}?"))
    }

    pub(super) fn line(&mut self, line: &Line) {
        match line.what.as_str() {
            "tick" => self.capture.tick(line.at),
            "icmp" => self.icmp(line),
            "rtp" => self.rtp(line),
            "crlf" => self.send(line, b"\r\n\r\n"),
            "syn" | "synack" | "rst" | "fin" | "ack" => self.segment(line),
            "hex" => {
                let digits: Vec<u32> = line
                    .words
                    .concat()
                    .chars()
                    .map(|c| c.to_digit(16).unwrap())
                    .collect();
                let bytes: Vec<u8> = digits
                    .chunks(2)
                    .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
                    .collect();
                self.send(line, &bytes);
            }
            "again" => self.again(line),
            "relay" => self.relay(line),
            what if what.parse::<u16>().is_ok() => self.respond(line),
            _ => self.request(line),
        }
    }
}

pub(super) fn setting<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
    line.mods.iter().find_map(|m| match m {
        Mod::Set(known, value) if known == name => Some(value.as_str()),
        _ => None,
    })
}

pub(super) fn flag(line: &Line, name: &str) -> bool {
    line.mods
        .iter()
        .any(|m| matches!(m, Mod::Flag(known) if known == name))
}
