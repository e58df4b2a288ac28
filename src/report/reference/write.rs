//! Pages as text, Markdown and JSON.

use super::{Section, Sheet};
use crate::diagnose::Rule;
use crate::report::terminal::palette::Palette;
use crate::report::wrap;
use unicode_width::UnicodeWidthStr;

/// How pages are written.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// For a terminal of this width.
    Text(Palette, usize),
    /// Markdown.
    Markdown,
    /// One JSON array.
    Json,
}

/// Writes pages, one behind the other.
pub fn write(sheets: &[Sheet], style: Style) -> String {
    match style {
        Style::Text(palette, width) => {
            let pages: Vec<String> = sheets
                .iter()
                .map(|sheet| text(sheet, palette, width))
                .collect();
            pages.join("\n")
        }
        Style::Markdown => {
            let pages: Vec<String> = sheets.iter().map(markdown).collect();
            pages.join("\n")
        }
        Style::Json => serde_json::to_string_pretty(sheets).unwrap_or_default() + "\n",
    }
}

fn text(sheet: &Sheet, palette: Palette, width: usize) -> String {
    let mut out = format!("{}\n", palette.strong(&sheet.title));
    if !sheet.note.is_empty() {
        out += &format!("{}\n", sheet.note);
    }
    for section in &sheet.sections {
        out += &format!("\n{}\n", palette.strong(&section.heading));
        for paragraph in &section.text {
            out += &wrapped(paragraph, "  ", width);
        }
        out += &rows(section, palette, width);
    }
    out
}

fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let options = wrap::options(width.clamp(40, 100))
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false);
    textwrap::wrap(text, options)
        .iter()
        .fold(String::new(), |out, line| out + line.trim_end() + "\n")
}

// Names and what they mean where names are short; else each row below its name.
fn rows(section: &Section, palette: Palette, width: usize) -> String {
    let mut out = String::new();
    let names = section
        .rows
        .iter()
        .filter_map(|row| row.first())
        .map(|name| name.width())
        .max();
    let (names, width) = (names.unwrap_or(0), width.clamp(40, 100));
    for row in &section.rows {
        match row.as_slice() {
            [name, text]
                if names <= 24
                    && !matches!(section.id, "description" | "when" | "fix" | "trace") =>
            {
                let lead = format!(
                    "  {name}{}  ",
                    " ".repeat(names.saturating_sub(name.width()))
                );
                let body = wrapped(text, &" ".repeat(names + 4), width);
                out += &body.replacen(&" ".repeat(names + 4), &lead, 1);
            }
            [name, text] => {
                out += &format!("  {}\n", palette.strong(name));
                out += &wrapped(text, "    ", width);
            }
            [label, first, second] => out += &three(label, first, second, palette, width),
            _ => {}
        }
    }
    out
}

// Two columns below a label.
fn three(label: &str, first: &str, second: &str, palette: Palette, width: usize) -> String {
    let column = (width - 6) / 2;
    let fold = |text: &str| -> Vec<String> {
        let options = wrap::options(column - 2);
        textwrap::wrap(text, options)
            .into_iter()
            .map(std::borrow::Cow::into_owned)
            .collect()
    };
    let (left, right) = (fold(first), fold(second));
    let mut out = String::new();
    if !label.is_empty() {
        out += &format!("  {}\n", palette.faint(label));
    }
    for line in 0..left.len().max(right.len()) {
        let cell = |side: &[String]| side.get(line).cloned().unwrap_or_default();
        let (left, right) = (cell(&left), cell(&right));
        let gap = " ".repeat(column.saturating_sub(left.width()));
        let (left, right) = match label.is_empty() {
            true => (palette.strong(&left), palette.strong(&right)),
            false => (left, right),
        };
        out += format!("    {left}{gap}{right}").trim_end();
        out += "\n";
    }
    out
}

fn markdown(sheet: &Sheet) -> String {
    let mut out = format!("# {}\n\n", escaped(&sheet.title));
    if !sheet.note.is_empty() {
        out += &format!("{}\n\n", sheet.note);
    }
    for section in &sheet.sections {
        out += &format!("## {}\n\n", section.heading);
        for paragraph in &section.text {
            out += &format!("{}\n\n", escaped(paragraph));
        }
        for (index, row) in section.rows.iter().enumerate() {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| escaped(cell).replace('|', "\\|"))
                .collect();
            if index == 0 && cells.len() == 3 {
                out += &format!("| {} |\n|---|---|---|\n", cells.join(" | "));
                continue;
            }
            if index == 0 {
                out += "| | |\n|---|---|\n";
            }
            out += &format!("| {} |\n", cells.join(" | "));
        }
        if !section.rows.is_empty() {
            out += "\n";
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('<', "\\<")
        .replace('*', "\\*")
        .replace('_', "\\_")
}

/// A line a rule: id, severity, frequency, title.
pub fn list(rows: &[[String; 4]], rules: &[&Rule], style: Style) -> String {
    let widest = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    };
    let widths = [widest(0), widest(1), widest(2)];
    match style {
        Style::Json => {
            let objects = rows.iter().map(|[id, severity, frequency, title]| {
                serde_json::json!({ "id": id, "severity": severity, "frequency": frequency, "title": title })
            });
            let all: Vec<_> = objects.collect();
            serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
        }
        Style::Markdown => {
            let head = "| rule | severity | frequency | title |\n|---|---|---|---|\n".to_owned();
            let lines = rows
                .iter()
                .map(|row| format!("| {} |\n", row.each_ref().map(|c| escaped(c)).join(" | ")));
            head + &lines.collect::<String>()
        }
        Style::Text(palette, _) => {
            let lines = rows.iter().zip(rules).map(|(row, rule)| {
                let pad =
                    |column: usize| " ".repeat(widths[column].saturating_sub(row[column].width()));
                let severity = palette.severity(rule.severity, &row[1]);
                let line = format!(
                    "{}{}  {severity}{}  {}{}  {}",
                    row[0],
                    pad(0),
                    pad(1),
                    row[2],
                    pad(2),
                    row[3]
                );
                line.trim_end().to_owned() + "\n"
            });
            lines.collect()
        }
    }
}
