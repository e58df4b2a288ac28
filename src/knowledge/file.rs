//! Tables in files, read entry by entry: whoever looks one up does not pay for all of them.

use serde::de::DeserializeOwned;

/// The part of a TOML text that begins with the line or lines `head` and goes to the next header which
/// is not one of `inside`: a table with its subtables. Headers begin a line.
pub(crate) fn part<'a>(text: &'a str, head: &str, inside: &str) -> Option<&'a str> {
    let from = match text.starts_with(head) {
        true => 0,
        false => memchr::memmem::find(text.as_bytes(), format!("\n{head}").as_bytes())? + 1,
    };
    let rest = text.get(from..)?;
    let next = memchr::memmem::find_iter(rest.as_bytes(), "\n[").find(|at| {
        !rest
            .get(at + 1..)
            .is_some_and(|line| line.starts_with(inside))
    });
    rest.get(..next.map_or(rest.len(), |at| at + 1))
}

// The entry of an array of tables whose first line is `key`, such as `code = 607`.
fn entry<'a>(text: &'a str, array: &str, key: &str) -> Option<&'a str> {
    part(
        text,
        &format!("[[{array}]]\n{key}\n"),
        &format!("[[{array}."),
    )
}

/// Reads that entry.
pub(super) fn read<T: DeserializeOwned>(text: &str, array: &str, key: &str) -> Option<T> {
    let table: toml::Table = entry(text, array, key)?.parse().ok()?;
    let toml::Value::Array(mut entries) = table.get(array)?.clone() else {
        return None;
    };
    entries.pop()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_where_the_next_one_begins() {
        let text = "[[code]]\ncode = 1\na = \"x\"\n\n[[code.by]]\nb = 2\n\n[[code]]\ncode = 12\n[[other]]\nc = 3\n";
        assert_eq!(
            entry(text, "code", "code = 1"),
            Some("[[code]]\ncode = 1\na = \"x\"\n\n[[code.by]]\nb = 2\n\n")
        );
        assert_eq!(
            entry(text, "code", "code = 12"),
            Some("[[code]]\ncode = 12\n")
        );
        assert_eq!(entry(text, "code", "code = 2"), None);
        let read: toml::Table = read(text, "code", "code = 12").unwrap();
        assert_eq!(read.len(), 1);
    }
}
