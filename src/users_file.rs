//! Small files that users write: read within bounds, and told where in them something is wrong.

use std::io::Read;
use std::path::Path;

/// Larger ones are not read, bytes.
const LARGEST: u64 = 1 << 20;
/// Faults of a file that are told.
const MOST_FAULTS: usize = 20;

/// What is wrong with a file, and at which byte.
pub type Wrong = Vec<(usize, String)>;

/// The text of a file.
///
/// # Errors
/// Why it cannot be read, as a sentence without the name of the file.
pub fn bounded(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err("larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "no UTF-8 text".to_owned())
}

/// The line, from 1, in which the byte at this offset stands.
pub fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// What is wrong as `FILE:LINE: what`, one a line, in the order of the file.
pub fn with_lines(mut wrong: Wrong, file: &str, text: &str) -> String {
    wrong.sort();
    let more = wrong.len().saturating_sub(MOST_FAULTS);
    let told = wrong.iter().take(MOST_FAULTS);
    let told = told.map(|(at, what)| format!("{file}:{}: {what}", line_of(text, *at)));
    let mut told: Vec<String> = told.collect();
    if more > 0 {
        told.push(format!("{file}: {more} more faults"));
    }
    told.join("\n")
}
