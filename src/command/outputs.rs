//! Which reports are written, and where to.

use crate::cli::Further;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A report that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    /// Name of its format.
    pub(super) format: &'a str,
    /// The file; none: standard output.
    pub(super) path: Option<&'a Path>,
}

/// What is written, standard output first; `--output FORMAT=-` takes the place of `--format`.
///
/// # Errors
/// Two reports that would go to one place.
pub(super) fn outputs<'a>(
    format: Option<&'a str>,
    further: &'a [Further],
) -> Result<Vec<Output<'a>>, String> {
    let is_stdout = |further: &&Further| further.is_stdout();
    let mut on_stdout = further.iter().filter(is_stdout);
    let (first, second) = (on_stdout.next(), on_stdout.next());
    let twice = match (format, first, second) {
        (Some(asked), Some(first), _) => Some((asked, first.format)),
        (None, Some(first), Some(second)) => Some((first.format, second.format)),
        _ => None,
    };
    if let Some((one, other)) = twice {
        return Err(format!(
            "--output: both {one} and {other} would go to standard output"
        ));
    }
    let standard = first.map_or(format.unwrap_or("text"), |first| first.format);
    let mut all = vec![Output {
        format: standard,
        path: None,
    }];
    for one in further.iter().filter(|further| !is_stdout(further)) {
        let (format, path) = (one.format, Some(one.path.as_path()));
        if all.iter().any(|other| other.path == path) {
            return Err(format!("--output {format}: two reports in one file"));
        }
        all.push(Output { format, path });
    }
    Ok(all)
}

impl Output<'_> {
    /// Opens where it goes; none of `inputs` is written over.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(super) fn open(&self, inputs: &[PathBuf]) -> Result<Box<dyn Write>, String> {
        let Some(path) = self.path else {
            return Ok(Box::new(std::io::stdout()));
        };
        let wrong = |why: &str| format!("--output {}={}: {why}", self.format, path.display());
        if inputs.iter().any(|input| is_same(input, path)) {
            return Err(wrong("this is an input"));
        }
        let file = std::fs::File::create(path).map_err(|error| wrong(&error.to_string()))?;
        Ok(Box::new(file))
    }
}

// Two names of one file, also where it has several of its own (hard links).
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    let identity = |path: &Path| {
        use std::os::unix::fs::MetadataExt;
        let known = std::fs::metadata(path).ok()?;
        Some((known.dev(), known.ino()))
    };
    #[cfg(not(unix))]
    let identity = |path: &Path| std::fs::canonicalize(path).ok();
    let own = identity(other);
    own.is_some() && identity(one) == own
}
