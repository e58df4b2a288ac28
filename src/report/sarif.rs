//! `--format sarif`: SARIF 2.1.0 (OASIS). Results are written as they become known; the rules that
//! were met, the inputs and how the run went follow them, for the order of members is free in JSON.

use super::issue::{self, Issue, Place};
use super::reference::{self, Style, rule::placeholders};
use super::{Options, Prove, Report, Run, Sink, sink};
use crate::diagnose::{Diagnosis, Rule, Severity};
use crate::session::Call;
use serde_json::{Value, json};
use std::io::{self, Write};

const HEAD: &str = concat!(
    "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\n",
    "\"version\":\"2.1.0\",\n\"runs\":[{\"results\":["
);

/// Begins a report.
pub fn begin(to: Box<dyn Write>, options: Options) -> Box<dyn Report> {
    Box::new(Sarif {
        out: sink(to),
        options,
        any: false,
        rules: Vec::new(),
    })
}

struct Sarif {
    out: Sink,
    options: Options,
    any: bool,
    /// The rules met, in that order; none stands for failures that no rule explains.
    rules: Vec<Option<&'static Rule>>,
}

impl Report for Sarif {
    fn call(&mut self, call: &Call, diagnosis: &Diagnosis, prove: Prove<'_>) -> io::Result<()> {
        let issues = issue::of_judged(call, diagnosis, prove, &self.options);
        issues.iter().try_for_each(|issue| self.result(issue))
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        for issue in issue::at_the_end(run, &self.options) {
            self.result(&issue)?;
        }
        self.begin()?;
        let rules: Vec<Value> = self.rules.iter().map(|rule| self.rule(*rule)).collect();
        let driver = json!({
            "name": "sipexplain",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        });
        let inputs = run.inputs.iter().map(|read| {
            json!({ "location": { "uri": uri(&read.summary.path) }, "roles": ["analysisTarget"] })
        });
        let unread = run
            .inputs
            .iter()
            .filter_map(|read| read.summary.error.as_ref());
        let unread: Vec<Value> = unread
            .map(|error| {
                json!({
                    "level": "error",
                    "message": { "text": message(&error.to_string()) },
                    "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&error.path) } } }],
                })
            })
            .collect();
        let members = [
            ("tool", json!({ "driver": driver })),
            ("artifacts", inputs.collect()),
            (
                "invocations",
                json!([{ "executionSuccessful": unread.is_empty(), "toolExecutionNotifications": unread }]),
            ),
            ("columnKind", json!("unicodeCodePoints")),
            ("language", json!(self.options.lang.tag)),
        ];
        self.out.write_all(b"]")?;
        for (name, value) in members {
            write!(self.out, ",\n\"{name}\":")?;
            serde_json::to_writer(&mut self.out, &value).map_err(io::Error::from)?;
        }
        self.out.write_all(b"}]}\n")?;
        self.out.flush()
    }
}

impl Sarif {
    fn begin(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.any, true) {
            true => Ok(()),
            false => self.out.write_all(HEAD.as_bytes()),
        }
    }

    fn result(&mut self, issue: &Issue) -> io::Result<()> {
        let known = self
            .rules
            .iter()
            .position(|rule| rule.map(|r| r.id) == issue.rule.map(|r| r.id));
        let index = known.unwrap_or_else(|| {
            self.rules.push(issue.rule);
            self.rules.len() - 1
        });
        let object = result(issue, index, &self.options);
        let before = if self.any { ",\n" } else { "\n" };
        self.begin()?;
        self.out.write_all(before.as_bytes())?;
        serde_json::to_writer(&mut self.out, &object).map_err(io::Error::from)
    }

    fn rule(&self, rule: Option<&'static Rule>) -> Value {
        let lang = self.options.lang;
        let Some(rule) = rule else {
            let title = message(&lang.word("a failure that no rule explains"));
            return json!({
                "id": issue::UNDETERMINED,
                "shortDescription": { "text": title },
                "help": { "text": title },
                "defaultConfiguration": { "level": "error" },
            });
        };
        let text = |id: &str| message(&placeholders(&lang.rule_text(rule, id)));
        let sheet = [reference::rule(rule, lang)];
        let mut object = json!({
            "id": rule.id,
            "shortDescription": { "text": text("title") },
            "fullDescription": { "text": text("why") },
            "help": {
                "text": text("fix"),
                "markdown": braces(&reference::write(&sheet, Style::Markdown)),
            },
            "defaultConfiguration": { "level": level(rule.severity) },
            "properties": { "tags": ["sip"], "frequency": rule.frequency.word() },
        });
        if let Some(rfc) = rule.documents().next() {
            object["helpUri"] = document(rfc.number, &rfc.section).into();
        }
        object
    }
}

fn document(number: u32, section: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let place = match section.chars().all(plain) && !section.is_empty() {
        true => format!("#section-{section}"),
        false => String::new(),
    };
    format!("https://www.rfc-editor.org/rfc/rfc{number}{place}")
}

fn result(issue: &Issue, index: usize, options: &Options) -> Value {
    let parts = [&issue.title, &issue.about, &issue.why, &issue.fix];
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let mut object = json!({
        "ruleId": issue.id(),
        "ruleIndex": index,
        "level": level(issue.severity),
        "message": { "text": message(&parts.join("\n")) },
        "partialFingerprints": { "sipexplain/v1": issue.fingerprint },
    });
    let mut places = issue.places.iter().map(|place| location(place, options));
    object["locations"] = places.next().into_iter().collect();
    let further: Vec<Value> = places.collect();
    if !further.is_empty() {
        object["relatedLocations"] = further.into();
    }
    if let Some((id, call_id)) = &issue.call {
        object["properties"]["call"] = (*id).into();
        object["properties"]["callId"] = call_id.as_str().into();
    }
    if let Some((confidence, role)) = issue.sure {
        object["properties"]["confidence"] = confidence.into();
        object["properties"]["role"] = role.into();
    }
    if let Some(acts) = issue.acts {
        object["properties"]["acts"] = acts.word().into();
    }
    object
}

// A capture has no lines: its frame is a logical location.
fn location(place: &Place, options: &Options) -> Value {
    let mut physical = json!({
        "artifactLocation": { "uri": uri(&place.path), "index": place.input },
    });
    if let Some((first, last)) = place.lines {
        physical["region"] = json!({ "startLine": first, "endLine": last });
    }
    let mut object = json!({ "physicalLocation": physical });
    if !place.note.is_empty() {
        object["message"] = json!({ "text": message(&place.note) });
    }
    if let Some(frame) = place.frame {
        object["logicalLocations"] = json!([{
            "name": place.spot(options),
            "fullyQualifiedName": format!("{}#{frame}", place.path),
            "kind": "frame",
        }]);
    }
    object
}

fn level(of: Severity) -> &'static str {
    match of {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Text as a message string: braces would be placeholders (§3.11.5), brackets links (§3.11.6).
fn message(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('[', "\\[");
    braces(&text.replace(']', "\\]"))
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A path as a URI reference (RFC 3986): relative as it was named, `file:` where it begins at the root.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_links_and_no_placeholders() {
        assert_eq!(
            message("[x](http://a) {0} \\"),
            "\\[x\\](http://a) {{0}} \\\\"
        );
    }

    #[test]
    fn paths_are_uri_references() {
        assert_eq!(uri("a b/c:d%.pcap"), "a%20b/c%3Ad%25.pcap");
        assert_eq!(uri("/tmp/é"), "file:///tmp/%C3%A9");
    }

    #[test]
    fn a_section_is_an_anchor_where_it_can_be() {
        assert!(document(3261, "21.4.1").ends_with("/rfc3261#section-21.4.1"));
        assert!(document(3261, "").ends_with("/rfc3261"));
    }
}
