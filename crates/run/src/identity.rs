//! What a run is: the hash of its config, its data and its inputs.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 16 hexadecimal digits that name a stage with its config and inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

impl Identity {
    /// The identity of a stage. Keys of `config` are ordered before hashing, so that their order in a file does not count.
    pub fn of(stage: &str, config: &serde_json::Value, inputs: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in [stage, &canonical(config)]
            .into_iter()
            .chain(inputs.iter().copied())
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hex(&hash.finalize())[..16].to_string())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lowercase hexadecimal SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
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

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
