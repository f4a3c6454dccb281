//! Identity of a run: the hash of its config, its data and its inputs.

use std::fmt;

use brainmae_files::FieldHasher;
use serde::{Deserialize, Serialize};

/// 16 hexadecimal digits that name a stage with its config and inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// Computes the identity of a stage. Keys of `config` are sorted before hashing, so their order
    /// in a file has no effect.
    pub fn of(stage: &str, config: &serde_json::Value, inputs: &[&str]) -> Self {
        let mut hash = FieldHasher::new(stage).field(canonical(config));
        for input in inputs {
            hash = hash.field(input);
        }
        Self(hash.finish()[..16].to_string())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{key:?}:{}", canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_count_and_values_do() {
        let id = |config| Identity::of("pretrain", &config, &["data"]);
        let one = id(json!({"a": {"x": 1, "y": 2}, "b": 3}));
        assert_eq!(one, id(json!({"b": 3, "a": {"y": 2, "x": 1}})));
        assert_ne!(one, id(json!({"a": {"x": 1, "y": 2}, "b": 4})));
        assert_ne!(one, Identity::of("pretrain", &json!({}), &["data"]));
    }
}
