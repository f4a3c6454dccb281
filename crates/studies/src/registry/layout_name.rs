//! Name of a registered layout, for configurations and command lines.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{NAMES, by_name, find};
use crate::error::StudyError;
use crate::layout::StudyLayout;
use crate::{fmriprep, hcp_7t, hcp_aging, hcp_ya, manifest, nsd, xcpd};

/// Name of a layout of [`LAYOUTS`](super::LAYOUTS) in configurations: the string `hcp`, `nsd`, ….
#[derive(Clone, Copy)]
pub struct LayoutName(&'static dyn StudyLayout);

impl LayoutName {
    /// HCP Young Adult at 3 T.
    pub const HCP_YA: Self = Self(&hcp_ya::LAYOUT);
    /// HCP Young Adult at 7 T.
    pub const HCP_7T: Self = Self(&hcp_7t::LAYOUT);
    /// HCP-Aging and AABC.
    pub const HCP_AGING: Self = Self(&hcp_aging::LAYOUT);
    /// Natural Scenes Dataset.
    pub const NSD: Self = Self(&nsd::LAYOUT);
    /// Derivatives of XCP-D.
    pub const XCPD: Self = Self(&xcpd::LAYOUT);
    /// Derivatives of fMRIPrep.
    pub const FMRIPREP: Self = Self(&fmriprep::LAYOUT);
    /// A plain folder, with a manifest or with descriptive file names.
    pub const MANIFEST: Self = Self(&manifest::LAYOUT);

    /// The layout with this name.
    pub fn layout(self) -> &'static dyn StudyLayout {
        self.0
    }

    /// The name as text.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for LayoutName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl fmt::Debug for LayoutName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LayoutName({:?})", self.as_str())
    }
}

impl PartialEq for LayoutName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for LayoutName {}

impl Hash for LayoutName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl FromStr for LayoutName {
    type Err = StudyError;

    /// As [`by_name`](super::by_name).
    fn from_str(name: &str) -> Result<Self, StudyError> {
        by_name(name).map(Self)
    }
}

impl Serialize for LayoutName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LayoutName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        find(&name)
            .map(Self)
            .ok_or_else(|| de::Error::unknown_variant(&name, NAMES.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::LAYOUTS;

    #[test]
    fn every_layout_is_the_same_string_in_a_configuration() {
        for layout in LAYOUTS {
            let name: LayoutName = layout.name().parse().unwrap();
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(json, format!("{:?}", layout.name()));
            assert_eq!(serde_json::from_str::<LayoutName>(&json).unwrap(), name);
            assert_eq!(name.to_string(), layout.name());
        }
        for (name, layout) in [
            (LayoutName::HCP_YA, "hcp"),
            (LayoutName::HCP_7T, "hcp-7t"),
            (LayoutName::HCP_AGING, "hcp-aging"),
            (LayoutName::NSD, "nsd"),
            (LayoutName::XCPD, "xcpd"),
            (LayoutName::FMRIPREP, "fmriprep"),
            (LayoutName::MANIFEST, "manifest"),
        ] {
            assert_eq!(name.as_str(), layout);
        }
    }

    #[test]
    fn an_unknown_string_lists_the_known_ones() {
        let error = serde_json::from_str::<LayoutName>("\"hpc\"").unwrap_err();
        let expected = "unknown variant `hpc`, expected one of `hcp`, `hcp-7t`, `hcp-aging`, `nsd`";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
