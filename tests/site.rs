//! The reference as a site: what is written, and into which folders. tests/end-to-end/site.sh opens
//! it in a browser.

#![allow(clippy::unwrap_used, clippy::panic)]

mod harness;

use harness::{Ran, run};
use std::fs;
use std::path::PathBuf;

/// A path for a test, at which nothing is yet; removed at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let name = format!("sipexplain-site-{name}-{}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }

    fn site(&self, more: &[&str]) -> Ran {
        let folder = self.0.to_str().unwrap();
        run([&["site", folder], more].concat())
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.join(name)).ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_site_is_written_into_a_new_folder_and_over_an_earlier_one() {
    let place = Place::new("new");
    let ran = place.site(&[]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let page = place.0.join("index.html");
    assert_eq!(ran.out.trim_end(), page.to_str().unwrap());
    let first = place.read("lang/zh.js").unwrap();
    let index = String::from_utf8(place.read("index.html").unwrap()).unwrap();
    // All that the page asks for is in the folder.
    for part in index
        .split(['"', '\''])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
    {
        assert!(place.read(part).is_some(), "{part}");
    }
    fs::write(place.0.join("lang/zh.js"), "old").unwrap();
    fs::write(place.0.join("notes.txt"), "mine").unwrap();
    assert_eq!(place.site(&[]).status, 0);
    assert_eq!(place.read("lang/zh.js").unwrap(), first);
    assert_eq!(place.read("notes.txt").unwrap(), b"mine");
}

#[test]
fn a_folder_that_holds_something_else_is_refused_unless_forced() {
    let place = Place::new("other");
    fs::create_dir_all(&place.0).unwrap();
    fs::write(place.0.join("index.html"), "<title>mine</title>").unwrap();
    let ran = place.site(&[]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(
        ran.err
            .contains("the folder holds something else than an earlier site; --force"),
        "{}",
        ran.err
    );
    assert_eq!(place.read("index.html").unwrap(), b"<title>mine</title>");
    assert_eq!(place.site(&["--force"]).status, 0);
    assert!(place.read("site.js").is_some());
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let place = Place::new("file");
    fs::write(&place.0, "a file").unwrap();
    let ran = place.site(&[]);
    fs::remove_file(&place.0).unwrap();
    assert_eq!(ran.status, 2);
    assert!(
        ran.err.contains("sipexplain: site ") && ran.err.contains("sipexplain-site-file"),
        "{}",
        ran.err
    );
}
