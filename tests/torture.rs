//! The messages of RFC 4475 and RFC 5118, where they stand beside the captures of others: which flaws
//! of the grammar are seen in those that are invalid, and that none is seen in those that are valid.
//! Without `SIPEXPLAIN_CORPUS` they are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use sipexplain::message::{Flaw, Head};
use std::path::PathBuf;

/// Of RFC 4475 §3.1.1 and RFC 5118, which "must be accepted".
const VALID: [&str; 24] = [
    "rfc4475/wsinv",
    "rfc4475/intmeth",
    "rfc4475/esc01",
    "rfc4475/escnull",
    "rfc4475/esc02",
    "rfc4475/lwsdisp",
    "rfc4475/longreq",
    "rfc4475/dblreq",
    "rfc4475/semiuri",
    "rfc4475/transports",
    "rfc4475/mpart01",
    "rfc4475/unreason",
    "rfc4475/noreason",
    "rfc4475/unksm2",
    "rfc4475/regescrt",
    "rfc4475/cparam01",
    "rfc4475/cparam02",
    "rfc4475/bext01",
    "rfc5118/ipv6-good",
    "rfc5118/port-unambiguous",
    "rfc5118/via-received-param-no-delim",
    "rfc5118/ipv6-in-sdp",
    "rfc5118/mult-ip-in-header",
    "rfc5118/via-received-param-with-delim",
];

/// Of RFC 4475 §3.1.2 and later, and what is wrong with them.
const INVALID: [(&str, Flaw); 16] = [
    ("rfc4475/badaspec", Flaw::BadUri),
    ("rfc4475/baddn", Flaw::BadUri),
    ("rfc4475/badbranch", Flaw::CookieOnly),
    ("rfc4475/baddate", Flaw::BadNumber),
    ("rfc4475/insuf", Flaw::MandatoryMissing),
    ("rfc4475/inv2543", Flaw::NoMaxForwards),
    ("rfc4475/ltgtruri", Flaw::BadUri),
    ("rfc4475/mcl01", Flaw::Repeated),
    ("rfc4475/mismatch01", Flaw::CseqMethod),
    ("rfc4475/mismatch02", Flaw::CseqMethod),
    ("rfc4475/multi01", Flaw::Repeated),
    ("rfc4475/ncl", Flaw::BadContentLength),
    ("rfc4475/quotbal", Flaw::BadUri),
    ("rfc4475/regbadct", Flaw::BadUri),
    ("rfc4475/scalar02", Flaw::BadMaxForwards),
    ("rfc5118/ipv6-bad", Flaw::BadUri),
];

// Not the line ends: the messages of RFC 5118 are as printed.
const GRAMMAR: [Flaw; 15] = [
    Flaw::BrokenHeaderLine,
    Flaw::BadContentLength,
    Flaw::MandatoryMissing,
    Flaw::BadCseq,
    Flaw::CseqMethod,
    Flaw::CseqTooLarge,
    Flaw::CookieOnly,
    Flaw::NoMaxForwards,
    Flaw::BadMaxForwards,
    Flaw::Repeated,
    Flaw::TwoTags,
    Flaw::BadUri,
    Flaw::BadMultipart,
    Flaw::BadNumber,
    Flaw::Unmet,
];

fn read(folder: &std::path::Path, name: &str) -> Option<Head> {
    // Those of RFC 4475 have an ending.
    let ended = std::fs::read(folder.join(format!("{name}.dat")));
    let raw = ended.or_else(|_| std::fs::read(folder.join(name))).ok()?;
    Head::read(&raw)
}

#[test]
fn the_torture_messages_have_the_flaws_that_their_documents_tell() {
    let corpus = std::env::var_os("SIPEXPLAIN_CORPUS").map(PathBuf::from);
    let folder = corpus.and_then(|corpus| Some(corpus.parent()?.join("torture")));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: no torture messages beside SIPEXPLAIN_CORPUS");
        return;
    };
    let mut wrong = Vec::new();
    for name in VALID {
        let head = read(&folder, name).expect(name);
        let seen: Vec<Flaw> = GRAMMAR
            .into_iter()
            .filter(|flaw| head.flaws.has(*flaw))
            .collect();
        if !seen.is_empty() {
            wrong.push(format!("{name} is valid, and {seen:?} is seen"));
        }
    }
    for (name, flaw) in INVALID {
        if !read(&folder, name).expect(name).flaws.has(flaw) {
            wrong.push(format!("{name}: no {flaw:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
