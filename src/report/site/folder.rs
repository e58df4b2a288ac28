//! The folder that a site is written into.

use super::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The page that a browser opens.
pub(super) const PAGE: &str = "index.html";

// Stands in the page of every site that this program has written.
const OURS: &str = "<meta name=\"generator\" content=\"sipexplain ";

/// Why no site was written.
#[derive(Debug)]
pub enum Refused {
    /// The folder holds something else.
    NotOurs,
    /// A file could not be written or looked at.
    Failed(PathBuf, io::Error),
}

/// Writes the site into a folder, which is made where it does not exist, and says where its first
/// page is. Unless `force`d, the folder must be empty or hold an earlier site.
///
/// # Errors
/// [`Refused`]
pub fn write(folder: &Path, force: bool) -> Result<PathBuf, Refused> {
    if !force && !may_be_written(folder)? {
        return Err(Refused::NotOurs);
    }
    for file in files() {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| Refused::Failed(parent.to_owned(), error))?;
        fs::write(&path, file.text).map_err(|error| Refused::Failed(path, error))?;
    }
    Ok(folder.join(PAGE))
}

fn may_be_written(folder: &Path) -> Result<bool, Refused> {
    let failed = |error| Refused::Failed(folder.to_owned(), error);
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed(error)),
    };
    if entries.next().is_none() {
        return Ok(true);
    }
    match fs::read(folder.join(PAGE)) {
        Ok(page) => Ok(memchr::memmem::find(&page, OURS.as_bytes()).is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_may_be_written_if_it_is_new_or_empty_or_a_site_of_ours() {
        let name = format!("sipexplain-folder-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let may = || may_be_written(&folder).unwrap();
        assert!(may());
        fs::create_dir_all(&folder).unwrap();
        assert!(may());
        fs::write(folder.join("style.css"), "").unwrap();
        assert!(!may());
        fs::write(
            folder.join(PAGE),
            "<meta name=\"generator\" content=\"other\">",
        )
        .unwrap();
        assert!(!may());
        fs::write(folder.join(PAGE), super::super::page().text).unwrap();
        assert!(may());
        fs::remove_dir_all(&folder).unwrap();
    }
}
