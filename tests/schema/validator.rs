//! A validator for the part of JSON Schema (2020-12) that docs/report.schema.json uses.

use serde_json::{Map, Value, json};

/// A schema document.
pub(crate) struct Schema(Value);

const KEYWORDS: [&str; 16] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "description",
    "enum",
    "items",
    "maxItems",
    "minItems",
    "minimum",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "type",
    // Of the document alone.
    "title",
    "$defs",
];

impl Schema {
    pub(crate) fn new(document: Value) -> Schema {
        Schema(document)
    }

    pub(crate) fn root(&self) -> &Value {
        &self.0
    }

    /// Behind `$ref`; keywords beside it stay with the one who asks.
    pub(crate) fn referred<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return schema;
        };
        let pointer = reference.strip_prefix('#').expect("a local reference");
        self.0
            .pointer(pointer)
            .unwrap_or_else(|| panic!("nothing at {reference}"))
    }

    pub(crate) fn unknown_keywords(&self) -> Vec<String> {
        let mut unknown = Vec::new();
        let mut open = vec![(String::new(), &self.0)];
        while let Some((path, schema)) = open.pop() {
            let Some(object) = schema.as_object() else {
                unknown.push(format!("{path} is no schema"));
                continue;
            };
            for (key, value) in object {
                let path = format!("{path}/{key}");
                match key.as_str() {
                    "$schema" | "$id" => {}
                    "properties" | "$defs" => {
                        let all = value.as_object().into_iter().flatten();
                        open.extend(all.map(|(name, inner)| (format!("{path}/{name}"), inner)));
                    }
                    "items" | "additionalProperties" | "propertyNames" => open.push((path, value)),
                    "anyOf" => open.extend(
                        value
                            .as_array()
                            .into_iter()
                            .flatten()
                            .map(|s| (path.clone(), s)),
                    ),
                    known if KEYWORDS.contains(&known) => {}
                    _ => unknown.push(path),
                }
            }
        }
        unknown
    }
}

/// What is wrong with a document; empty: it is valid.
pub(crate) fn validate(schema: &Schema, document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(schema, schema.root(), document, "$", &mut wrong);
    wrong
}

fn check(all: &Schema, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    if *schema == Value::Bool(false) {
        wrong.push(format!("{path}: is not allowed"));
    }
    if schema.get("$ref").is_some() {
        check(all, all.referred(schema), value, path, wrong);
    }
    let mut require = |fits: bool, what: &str, wanted: &Value| {
        if !fits {
            wrong.push(format!("{path}: {value} is not of {what} {wanted}"));
        }
    };
    if let Some(types) = schema.get("type") {
        let fits = match types {
            Value::Array(types) => types.iter().any(|name| is_of(name, value)),
            name => is_of(name, value),
        };
        require(fits, "type", types);
    }
    if let Some(allowed) = schema.get("enum") {
        require(allowed.as_array().unwrap().contains(value), "enum", allowed);
    }
    if let (Some(least), Some(number)) = (schema.get("minimum"), value.as_i64()) {
        require(number >= least.as_i64().unwrap(), "minimum", least);
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern"), value.as_str()) {
        require(matches(pattern.as_str().unwrap(), text), "pattern", pattern);
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let fits = |one: &Value| {
            let mut inner = Vec::new();
            check(all, one, value, path, &mut inner);
            inner.is_empty()
        };
        require(any.iter().any(fits), "anyOf", &json!(any));
    }
    match value {
        Value::Array(items) => {
            let count = items.len() as u64;
            let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
            if limit("minItems").is_some_and(|least| count < least)
                || limit("maxItems").is_some_and(|most| count > most)
            {
                wrong.push(format!("{path}: {count} items"));
            }
            if let Some(of) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    check(all, of, item, &format!("{path}[{index}]"), wrong);
                }
            }
        }
        Value::Object(object) => check_object(all, schema, object, path, wrong),
        _ => {}
    }
}

fn check_object(
    all: &Schema,
    schema: &Value,
    object: &Map<String, Value>,
    path: &str,
    wrong: &mut Vec<String>,
) {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{path}: {name} is missing"));
        }
    }
    for (name, value) in object {
        let path = format!("{path}.{name}");
        if let Some(names) = schema.get("propertyNames") {
            check(all, names, &json!(name), &path, wrong);
        }
        let known = schema.get("properties").and_then(|all| all.get(name));
        if let Some(of) = known.or(schema.get("additionalProperties")) {
            check(all, of, value, &path, wrong);
        }
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("unknown type {other}"),
    }
}

/// Does the whole text fit an anchored pattern of literals, classes, groups, `|`, `?`, `*`, `+`
/// and `{n}`, `{n,m}`, `{n,}`?
fn matches(pattern: &str, text: &str) -> bool {
    let inner = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'))
        .unwrap_or_else(|| panic!("{pattern} is not anchored at both ends"));
    let (pattern, text): (Vec<char>, Vec<char>) = (inner.chars().collect(), text.chars().collect());
    ends(&pattern, &text, 0).contains(&text.len())
}

/// Where a match that starts here may end.
fn ends(pattern: &[char], text: &[char], at: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for branch in branches(pattern) {
        let mut places = vec![at];
        let mut rest = branch;
        while !rest.is_empty() {
            let atom = atom_length(rest);
            let (least, most, used) = repetition(&rest[atom..]);
            let mut reached: Vec<usize> = if least == 0 { places.clone() } else { vec![] };
            let mut current = places;
            for round in 1..=most {
                let mut next: Vec<usize> = current
                    .iter()
                    .flat_map(|place| one(&rest[..atom], text, *place))
                    .collect();
                next.sort_unstable();
                next.dedup();
                next.retain(|place| !(round > least && reached.contains(place)));
                if next.is_empty() {
                    break;
                }
                if round >= least {
                    reached.extend(&next);
                }
                current = next;
            }
            places = reached;
            rest = &rest[atom + used..];
        }
        found.extend(places);
    }
    found
}

fn one(atom: &[char], text: &[char], at: usize) -> Vec<usize> {
    if atom[0] == '(' {
        return ends(&atom[1..atom.len() - 1], text, at);
    }
    let fits = text.get(at).is_some_and(|c| match atom {
        ['.'] => true,
        ['\\', literal] => c == literal,
        ['[', class @ .., ']'] => in_class(class, *c),
        [literal] => c == literal,
        _ => panic!("unknown atom {atom:?}"),
    });
    if fits { vec![at + 1] } else { vec![] }
}

fn in_class(class: &[char], c: char) -> bool {
    let mut rest = class;
    loop {
        rest = match rest {
            [] => return false,
            [from, '-', to, tail @ ..] => {
                if (*from..=*to).contains(&c) {
                    return true;
                }
                tail
            }
            [single, tail @ ..] => {
                if *single == c {
                    return true;
                }
                tail
            }
        }
    }
}

fn branches(pattern: &[char]) -> Vec<&[char]> {
    let (mut depth, mut start, mut all, mut at) = (0, 0, Vec::new(), 0);
    while at < pattern.len() {
        match pattern[at] {
            '\\' => at += 1,
            '[' => at += pattern[at..].iter().position(|c| *c == ']').unwrap(),
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => {
                all.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    all.push(&pattern[start..]);
    all
}

fn atom_length(pattern: &[char]) -> usize {
    match pattern[0] {
        '\\' => 2,
        // The classes in use hold `\[` or `]` nowhere.
        '[' => pattern.iter().position(|c| *c == ']').unwrap() + 1,
        '(' => {
            let (mut depth, mut at) = (0, 0);
            loop {
                match pattern[at] {
                    '\\' => at += 1,
                    '[' => at += pattern[at..].iter().position(|c| *c == ']').unwrap(),
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
        }
        _ => 1,
    }
}

/// Least, most, and how many characters say so.
fn repetition(rest: &[char]) -> (usize, usize, usize) {
    match rest.first() {
        Some('?') => (0, 1, 1),
        Some('*') => (0, usize::MAX, 1),
        Some('+') => (1, usize::MAX, 1),
        Some('{') => {
            let end = rest.iter().position(|c| *c == '}').unwrap();
            let inside: String = rest[1..end].iter().collect();
            let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
            let most = if most.is_empty() {
                usize::MAX
            } else {
                most.parse().unwrap()
            };
            (least.parse().unwrap(), most, end + 1)
        }
        _ => (1, 1, 0),
    }
}

#[test]
fn patterns_match_as_they_should() {
    for (pattern, fits, does_not) in [
        ("^[a-z0-9]+(-[a-z0-9]+)*$", "2xx-not-acked", "2xx--acked"),
        ("^[a-z0-9]+(-[a-z0-9]+)*$", "busy", "Busy"),
        ("^[1-9][0-9]{2,4}(/.+)?$", "603/Network Blocked", "603/"),
        ("^[1-9][0-9]{2,4}(/.+)?$", "607", "60"),
        (
            "^([0-9.]+|\\[[0-9A-Fa-f:.%]+\\]):[0-9]{1,5}$",
            "[2001:db8::1]:5060",
            "2001:db8::1:5060",
        ),
        (
            "^([0-9.]+|\\[[0-9A-Fa-f:.%]+\\]):[0-9]{1,5}$",
            "192.0.2.1:5060",
            "192.0.2.1",
        ),
        ("^-?[0-9]{4,}\\.[0-9]{2}$", "-12345.00", "123.00"),
    ] {
        assert!(matches(pattern, fits), "{pattern} {fits}");
        assert!(!matches(pattern, does_not), "{pattern} {does_not}");
    }
}

#[test]
fn a_wrong_document_is_rejected() {
    let schema = super::schema();
    let right =
        super::harness::run(["--format", "json", "fixtures/unwanted-607/trace.pcap"]).json();
    assert_eq!(validate(&schema, &right), Vec::<String>::new());
    let cases: [(&str, Value); 27] = [
        ("/schema", json!("sipexplain/2")),
        ("/calls", json!({})),
        ("/calls/0/id", json!("1")),
        ("/calls/0/id", json!(0)),
        ("/calls/0/id", json!(1.5)),
        ("/calls/0/call_ids", json!([1])),
        ("/calls/0/joins", json!([{ "call_id": "a", "by": "b" }])),
        ("/calls/0/start", json!("2026-11-21 01:56:14")),
        ("/calls/0/outcome", json!("exploded")),
        ("/calls/0/outcome", Value::Null),
        ("/calls/0/decided_by", json!(-1)),
        ("/calls/0/undetermined", json!({ "why": "so" })),
        ("/calls/0/blame", json!("you")),
        ("/calls/0/final_responses/0/code", json!(180)),
        (
            "/calls/0/final_responses/0/transport",
            json!("carrier pigeon"),
        ),
        ("/calls/0/final_responses/0/source", json!("192.0.2.1")),
        ("/calls/0/final_responses/0/step", json!("backwards")),
        ("/calls/0/final_responses/0/repeats", json!([{}])),
        ("/calls/0/findings/0/rule", json!("Not Kebab")),
        ("/calls/0/findings/0/acts", json!("butler")),
        ("/calls/0/findings/0/evidence/0/span", json!([1])),
        ("/calls/0/findings/0/evidence/0/kind", json!("rumour")),
        ("/explanations", json!({ "abc": {} })),
        ("/explanations/607", json!({ "title": "Unwanted" })),
        ("/inputs/0", json!({ "path": "x", "format": "pcap" })),
        ("/totals/final_responses", json!({ "607": "one" })),
        ("/totals/outcomes", json!({ "INVITE": { "exploded": 1 } })),
    ];
    for (place, value) in cases {
        let mut wrong = right.clone();
        *wrong.pointer_mut(place).expect(place) = value.clone();
        assert!(
            !validate(&schema, &wrong).is_empty(),
            "{place} was changed to {value}, and nothing was wrong with that"
        );
    }
    for (place, name) in [
        ("", "totals"),
        ("/calls/0", "outcome"),
        ("/calls/0/final_responses/0", "frame"),
        ("/calls/0/findings/0/evidence/0", "note"),
        ("/inputs/0", "frames"),
    ] {
        let mut wrong = right.clone();
        let object = wrong.pointer_mut(place).unwrap().as_object_mut().unwrap();
        assert!(object.remove(name).is_some());
        assert!(!validate(&schema, &wrong).is_empty(), "{place} lost {name}");
    }
    let mut more = right;
    more["calls"][0]["added_later"] = json!(1);
    assert_eq!(
        validate(&schema, &more),
        Vec::<String>::new(),
        "fields may be added"
    );
}
