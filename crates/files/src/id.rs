//! Names of subjects and scans, as two separate types.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the name without changes.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self::new(name)
            }
        }
    };
}

id! {
    /// Name of one person in the data set.
    SubjectId
}

id! {
    /// Name of one fMRI acquisition, unique in its data set, such as `sub-1_task-objects_run-01`.
    ScanId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_a_plain_string() {
        let id = ScanId::new("sub-1_run-02");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"sub-1_run-02\"");
        assert_eq!(
            serde_json::from_str::<ScanId>("\"sub-1_run-02\"").unwrap(),
            id
        );
        assert_eq!(id.to_string(), "sub-1_run-02");
    }
}
