//! What the user knows beyond the tables: entries in files of theirs (docs/knowledge.md).
//!
//! A file is read as a whole or not at all; whatever is wrong with it is told with its line.

use super::Explanation;
use crate::hidden::is_hidden;
use crate::users_file::{Wrong, bounded, line_of, with_lines};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use toml::Spanned;

const MOST_ENTRIES: usize = 2000;
const MOST_ADDRESSES: usize = 1000;
const LONGEST_PATTERN: usize = 200;
const LONGEST_TEXT: usize = 4000;

/// An entry: where it holds, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Only responses with this code.
    pub code: Option<u16>,
    /// Only responses to this method.
    pub method: Option<String>,
    /// Only this reason phrase.
    pub phrase: Option<String>,
    /// Only responses whose Server header reads so.
    pub server: Option<String>,
    /// Only responses from this carrier.
    pub carrier: Option<String>,
    /// Networks of the carrier; empty: it cannot be told by its addresses.
    networks: Vec<Network>,
    /// What the answer says.
    pub meaning: Option<String>,
    /// When it is seen.
    pub when: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// Name of the file.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
}

/// What is known of a response when an entry is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// Status code.
    pub code: u16,
    /// Method of the request.
    pub method: &'a str,
    /// Reason phrase as sent.
    pub phrase: &'a str,
    /// Its Server header.
    pub server: Option<&'a str>,
    /// Address that it came from.
    pub source: Option<IpAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

/// All entries, the files that count more behind.
#[derive(Clone, Debug, Default)]
pub struct Own {
    entries: Vec<Entry>,
}

static INSTALLED: OnceLock<Own> = OnceLock::new();

/// Makes these entries part of the knowledge of this process; the first call counts.
pub fn install(own: Own) {
    // A second call would change what was said already.
    let _ = INSTALLED.set(own);
}

/// The entries of the user; none before [`install`].
pub fn own() -> &'static Own {
    static NONE: Own = Own {
        entries: Vec::new(),
    };
    INSTALLED.get().unwrap_or(&NONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    carrier: Vec<RawCarrier>,
    #[serde(default)]
    entry: Vec<Spanned<RawEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCarrier {
    name: Spanned<String>,
    #[serde(default)]
    addresses: Vec<Spanned<String>>,
}

type Text = Option<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    code: Option<Spanned<i64>>,
    method: Text,
    phrase: Text,
    server: Text,
    carrier: Text,
    meaning: Text,
    when: Text,
    fix: Text,
}

impl Own {
    /// Adds the entries of a file; they count more than those before.
    ///
    /// # Errors
    /// `FILE:LINE: what is wrong`, one a line.
    pub fn read(&mut self, path: &Path) -> Result<(), String> {
        let shown = printable(&path.display().to_string());
        let text = bounded(path).map_err(|why| format!("{shown}: {why}"))?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let entries = parse(&text, &printable(&name.to_string_lossy()))
            .map_err(|wrong| with_lines(wrong, &shown, &text))?;
        if self.entries.len() + entries.len() > MOST_ENTRIES {
            return Err(format!("{shown}: more than {MOST_ENTRIES} entries in all"));
        }
        self.entries.extend(entries);
        Ok(())
    }

    /// All entries, in the order of reading.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that says most of when it holds, of those that hold for a response; the last of several.
    pub fn of(&self, response: &Response<'_>) -> Option<&Entry> {
        let fitting = self.entries.iter().filter(|entry| entry.fits(response));
        fitting.max_by_key(|entry| entry.criteria())
    }

    /// The entry that stands for a code everywhere, the last of several.
    pub fn of_code(&self, code: u16, method: &str) -> Option<&Entry> {
        let plain = |entry: &&Entry| {
            let of_method = entry.method.as_ref().is_none_or(|m| m == method);
            entry.code == Some(code) && entry.is_plain() && of_method
        };
        let fitting = self.entries.iter().filter(plain);
        fitting.max_by_key(|entry| entry.criteria())
    }
}

impl Entry {
    /// Does it say of a code, and perhaps a method, only?
    pub fn is_plain(&self) -> bool {
        self.phrase.is_none() && self.server.is_none() && self.carrier.is_none()
    }

    /// `carrier-x.toml:4`
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The explanation with what this entry says in place of it.
    pub fn over(&self, explained: Explanation) -> Explanation {
        let or = |own: &Option<String>, text: String| own.clone().unwrap_or(text);
        Explanation {
            key: format!("{}/own:{}", explained.key, self.place()),
            meaning: or(&self.meaning, explained.meaning),
            when: or(&self.when, explained.when),
            fix: or(&self.fix, explained.fix),
            ..explained
        }
    }

    // How many things must fit.
    fn criteria(&self) -> usize {
        let texts = [&self.method, &self.phrase, &self.server, &self.carrier];
        usize::from(self.code.is_some()) + texts.into_iter().filter(|text| text.is_some()).count()
    }

    fn fits(&self, response: &Response<'_>) -> bool {
        self.code.is_none_or(|code| code == response.code)
            && self.method.as_ref().is_none_or(|m| m == response.method)
            && self
                .phrase
                .as_ref()
                .is_none_or(|p| like(p, response.phrase))
            && self
                .server
                .as_ref()
                .is_none_or(|p| response.server.is_some_and(|s| like(p, s)))
            && (self.carrier.is_none() || response.source.is_some_and(|ip| self.holds(ip)))
    }

    fn holds(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.holds(ip))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Network { address, bits })
    }

    fn holds(self, ip: IpAddr) -> bool {
        let wide = |ip: IpAddr| match ip {
            IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let same = wide(self.address) ^ wide(ip);
        self.address.is_ipv4() == ip.is_ipv4() && same.leading_zeros() >= u32::from(self.bits)
    }
}

// In any case; `*` at an end stands for anything there.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.trim().to_lowercase());
    let open = |rest: &str| rest.strip_suffix('*').map(str::to_owned);
    match (pattern.strip_prefix('*'), open(&pattern)) {
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(rest), None) => text.ends_with(rest),
        (None, Some(rest)) => text.starts_with(&rest),
        (None, None) => text == pattern,
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Entry>, Wrong> {
    let raw: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![(at, error.message().replace('\n', " "))]
    })?;
    let mut check = Check::default();
    let carriers = check.carriers(&raw.carrier);
    let mut entries = Vec::new();
    for spanned in &raw.entry {
        let at = spanned.span().start;
        let line = line_of(text, at);
        if let Some(entry) = check.entry(spanned.get_ref(), at, &carriers) {
            entries.push(Entry {
                file: file.to_owned(),
                line,
                ..entry
            });
        }
    }
    check.twice(&entries, text);
    match check.wrong.is_empty() {
        true => Ok(entries),
        false => Err(check.wrong),
    }
}

#[derive(Default)]
struct Check {
    wrong: Wrong,
}

impl Check {
    fn say(&mut self, at: usize, what: String) {
        self.wrong.push((at, what));
    }

    fn carriers(&mut self, raw: &[RawCarrier]) -> BTreeMap<String, Vec<Network>> {
        let mut all = BTreeMap::new();
        for carrier in raw {
            let name = self.text("name", &carrier.name, LONGEST_PATTERN);
            if carrier.addresses.len() > MOST_ADDRESSES {
                let at = carrier.name.span().start;
                self.say(at, format!("more than {MOST_ADDRESSES} addresses"));
            }
            let mut networks = Vec::new();
            for text in carrier.addresses.iter().take(MOST_ADDRESSES) {
                match Network::parse(text.get_ref()) {
                    Some(network) => networks.push(network),
                    None => self.say(
                        text.span().start,
                        format!("{:?} is no address such as 192.0.2.1 and no network such as 192.0.2.0/24", text.get_ref()),
                    ),
                }
            }
            let twice = name.and_then(|name| all.insert(name, networks));
            if twice.is_some() {
                self.say(
                    carrier.name.span().start,
                    "this carrier stands here twice".to_owned(),
                );
            }
        }
        all
    }

    fn entry(
        &mut self,
        raw: &RawEntry,
        at: usize,
        carriers: &BTreeMap<String, Vec<Network>>,
    ) -> Option<Entry> {
        let before = self.wrong.len();
        let code = raw.code.as_ref().and_then(|code| self.code(code));
        let mut pick = |name: &str, text: &Text, most: usize| {
            text.as_ref().and_then(|text| self.text(name, text, most))
        };
        let entry = Entry {
            code,
            method: pick("method", &raw.method, LONGEST_PATTERN),
            phrase: pick("phrase", &raw.phrase, LONGEST_PATTERN),
            server: pick("server", &raw.server, LONGEST_PATTERN),
            carrier: pick("carrier", &raw.carrier, LONGEST_PATTERN),
            networks: Vec::new(),
            meaning: pick("meaning", &raw.meaning, LONGEST_TEXT),
            when: pick("when", &raw.when, LONGEST_TEXT),
            fix: pick("fix", &raw.fix, LONGEST_TEXT),
            file: String::new(),
            line: 0,
        };
        let mut networks = Vec::new();
        if let Some((name, place)) = entry.carrier.as_ref().zip(raw.carrier.as_ref()) {
            match carriers.get(name) {
                Some(known) => networks.clone_from(known),
                None => self.say(
                    place.span().start,
                    format!("there is no [[carrier]] with the name {name:?}"),
                ),
            }
        }
        if raw.code.is_none()
            && raw.phrase.is_none()
            && raw.server.is_none()
            && raw.carrier.is_none()
        {
            self.say(
                at,
                "an entry needs a code, phrase, server or carrier".to_owned(),
            );
        }
        if raw.meaning.is_none() && raw.when.is_none() && raw.fix.is_none() {
            self.say(at, "an entry needs a meaning, when or fix".to_owned());
        }
        (self.wrong.len() == before).then_some(Entry { networks, ..entry })
    }

    fn code(&mut self, code: &Spanned<i64>) -> Option<u16> {
        let number = u16::try_from(*code.get_ref()).ok();
        let fits = number.filter(|code| (100..700).contains(code));
        if fits.is_none() {
            let what = format!("code: {} is not from 100 to 699", code.get_ref());
            self.say(code.span().start, what);
        }
        fits
    }

    fn text(&mut self, name: &str, text: &Spanned<String>, most: usize) -> Option<String> {
        let value = text.get_ref().trim();
        let what = match value {
            "" | "*" | "**" => format!("{name}: nothing in it"),
            _ if value.chars().count() > most => format!("{name}: longer than {most} characters"),
            _ if value.chars().any(is_hidden) => {
                format!("{name}: a character in it cannot be shown; write it as one line of text")
            }
            _ => return Some(value.to_owned()),
        };
        self.say(text.span().start, what);
        None
    }

    // Two entries of a file that hold for the same are a slip.
    fn twice(&mut self, entries: &[Entry], text: &str) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for entry in entries {
            let fold = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
            let place = format!(
                "{:?}",
                (
                    entry.code,
                    fold(&entry.method),
                    fold(&entry.phrase),
                    fold(&entry.server),
                    &entry.carrier
                )
            );
            if let Some(first) = seen.insert(place, entry.line) {
                let at = offset_of(text, entry.line);
                self.say(
                    at,
                    format!("this entry holds for the same as that of line {first}"),
                );
            }
        }
    }
}

fn printable(name: &str) -> String {
    let shown = |c: char| if is_hidden(c) { '?' } else { c };
    name.chars().take(LONGEST_PATTERN).map(shown).collect()
}

fn offset_of(text: &str, line: usize) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes());
    line.checked_sub(2)
        .and_then(|nth| ends.nth(nth))
        .map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> String {
        with_lines(parse(text, "f.toml").unwrap_err(), "f.toml", text)
    }

    fn own(text: &str) -> Own {
        Own {
            entries: parse(text, "f.toml").unwrap(),
        }
    }

    fn response(code: u16, phrase: &'static str) -> Response<'static> {
        Response {
            code,
            method: "INVITE",
            phrase,
            server: Some("Foo SBC 3.1"),
            source: Some("203.0.113.7".parse().unwrap()),
        }
    }

    #[test]
    fn the_entry_that_says_most_wins_and_then_the_last() {
        let own = own(r#"
            [[carrier]]
            name = "X"
            addresses = ["203.0.113.0/24", "2001:db8::1"]
            [[entry]]
            code = 480
            fix = "a"
            [[entry]]
            code = 480
            phrase = "call LIMIT"
            fix = "b"
            [[entry]]
            carrier = "X"
            server = "foo*"
            phrase = "*limit*"
            fix = "c"
            [[entry]]
            server = "*3.1"
            fix = "d"
        "#);
        let fix = |response: &Response<'_>| own.of(response).and_then(|entry| entry.fix.clone());
        assert_eq!(fix(&response(480, "Call limit")).as_deref(), Some("c"));
        assert_eq!(fix(&response(480, "Nobody")).as_deref(), Some("d"));
        let mut elsewhere = response(480, "Call Limit");
        elsewhere.source = None;
        assert_eq!(fix(&elsewhere).as_deref(), Some("b"));
        elsewhere.phrase = "";
        elsewhere.server = None;
        assert_eq!(fix(&elsewhere).as_deref(), Some("a"));
        elsewhere.code = 486;
        assert_eq!(fix(&elsewhere), None);
        assert_eq!(own.of_code(480, "").map(|entry| entry.line), Some(5));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told = errors("[[entry]]\ncode = 480\n\n[[entry]]\ncode = 48\nmeaning = \"x\"\n");
        assert_eq!(
            told,
            "f.toml:1: an entry needs a meaning, when or fix\nf.toml:5: code: 48 is not from 100 to 699"
        );
        let told = errors("[[entry]]\ncode = 480\nmeaning = \"a\\u001b[31m\"\ncarrier = \"Y\"\n");
        assert!(told.starts_with("f.toml:3: meaning: a character"), "{told}");
        assert!(
            told.contains("\nf.toml:4: there is no [[carrier]]"),
            "{told}"
        );
        let told = errors("[[entry]]\ncode = 480\nfixx = \"a\"\n");
        assert!(told.starts_with("f.toml:3: unknown field `fixx`"), "{told}");
        let told = errors("[[carrier]]\nname = \"X\"\naddresses = [\n  \"1.2.3.4/33\",\n]\n");
        assert!(
            told.starts_with("f.toml:4: \"1.2.3.4/33\" is no address"),
            "{told}"
        );
        let told = errors(
            "[[entry]]\nphrase = \"A\"\nfix = \"x\"\n[[entry]]\nphrase = \"a\"\nfix = \"y\"\n",
        );
        assert_eq!(
            told,
            "f.toml:4: this entry holds for the same as that of line 1"
        );
        let told = errors("[[entry]]\nphrase = \"*\"\nfix = \"x\"\nbroken");
        assert!(told.starts_with("f.toml:4: "), "{told}");
    }

    #[test]
    fn networks_hold_their_addresses_only() {
        let holds =
            |network: &str, ip: &str| Network::parse(network).unwrap().holds(ip.parse().unwrap());
        assert!(holds("0.0.0.0/0", "203.0.113.7"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("192.0.2.128/25", "192.0.2.200"));
        assert!(!holds("192.0.2.128/25", "192.0.2.100"));
        assert!(holds("2001:db8::/32", "2001:db8:1::2"));
        assert!(!holds("192.0.2.1", "192.0.2.2"));
        assert!(Network::parse("192.0.2.1/x").is_none());
    }
}
