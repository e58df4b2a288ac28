//! Fields as "path type" lines: those of docs/report-fields.txt, those of the schema, those of a document.

use crate::validator::Schema;
use serde_json::Value;

/// The fields that the list names, sorted; `a as b` stands for the fields of `b` under `a`.
pub(crate) fn listed(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut all = Vec::new();
    for line in &lines {
        match line.split_once(" as ") {
            Some((here, there)) => {
                let same = lines.iter().filter_map(|other| other.strip_prefix(there));
                all.extend(same.map(|rest| format!("{here}{rest}")));
            }
            None => all.push((*line).to_owned()),
        }
    }
    all.sort();
    let count = all.len();
    all.dedup();
    assert_eq!(count, all.len(), "a field is listed twice");
    all
}

/// The fields that the schema describes, sorted.
pub(crate) fn described(schema: &Schema) -> Vec<String> {
    let mut all = Vec::new();
    walk(schema, schema.root(), "", &mut all);
    all.sort();
    all
}

fn walk(all: &Schema, schema: &Value, path: &str, fields: &mut Vec<String>) {
    let schema = all.referred(schema);
    let required: Vec<&str> = names(schema, "required");
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, of) in properties.into_iter().flatten() {
        let absent = if required.contains(&name.as_str()) {
            ""
        } else {
            "?"
        };
        let inner = match path {
            "" => name.clone(),
            _ => format!("{path}.{name}"),
        };
        fields.push(format!("{inner}{absent} {}", kind(all, of)));
        walk(all, of, &inner, fields);
    }
    for (key, mark) in [("additionalProperties", ".*"), ("items", "[]")] {
        if let Some(of) = schema.get(key) {
            let inner = format!("{path}{mark}");
            let kind = kind(all, of);
            if kind != "object" {
                fields.push(format!("{inner} {kind}"));
            }
            walk(all, of, &inner, fields);
        }
    }
}

fn names<'a>(schema: &'a Value, key: &str) -> Vec<&'a str> {
    let list = schema.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn kind(all: &Schema, schema: &Value) -> String {
    let types = &all.referred(schema)["type"];
    match types {
        Value::String(name) => name.clone(),
        _ => names(all.referred(schema), "type").join("|"),
    }
}

/// The fields of a document that the schema does not describe. Others may add fields; this program
/// must describe them when it does.
pub(crate) fn undocumented(schema: &Schema, document: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    compare(schema, schema.root(), document, "", &mut unknown);
    unknown.sort();
    unknown.dedup();
    unknown
}

fn compare(all: &Schema, schema: &Value, value: &Value, path: &str, unknown: &mut Vec<String>) {
    let schema = all.referred(schema);
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let known = schema.get("properties").and_then(|known| known.get(name));
                match known.or(schema.get("additionalProperties")) {
                    Some(of) => compare(all, of, value, &format!("{path}.{name}"), unknown),
                    None => unknown.push(format!("{path}.{name} is not in the schema")),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(of) = schema.get("items") {
                    compare(all, of, item, &format!("{path}[]"), unknown);
                }
            }
        }
        _ => {}
    }
}
