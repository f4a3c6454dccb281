//! Version of a LibTorch, and the versions that fit. The build script also uses this file.

use std::fmt;
use std::path::Path;

/// Version of a LibTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

/// Version that is fetched; all measurements were made with it.
#[allow(dead_code)] // not by the build script
pub const FETCHED: Version = Version {
    major: 2,
    minor: 11,
    patch: 0,
};

impl Version {
    /// The version of the LibTorch in `folder`.
    pub fn of(folder: &Path) -> Option<Self> {
        let headers = [
            "include/torch/headeronly/version.h",
            "include/torch/csrc/api/include/torch/version.h",
            "include/torch/version.h",
        ];
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        headers
            .iter()
            .find_map(|file| Self::from_header(&read(file)?))
            .or_else(|| Self::parse(&read("build-version")?))
    }

    /// Reads a version such as `2.11.0+cu130`; the part after `+` names the kind of build.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('+').next()?.split('.');
        let mut next = || numbers.next()?.parse().ok();
        let version = Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        };
        numbers.next().is_none().then_some(version)
    }

    fn from_header(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let rest = line.trim().strip_prefix("#define ")?.strip_prefix(name)?;
                rest.starts_with(' ').then(|| rest.trim().parse().ok())?
            })
        };
        Some(Self {
            major: value("TORCH_VERSION_MAJOR")?,
            minor: value("TORCH_VERSION_MINOR")?,
            patch: value("TORCH_VERSION_PATCH")?,
        })
    }

    /// Whether the bindings (tch 0.22, written for 2.9) compile with this version and were seen to
    /// work.
    pub fn fits(self) -> bool {
        self.major == 2 && (9..=11).contains(&self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_text_and_headers() {
        assert_eq!(Version::parse("2.11.0+cu130\n"), Some(FETCHED));
        assert_eq!(Version::parse("2.11.0"), Some(FETCHED));
        for text in ["", "2.11", "2.11.0.1", "two", "2.11.0a0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        let header = "#pragma once\n/// Indicates the major version of LibTorch.\n#define TORCH_VERSION_MAJOR 2\n\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n#define TORCH_VERSION \\\n  \"2.11.0\"\n";
        assert_eq!(Version::from_header(header), Some(FETCHED));
        assert_eq!(Version::from_header("#define TORCH_VERSION_MAJOR 2"), None);
    }

    #[test]
    fn versions_that_fit() {
        let fits = |text| Version::parse(text).is_some_and(Version::fits);
        assert!(fits("2.9.0") && fits("2.9.1") && fits("2.11.0+cpu"));
        assert!(!fits("2.8.0") && !fits("2.12.0") && !fits("1.10.0"));
    }

    #[test]
    fn a_folder_tells_its_version() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(Version::of(folder.path()), None);
        std::fs::write(folder.path().join("build-version"), "2.9.1+cpu").expect("writable");
        assert_eq!(Version::of(folder.path()), Version::parse("2.9.1"));
    }
}
