//! Causes of Reason headers and codes of Warning headers: `causes.toml`, and what their pages say:
//! `cause_pages.toml`.

use super::file;
use serde::Deserialize;
use std::sync::LazyLock;

/// A cause of a Reason header or a code of a Warning header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// `Q.850`, `warning`, `STIR`, `RELEASE_CAUSE`, ...
    pub protocol: String,
    /// Number.
    pub code: u16,
    /// Name.
    pub name: String,
    /// What it points to; may be empty.
    #[serde(default)]
    pub hint: String,
    /// Response code that RFC 3398 §7.2.4.1 maps it to.
    #[serde(default)]
    pub sip: Option<u16>,
    /// RFC 3398 does not list it: the code is the one for all such causes.
    #[serde(default)]
    pub by_default: bool,
    /// Another response code, in a certain case.
    #[serde(default)]
    pub otherwise: Option<u16>,
    /// That case, to follow the code; where there is no code at all, what is sent instead.
    #[serde(default)]
    pub case: String,
    /// Response codes that RFC 3398 §8.2.6.1 maps to it.
    #[serde(default)]
    pub from: Vec<u16>,
    /// What else becomes the cause.
    #[serde(default)]
    pub from_else: String,
}

/// What the page of a cause says beyond its name.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What it says.
    pub meaning: String,
    /// When it is seen.
    pub when: String,
    /// Section of the overlays that translates `when`.
    pub when_in: String,
    /// What to do.
    pub fix: String,
    /// Section of the overlays that translates `fix`.
    pub fix_in: String,
    /// Where it is defined: RFC and section.
    pub rfc: Vec<(u32, String)>,
    /// Another document that defines it.
    pub document: String,
}

#[derive(Deserialize)]
struct Causes {
    cause: Vec<Cause>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfProtocol {
    #[serde(rename = "name")]
    _name: String,
    rfc: Vec<(u32, String)>,
    #[serde(default)]
    document: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfGroup {
    name: String,
    when: String,
    fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfCause {
    #[serde(rename = "of")]
    _of: String,
    #[serde(default)]
    group: String,
    meaning: String,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    fix: Option<String>,
    #[serde(default)]
    rfc: Option<Vec<(u32, String)>>,
}

#[derive(Deserialize)]
struct Pages {
    group: Vec<OfGroup>,
    #[cfg(test)]
    protocol: Vec<OfProtocol>,
    #[cfg(test)]
    page: Vec<OfCause>,
}

// Tests read the files; a broken one leaves its table empty.
static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
    let causes = toml::from_str::<Causes>(include_str!("causes.toml"));
    causes.map(|file| file.cause).unwrap_or_default()
});
const PAGES: &str = include_str!("cause_pages.toml");

impl Cause {
    /// Its name in the files and the overlays: `q850-21`.
    pub fn id(&self) -> String {
        let protocol = self.protocol.to_ascii_lowercase().replace('.', "");
        format!("{protocol}-{}", self.code)
    }

    /// Its section in the overlays.
    pub fn section(&self) -> String {
        format!("cause.{}", self.id())
    }

    /// What its page says; a text that it lacks is that of its group.
    pub fn page(&self) -> Page {
        let id = self.id();
        let protocol: Option<OfProtocol> =
            file::read(PAGES, "protocol", &format!("name = \"{}\"", self.protocol));
        let (rfc, document) = protocol.map(|p| (p.rfc, p.document)).unwrap_or_default();
        let Some(own) = file::read::<OfCause>(PAGES, "page", &format!("of = \"{id}\"")) else {
            return Page::default();
        };
        let group: Option<OfGroup> =
            file::read(PAGES, "group", &format!("name = \"{}\"", own.group));
        let of_group = format!("group.{}", own.group);
        let pick = |own: Option<String>, group: Option<String>| match own {
            Some(text) => (text, self.section()),
            None => (group.unwrap_or_default(), of_group.clone()),
        };
        let (when, when_in) = pick(own.when, group.as_ref().map(|g| g.when.clone()));
        let (fix, fix_in) = pick(own.fix, group.map(|g| g.fix));
        Page {
            meaning: own.meaning,
            when,
            when_in,
            fix,
            fix_in,
            rfc: own.rfc.unwrap_or(rfc),
            document,
        }
    }
}

/// A cause by protocol (in any case) and number.
pub fn cause(protocol: &str, number: u32) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| {
        cause.protocol.eq_ignore_ascii_case(protocol) && u32::from(cause.code) == number
    })
}

/// All causes of all protocols.
pub fn all_causes() -> &'static [Cause] {
    &CAUSES
}

/// All causes of a protocol.
pub fn causes(protocol: &str) -> impl Iterator<Item = &'static Cause> {
    CAUSES
        .iter()
        .filter(move |cause| cause.protocol.eq_ignore_ascii_case(protocol))
}

/// The Q.850 cause that a gateway makes of a failure (RFC 3398 §8.2.6.1): 31 where none is listed,
/// none of 487. Of 488 and 606 the Warning header decides, and 31 is the default.
pub fn cause_of(code: u16) -> Option<&'static Cause> {
    if !(400..700).contains(&code) || code == 487 {
        return None;
    }
    let listed = causes("Q.850").find(|cause| cause.from.contains(&code));
    listed.or_else(|| cause("Q.850", 31))
}

/// The texts that causes share, as section of the overlays, key and English text.
pub fn group_texts() -> Vec<(String, &'static str, String)> {
    let groups = toml::from_str::<Pages>(PAGES).map(|file| file.group);
    let mut all = Vec::new();
    for group in groups.unwrap_or_default() {
        let section = format!("group.{}", group.name);
        all.push((section.clone(), "when", group.when));
        all.push((section, "fix", group.fix));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_cause_has_a_page_and_every_page_a_cause() {
        toml::from_str::<Causes>(include_str!("causes.toml")).unwrap();
        let file = toml::from_str::<Pages>(PAGES).unwrap();
        let pages: BTreeSet<String> = file.page.iter().map(|page| page._of.clone()).collect();
        let causes: BTreeSet<String> = CAUSES.iter().map(Cause::id).collect();
        assert_eq!(pages, causes);
        let protocols: BTreeSet<&str> = file.protocol.iter().map(|p| p._name.as_str()).collect();
        let groups: BTreeSet<&str> = file.group.iter().map(|g| g.name.as_str()).collect();
        for cause in CAUSES.iter() {
            assert!(protocols.contains(cause.protocol.as_str()), "{cause:?}");
            let page = cause.page();
            for text in [&page.meaning, &page.when, &page.fix] {
                assert!(text.ends_with('.'), "{}: {text:?}", cause.id());
            }
        }
        let used: BTreeSet<&str> = file.page.iter().map(|p| p.group.as_str()).collect();
        assert!(used.iter().all(|g| g.is_empty() || groups.contains(g)));
        assert!(groups.iter().all(|g| used.contains(g)), "{groups:?}");
    }

    #[test]
    fn a_group_stands_in_for_what_a_cause_does_not_say() {
        let own = cause("q.850", 21).unwrap().page();
        assert_eq!(own.when_in, "cause.q850-21");
        let shared = cause("Q.850", 85).unwrap().page();
        assert_eq!(shared.when_in, "group.q850-invalid");
        assert!(shared.when.starts_with("When"));
    }

    #[test]
    fn failures_become_causes_as_rfc_3398_says() {
        let made = |code| cause_of(code).map(|cause| cause.code);
        assert_eq!(
            [404, 480, 503, 504, 607, 487, 200].map(made),
            [Some(1), Some(18), Some(41), Some(102), Some(31), None, None]
        );
    }
}
