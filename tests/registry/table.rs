//! Tables of tests/data.

use crate::harness::read;
use std::collections::BTreeMap;

/// A row: cells by the name of their column.
pub(crate) type Row = BTreeMap<String, String>;

/// The rows of a table (CSV) in tests/data.
pub(crate) fn table(name: &str) -> Vec<Row> {
    let text = read(&format!("tests/data/{name}.csv"));
    let mut lines = text.lines();
    let heads = split(lines.next().expect(name));
    let row = |line: &str| {
        let cells = split(line);
        assert_eq!(cells.len(), heads.len(), "{name}: {line}");
        heads.iter().cloned().zip(cells).collect()
    };
    let rows: Vec<Row> = lines.map(row).collect();
    assert!(!rows.is_empty(), "{name}");
    rows
}

/// Splits a line of CSV; a field in quotes may hold commas and doubled quotes.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}
