//! One line of a flow.

use std::collections::BTreeMap;

/// `0.5 alice > bob INVITE #two | sdp codecs=18 | Subject: x`
#[derive(Debug)]
pub(super) struct Line {
    /// Microseconds after the start.
    pub(super) at: u64,
    pub(super) from: String,
    pub(super) to: String,
    /// `INVITE`, `200`, `again`, `relay`, `icmp`, ...
    pub(super) what: String,
    /// What follows it: a phrase, a method, a number.
    pub(super) words: Vec<String>,
    /// The call it belongs to.
    pub(super) call: String,
    pub(super) mods: Vec<Mod>,
}

#[derive(Debug)]
pub(super) enum Mod {
    /// `sdp` with its settings and further lines.
    Sdp(BTreeMap<String, String>, Vec<String>),
    /// `name=value`
    Set(String, String),
    /// `name`
    Flag(String),
    /// `Name: value`
    Header(String, String),
    /// `+Name: value`
    Add(String, String),
    /// `-Name`
    Remove(String),
    /// `replace=old=>new`
    Replace(String, String),
    /// `damage=old=>new`
    Damage(String, String),
}

pub(super) fn seconds(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let part = format!("{part:0<6}");
    whole
        .parse::<u64>()
        .unwrap_or_else(|_| panic!("no time: {text}"))
        * 1_000_000
        + part[..6].parse::<u64>().unwrap()
}

pub(super) fn parse(line: &str) -> Line {
    let mut parts = line.split(" | ");
    let head = parts.next().unwrap();
    let mut words = head.split_whitespace().map(str::to_owned);
    let at = seconds(&words.next().unwrap());
    let from = words.next().unwrap_or_else(|| panic!("who? {line}"));
    if from == "tick" {
        return Line {
            at,
            from,
            to: String::new(),
            what: "tick".into(),
            words: vec![],
            call: String::new(),
            mods: vec![],
        };
    }
    assert_eq!(words.next().as_deref(), Some(">"), "{line}");
    let (to, what) = (
        words.next().unwrap(),
        words.next().unwrap_or_else(|| panic!("what? {line}")),
    );
    let (calls, words): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('#'));
    let call = calls
        .first()
        .map_or("1".to_owned(), |call| call[1..].to_owned());
    Line {
        at,
        from,
        to,
        what,
        words,
        call,
        mods: parts.map(modifier).collect(),
    }
}

fn modifier(text: &str) -> Mod {
    let text = text.trim();
    if let Some(settings) = text
        .strip_prefix("sdp")
        .filter(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        return sdp(settings);
    }
    let pair = |rule: &str| {
        let (old, new) = rule
            .split_once("=>")
            .unwrap_or_else(|| panic!("old=>new: {text}"));
        (unescape(old), unescape(new))
    };
    if let Some((old, new)) = text.strip_prefix("replace=").map(pair) {
        return Mod::Replace(old, new);
    }
    if let Some((old, new)) = text.strip_prefix("damage=").map(pair) {
        return Mod::Damage(old, new);
    }
    if let Some(name) = text.strip_prefix('-') {
        return Mod::Remove(name.to_owned());
    }
    let header = |text: &str| {
        let (name, value) = text
            .split_once(": ")
            .unwrap_or_else(|| panic!("what is {text:?}?"));
        (name.to_owned(), value.to_owned())
    };
    if let Some(added) = text.strip_prefix('+') {
        let (name, value) = header(added);
        return Mod::Add(name, value);
    }
    match (text.split_once('='), text.split_once(": ")) {
        (Some((name, value)), rest) if rest.is_none_or(|(other, _)| name.len() < other.len()) => {
            Mod::Set(name.to_owned(), value.to_owned())
        }
        (_, Some(_)) => {
            let (name, value) = header(text);
            Mod::Header(name, value)
        }
        _ => Mod::Flag(text.to_owned()),
    }
}

// `sdp codecs=0,8 dir=sendonly a=crypto:1_AES...`: values without blanks; `__` stands for one.
fn sdp(settings: &str) -> Mod {
    let (mut set, mut lines) = (BTreeMap::new(), Vec::new());
    for word in settings.split_whitespace() {
        let (name, value) = word
            .split_once('=')
            .unwrap_or_else(|| panic!("what is {word:?}?"));
        match name {
            "a" => lines.push(value.replace("__", " ")),
            "b" | "m" | "c" | "i" => lines.push(format!("{name} {}", value.replace("__", " "))),
            _ => drop(set.insert(name.to_owned(), value.to_owned())),
        }
    }
    Mod::Sdp(set, lines)
}

fn unescape(text: &str) -> String {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\0", "\0")
}
