//! TOML with the places of everything in it, so that what is wrong can be told with its line.

use super::super::Asked;
use super::super::pattern::{Pattern, Wanted};
use super::keys::Keys;
use crate::knowledge::distance;
use crate::users_file::{Wrong, line_of, with_lines};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A slip of the hand changes no more than this.
const NEAR: usize = 3;

/// What is wrong so far with a file.
pub(super) struct Walk<'a> {
    text: &'a str,
    file: &'a str,
    wrong: Wrong,
}

/// A value, and what it is called.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

/// A table whose keys are known.
pub(super) struct Table<'a> {
    at: usize,
    name: &'static str,
    table: &'a DeTable<'a>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, file: &'a str) -> Walk<'a> {
        Walk {
            text,
            file,
            wrong: Vec::new(),
        }
    }

    /// Something is wrong at this byte.
    pub(super) fn say(&mut self, at: usize, what: String) {
        self.wrong.push((at, what));
    }

    /// The line in which this byte stands.
    pub(super) fn place(&self, at: usize) -> Asked {
        Asked {
            file: self.file.to_owned(),
            line: line_of(self.text, at) as u64,
        }
    }

    /// The value, if nothing was wrong.
    pub(super) fn done<T>(self, value: T) -> Result<T, String> {
        if self.wrong.is_empty() {
            return Ok(value);
        }
        Err(with_lines(self.wrong, self.file, self.text))
    }
}

impl<'a> Table<'a> {
    /// The table; keys that it must not have are told.
    pub(super) fn new(
        walk: &mut Walk<'_>,
        table: &'a DeTable<'a>,
        at: usize,
        keys: &'static Keys,
    ) -> Table<'a> {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if !keys.keys.contains(&name) {
                let near = suggestion(name, keys.keys);
                let what = format!("unknown key {name:?} in {}{near}", keys.table);
                walk.say(key.span().start, what);
            }
        }
        Table {
            at,
            name: keys.table,
            table,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let mut nodes = self.table.iter();
        let (key, value) = nodes.find(|(known, _)| known.get_ref() == key)?;
        Some(Node {
            key: key.get_ref(),
            value,
        })
    }

    /// The same, where it has to be there.
    pub(super) fn needed(&self, walk: &mut Walk<'_>, key: &str) -> Option<Node<'a>> {
        let node = self.get(key);
        if node.is_none() {
            walk.say(self.at, format!("{:?} is missing in {}", key, self.name));
        }
        node
    }

    /// Is nothing in it?
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Something is wrong with all of it.
    pub(super) fn say(&self, walk: &mut Walk<'_>, what: &str) {
        walk.say(self.at, format!("{}: {what}", self.name));
    }

    /// All values, as they stand in the file.
    pub(super) fn in_order(&self) -> Vec<(&'a str, Node<'a>)> {
        let mut all: Vec<_> = self.table.iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        let named = all.into_iter().map(|(key, value)| {
            let key: &str = key.get_ref();
            (key, Node { key, value })
        });
        named.collect()
    }
}

impl<'a> Node<'a> {
    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.value.span().start
    }

    /// What was read of it, or a complaint that names it.
    pub(super) fn or_say<T>(&self, walk: &mut Walk<'_>, read: Option<T>, what: &str) -> Option<T> {
        if read.is_none() {
            let shown = match self.value.get_ref() {
                DeValue::String(text) => format!("{text:?} "),
                DeValue::Table(_) | DeValue::Array(_) => String::new(),
                _ => self
                    .scalar()
                    .map_or(String::new(), |text| format!("{text} ")),
            };
            walk.say(self.at(), format!("{}: {shown}{what}", self.key));
        }
        read
    }

    /// What was read of it, or why it was not.
    pub(super) fn or_told<T>(&self, walk: &mut Walk<'_>, read: Result<T, String>) -> Option<T> {
        let told = read.map_err(|why| walk.say(self.at(), format!("{}: {why}", self.key)));
        told.ok()
    }

    /// A text or a number, as it is written.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    pub(super) fn text(&self, walk: &mut Walk<'_>) -> Option<String> {
        let text = self.value.get_ref().as_str().map(str::to_owned);
        let text = text.filter(|text| !text.is_empty() && text.len() <= 1000);
        self.or_say(walk, text, "is no text of 1 to 1000 characters")
    }

    /// One of these words; its index.
    pub(super) fn one_of(&self, walk: &mut Walk<'_>, what: &str, words: &[&str]) -> Option<usize> {
        let text = self.scalar().unwrap_or_default();
        let found = words.iter().position(|word| *word == text);
        let known = match words.len() {
            ..=8 => format!("; there is {}", words.join(", ")),
            _ => suggestion(&text, words),
        };
        self.or_say(walk, found, &format!("is no {what}{known}"))
    }

    /// A pattern: `"sip:*"`, `"/^sip:/"`, `{ equals = "*" }`, `{ matches = "^sip:" }`.
    pub(super) fn pattern(&self, walk: &mut Walk<'_>) -> Option<Pattern> {
        let read = match self.value.get_ref() {
            DeValue::String(text) => Pattern::new(text),
            DeValue::Table(table) => {
                let mut pairs = table.iter();
                let text =
                    |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
                match (pairs.next(), pairs.next()) {
                    (Some((key, value)), None) => match (key.get_ref().as_ref(), text(value)) {
                        ("equals", Some(text)) => Pattern::equals(&text),
                        ("matches", Some(text)) => Pattern::matches(&text),
                        _ => Err(NO_PATTERN.to_owned()),
                    },
                    _ => Err(NO_PATTERN.to_owned()),
                }
            }
            DeValue::Integer(_) | DeValue::Float(_) => {
                let number = self.scalar().unwrap_or_default();
                Err(format!("a number is compared as a text; write {number:?}"))
            }
            _ => Err(NO_PATTERN.to_owned()),
        };
        self.or_told(walk, read)
    }

    /// The same for a URI as calls have it: with its scheme, without parameters and brackets.
    pub(super) fn uri(&self, walk: &mut Walk<'_>) -> Option<Wanted> {
        const WRONG: &str = "fits no URI; write it with its scheme and without < > and parameters: \
            \"sip:bob@example.org\", \"sip:bob@*\"";
        let text = self
            .value
            .get_ref()
            .as_str()
            .filter(|text| !text.starts_with('/'));
        let wrong = text.is_some_and(|text| {
            let scheme = text.contains(':') || text.contains('*');
            !scheme || text.contains(['<', '>', ';'])
        });
        if wrong {
            return self.or_say(walk, None, WRONG);
        }
        self.wanted(walk)
    }

    /// A pattern, or whether it has to be there at all.
    pub(super) fn wanted(&self, walk: &mut Walk<'_>) -> Option<Wanted> {
        match self.boolean() {
            Some(true) => Some(Wanted::Present),
            Some(false) => Some(Wanted::Absent),
            None => self.pattern(walk).map(Wanted::Like),
        }
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(super) fn is_empty_table(&self) -> bool {
        let table = self.value.get_ref().as_table();
        table.is_some_and(DeTable::is_empty)
    }

    pub(super) fn is_empty_list(&self) -> bool {
        let list = self.value.get_ref().as_array();
        list.is_some_and(|list| list.is_empty())
    }

    pub(super) fn list(&self, walk: &mut Walk<'_>) -> Option<Vec<Node<'a>>> {
        let key = self.key;
        let list = self.value.get_ref().as_array();
        let list = list.map(|list| list.iter().map(|value| Node { key, value }).collect());
        self.or_say(walk, list, "is no list in brackets")
    }

    /// One value, or a list of them.
    pub(super) fn any_of<T>(
        &self,
        walk: &mut Walk<'_>,
        read: impl Fn(&Node<'a>, &mut Walk<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        match self.is_list() {
            false => Some(vec![read(self, walk)?]),
            true => self
                .list(walk)?
                .iter()
                .map(|node| read(node, walk))
                .collect(),
        }
    }

    pub(super) fn table(&self, walk: &mut Walk<'_>, keys: &'static Keys) -> Option<Table<'a>> {
        let table = self.value.get_ref().as_table();
        let what = format!("is no table; write {}", keys.table);
        let table = self.or_say(walk, table, &what)?;
        Some(Table::new(walk, table, self.at(), keys))
    }

    /// The values of a table with any keys, as they stand in the file.
    pub(super) fn any_table(&self, walk: &mut Walk<'_>) -> Option<Vec<(&'a str, Node<'a>)>> {
        let table = self.value.get_ref().as_table();
        let table = self.or_say(walk, table, "is no table such as { Subject = \"*\" }")?;
        let table = Table {
            at: self.at(),
            name: "",
            table,
        };
        Some(table.in_order())
    }

    /// The tables of an array of tables, or one alone.
    pub(super) fn tables(&self, walk: &mut Walk<'_>) -> Vec<Node<'a>> {
        match self.value.get_ref() {
            DeValue::Table(_) => vec![*self],
            _ => self.list(walk).unwrap_or_default(),
        }
    }
}

const NO_PATTERN: &str = "write \"a text in which * stands for anything\", \"/a regular expression/\", \
    { equals = \"text\" } or { matches = \"expression\" }";

fn suggestion(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (distance(name, known), known));
    match near.min() {
        Some((far, near)) if far <= NEAR.min(near.len() / 2) => format!("; did you mean {near:?}?"),
        _ if known.len() <= 16 => format!("; there is {}", known.join(", ")),
        _ => String::new(),
    }
}
