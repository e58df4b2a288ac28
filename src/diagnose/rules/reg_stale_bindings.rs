//! R7: old addresses of one device stay registered beside the new one.

use super::super::address::is_private;
use super::super::finding::{Evidence, Template, deciding, sender};
use super::super::{
    Acts, Args, Confidence, Context, Findings, Frequency, Product, Role, Rule, Severity,
};
use crate::message::field::Field;
use crate::message::typed::{self, Binding};
use crate::message::uri::Uri;
use crate::message::{Method, lossy};
use crate::session::{Call, Outcome};
use std::net::IpAddr;

/// The rule.
pub static RULE: Rule = Rule {
    id: "reg-stale-bindings",
    severity: Severity::Warning,
    frequency: Frequency::Medium,
    needs: &[],
    rfc: &[(3261, "10.2.4"), (5626, "4.2")],
    title: "one device of {aor} is registered {count} times",
    why: "{element} lists {count} addresses of one and the same device for {aor} ({shared}): each time it registered it came with a new address and the old ones stayed, so calls are also sent to places where nobody answers",
    fix: "Let the registrar keep one binding for each device: by instance-id (RFC 5626), or by a limit of contacts that drops the oldest. In the device keep port and Call-ID across registrations and restarts, and sign off before the address changes.",
    sentences: &[
        ("listed", "{count} bindings of one device"),
        (
            "more",
            "one of {count} bindings of one device; not all are shown",
        ),
    ],
    settings: &[
        (
            Product::Asterisk,
            "On Asterisk PJSIP this is max_contacts with remove_existing=yes (or remove_unavailable=yes) of the aor.",
        ),
        (
            Product::Kamailio,
            "On Kamailio this is max_contacts of the module registrar, or save(\"location\", \"0x04\") for one contact only.",
        ),
        (
            Product::FreeSwitch,
            "On FreeSWITCH the profile parameter multiple-registrations decides whether several are kept.",
        ),
    ],
    check,
    ..Rule::PLAIN
};

/// Two may be the old and the new address in the moment of a change.
const ENOUGH: usize = 3;
/// Contacts that are shown.
const MOST_SHOWN: usize = 6;

fn check(call: &Call, _: &Context<'_>, found: &mut Findings) {
    if call.method != Method::Register || call.outcome != Outcome::Succeeded {
        return;
    }
    let Some((at, answer)) = deciding(call) else {
        return;
    };
    // Cheap: fewer commas and lines than bindings that would matter.
    let fields = call.fields(at);
    let values = fields.all(Field::Contact).map(|h| h.value.of(fields.raw));
    let most: usize = values
        .map(|value| 1 + memchr::memchr_iter(b',', value).count())
        .sum();
    if most < ENOUGH {
        return;
    }
    let listed = typed::bindings(answer.message());
    let Some((count, shared, confidence)) = same_device(&listed) else {
        return;
    };
    let (severity, role) = (Severity::Warning, Role::Contributing);
    let Some(finding) = found.add_with(severity, role, confidence, Acts::Registrar) else {
        return;
    };
    finding.element(sender(answer)).args(
        Args::new()
            .count("count", count)
            .text("shared", shared)
            .text("aor", call.to().unwrap_or_default()),
    );
    let all = || answer.message().all("Contact");
    let id = match all().nth(MOST_SHOWN) {
        Some(_) => "more",
        None => "listed",
    };
    let note = || Template::new(id, Args::new().count("count", count));
    let shown = all().take(MOST_SHOWN);
    finding.proofs(shown.map(|h| Some(Evidence::of_header(at, h, h.value, note()))));
}

// How many of the bindings are one device: the same instance and flow; or the same private address
// with another port each, which no second device has.
fn same_device(listed: &[Binding]) -> Option<(usize, String, Confidence)> {
    let live = || listed.iter().filter(|of| of.expires != Some(0));
    for of in live() {
        let Some(instance) = of.instance.as_deref() else {
            continue;
        };
        let same = |other: &&Binding| {
            other.instance.as_deref() == Some(instance) && other.reg_id == of.reg_id
        };
        let count = live().filter(same).count();
        if count >= ENOUGH {
            return Some((count, format!("instance {instance}"), Confidence::Certain));
        }
    }
    let place = |of: &Binding| {
        let uri = Uri::parse(of.uri.as_bytes())?;
        let ip = lossy(uri.host)
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .ok()?;
        is_private(ip).then(|| (lossy(uri.user), ip))
    };
    live().filter(|of| of.instance.is_none()).find_map(|of| {
        let (user, ip) = place(of)?;
        let same = |other: &&Binding| {
            other.instance.is_none() && place(other).is_some_and(|p| p == (user.clone(), ip))
        };
        let count = live().filter(same).count();
        (count >= ENOUGH).then(|| (count, format!("at {ip}"), Confidence::Likely))
    })
}
