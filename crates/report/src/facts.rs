//! Facts about the origin of a run's numbers, as tables of names and values.

use serde::Serialize;

/// Facts under one heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactGroup {
    /// Heading of the facts.
    pub name: String,
    /// Names and values of the facts.
    pub rows: Vec<(String, String)>,
}

impl FactGroup {
    pub(crate) fn new(name: &str, rows: Vec<(String, String)>) -> Self {
        Self {
            name: name.to_string(),
            rows,
        }
    }
}

/// Makes rows from fixed names.
pub(crate) fn rows<const N: usize>(rows: [(&str, String); N]) -> Vec<(String, String)> {
    rows.map(|(name, value)| (name.to_string(), value)).to_vec()
}

/// Adds a row for every leaf of a config, with its dotted name.
pub(crate) fn flatten(name: &str, value: &serde_json::Value, rows: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(&name, value, rows);
            }
        }
        serde_json::Value::String(text) => rows.push((name.to_string(), text.clone())),
        other => rows.push((name.to_string(), other.to_string())),
    }
}
