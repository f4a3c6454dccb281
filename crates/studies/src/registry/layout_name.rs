//! The layouts and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::StudyError;

/// How the files of a release are named and laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// HCP Young Adult, 3T.
    #[serde(rename = "hcp")]
    HcpYa,
    /// HCP Young Adult, 7T.
    #[serde(rename = "hcp-7t")]
    Hcp7t,
    /// HCP-Aging and AABC.
    HcpAging,
    /// Natural Scenes Dataset.
    Nsd,
    /// Derivatives of XCP-D.
    Xcpd,
    /// Derivatives of fMRIPrep.
    Fmriprep,
    /// A plain folder, with a table that tells what its files are or with telling names.
    Manifest,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 7] = [
        Self::HcpYa,
        Self::Hcp7t,
        Self::HcpAging,
        Self::Nsd,
        Self::Xcpd,
        Self::Fmriprep,
        Self::Manifest,
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::HcpYa => "hcp",
            Self::Hcp7t => "hcp-7t",
            Self::HcpAging => "hcp-aging",
            Self::Nsd => "nsd",
            Self::Xcpd => "xcpd",
            Self::Fmriprep => "fmriprep",
            Self::Manifest => "manifest",
        }
    }

    /// One line on which files it looks for.
    pub fn about(self) -> &'static str {
        match self {
            Self::HcpYa => {
                "HCP Young Adult 3T: <subject>/MNINonLinear/Results/{rfMRI,tfMRI}_*_{LR,RL}/"
            }
            Self::Hcp7t => {
                "HCP Young Adult 7T: <subject>/MNINonLinear/Results/{rfMRI,tfMRI}_*_7T_{AP,PA}/"
            }
            Self::HcpAging => "HCP-Aging and AABC: HCA<subject>_<visit>_MR/MNINonLinear/Results/*/",
            Self::Nsd => {
                "Natural Scenes Dataset: nsddata_timeseries/ppdata/subj<NN>/func*/timeseries/"
            }
            Self::Xcpd => "XCP-D, all versions: sub-*/[ses-*/]func/*_timeseries.tsv",
            Self::Fmriprep => {
                "fMRIPrep: sub-*/[ses-*/]func/*_bold.dtseries.nii or *_desc-preproc_bold.nii.gz"
            }
            Self::Manifest => {
                "any folder with a manifest.tsv (subject, path, …), or files named sub-<subject>_…"
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Layout {
    type Err = StudyError;

    /// Takes a [`name`](Self::name), or `aging` or `aabc` for [`HcpAging`](Self::HcpAging).
    fn from_str(name: &str) -> Result<Self, StudyError> {
        match name {
            "aging" | "aabc" => Ok(Self::HcpAging),
            _ => Self::ALL
                .into_iter()
                .find(|layout| layout.name() == name)
                .ok_or_else(|| {
                    let names = Self::ALL.map(Self::name).join(", ");
                    StudyError::config("layout", name, format!("one of {names}"))
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_known_by_its_name() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
            assert!(!layout.about().contains('\n'));
        }
        assert_eq!("aabc".parse::<Layout>().unwrap(), Layout::HcpAging);
        assert_eq!("aging".parse::<Layout>().unwrap(), Layout::HcpAging);
        let error = "bids".parse::<Layout>().unwrap_err().to_string();
        assert_eq!(
            error,
            "layout is bids, expected one of hcp, hcp-7t, hcp-aging, nsd, xcpd, fmriprep, manifest"
        );
    }
}
