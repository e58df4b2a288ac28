//! Overlay files: one TOML file a language, read section by section, so that a look-up of one code
//! does not pay for all of them.

use crate::knowledge::file;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// An overlay file.
#[derive(Debug)]
pub(super) struct Overlay {
    text: &'static str,
    read: Mutex<HashMap<String, Arc<toml::Table>>>,
}

impl Overlay {
    /// The overlay in this text.
    pub(super) fn new(text: &'static str) -> Overlay {
        Overlay {
            text,
            read: Mutex::default(),
        }
    }

    /// The whole file.
    pub(super) fn file(&self) -> &'static str {
        self.text
    }

    /// The text under a section such as `code.607` and a key in it such as `meaning` or
    /// `method.MESSAGE.fix`.
    pub(super) fn get(&self, section: &str, key: &[&str]) -> Option<String> {
        let table = self.section(section);
        let (last, path) = key.split_last()?;
        let mut inner: &toml::Table = &table;
        for name in path {
            inner = inner.get(*name)?.as_table()?;
        }
        inner.get(*last)?.as_str().map(str::to_owned)
    }

    fn section(&self, name: &str) -> Arc<toml::Table> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(name) {
            return Arc::clone(known);
        }
        let table = Arc::new(parse(self.text, name).unwrap_or_default());
        read.insert(name.to_owned(), Arc::clone(&table));
        table
    }
}

// The lines of the section and of its subsections stand together.
fn parse(text: &str, name: &str) -> Option<toml::Table> {
    let part = file::part(text, &format!("[{name}]\n"), &format!("[{name}."))?;
    let mut table = part.parse::<toml::Table>().ok()?;
    for part in name.split('.') {
        match table.remove(part.trim_matches('"'))? {
            toml::Value::Table(inner) => table = inner,
            _ => return None,
        }
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_with_its_subsections_and_nothing_else() {
        let overlay = Overlay::new(
            "[label]\nx = \"y\"\n\n[code.607]\nmeaning = \"m\"\n[code.607.method.MESSAGE]\nfix = \"f\"\n[code.6070]\nmeaning = \"other\"\n[rule.a]\nbroken = ",
        );
        let get = |section: &str, key: &[&str]| overlay.get(section, key);
        assert_eq!(get("code.607", &["meaning"]).as_deref(), Some("m"));
        assert_eq!(
            get("code.607", &["method", "MESSAGE", "fix"]).as_deref(),
            Some("f")
        );
        assert_eq!(get("code.6070", &["meaning"]).as_deref(), Some("other"));
        assert_eq!(get("label", &["x"]).as_deref(), Some("y"));
        assert_eq!(get("rule.a", &["broken"]), None);
        assert_eq!(get("code.60", &["meaning"]), None);
    }
}
