//! File names of signals in an HCP run folder: cleaning and grid.

use std::cmp::Reverse;

use crate::listing::ListOptions;

/// Preference among files: cleaning, then the other words of the name.
pub(crate) type Rank = (
    (usize, Option<Reverse<u32>>, Kind),
    (Reverse<usize>, bool, Option<Reverse<u32>>),
);

/// Kind of signals; a later variant is preferred to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A 4-D image.
    Volumes,
    /// CIFTI-2, one row per parcel.
    Parcels,
    /// CIFTI-2, one row per grayordinate.
    Grayordinates,
}

/// Parsed file name
/// `<run>[_Atlas[_MSMAll|_MSMSulc]][_<suffixes>].(dtseries.nii|ptseries.nii|nii.gz)`.
#[derive(Clone, Debug)]
pub(crate) struct SignalName<'a> {
    pub file: &'a str,
    pub kind: Kind,
    /// Number of the words `clean`, `rclean`, `tclean` in the name.
    pub cleaning_steps: usize,
    /// The number after `hp`, as in `hp2000`; 0 means linear detrending.
    high_pass: Option<Reverse<u32>>,
    /// The name after the run, without the extension if that is `.dtseries.nii`.
    pub variant: &'a str,
    aligned: bool,
    /// The word for a grid finer than 2 mm and 32k.
    fine_grid: Option<&'a str>,
    /// Words that are not from the release: a smoothing, the atlas of a parcellation.
    others: Vec<&'a str>,
}

impl<'a> SignalName<'a> {
    /// Parses `file`; `None` if it is not a signal file of `run`.
    pub fn parse(run: &str, file: &'a str) -> Option<Self> {
        let rest = file.strip_prefix(run)?;
        let (kind, suffix, variant) = if let Some(suffix) = rest.strip_suffix(".dtseries.nii") {
            (Kind::Grayordinates, suffix, suffix)
        } else if let Some(suffix) = rest.strip_suffix(".ptseries.nii") {
            (Kind::Parcels, suffix, rest)
        } else {
            (Kind::Volumes, rest.strip_suffix(".nii.gz")?, rest)
        };
        let words = match suffix.strip_prefix('_') {
            Some(words) => words,
            None if suffix.is_empty() => "",
            None => return None,
        };
        let mut name = Self {
            file,
            kind,
            cleaning_steps: 0,
            high_pass: None,
            variant,
            aligned: false,
            fine_grid: None,
            others: Vec::new(),
        };
        for word in words.split('_').filter(|word| !word.is_empty()) {
            match word {
                "Atlas" | "MSMSulc" | "2mm" | "32k" => {}
                "MSMAll" => name.aligned = true,
                "clean" | "rclean" | "tclean" => name.cleaning_steps += 1,
                "1.6mm" | "59k" | "164k" => name.fine_grid = Some(word),
                _ => match word.strip_prefix("hp").and_then(|secs| secs.parse().ok()) {
                    Some(secs) => name.high_pass = Some(Reverse(secs)),
                    None => name.others.push(word),
                },
            }
        }
        Some(name)
    }

    /// Preference among files; equal when the names do not decide. More cleaning steps are
    /// preferred, then `hp0` of the newer release to `hp2000`. A high-pass alone does not count as
    /// cleaning, because a task analysis leaves filtered and smoothed files behind.
    pub fn rank(&self) -> Rank {
        let of_cleaning = self.high_pass.filter(|_| self.cleaning_steps > 0);
        (
            (self.cleaning_steps, of_cleaning, self.kind),
            (Reverse(self.others.len()), self.aligned, self.high_pass),
        )
    }

    /// Whether its grid is finer than the standard one and `options` do not ask for it.
    pub fn is_too_fine(&self, options: &ListOptions) -> bool {
        let asked = options.variant.as_deref().unwrap_or_default();
        self.fine_grid.is_some_and(|grid| !asked.contains(grid))
    }

    /// Whether `options` allow it. Volumes must be requested by their extension. Volumes with words
    /// that are not from the release (`SBRef`, `vn`) must be requested by these words too, because
    /// they may be single volumes.
    pub fn is_allowed(&self, options: &ListOptions) -> bool {
        let asked = options.variant.as_deref().unwrap_or_default();
        let label = options.atlas_label.as_deref().unwrap_or_default();
        let kind_allowed = match self.kind {
            Kind::Grayordinates => true,
            Kind::Parcels => self.file.contains(label),
            Kind::Volumes => {
                asked.contains(".nii.gz") && self.others.iter().all(|word| asked.contains(word))
            }
        };
        kind_allowed && !self.is_too_fine(options) && self.file.contains(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "rfMRI_REST1_LR";

    fn asking(variant: &str) -> ListOptions {
        ListOptions {
            variant: Some(variant.into()),
            ..ListOptions::default()
        }
    }

    #[test]
    fn cleaner_names_rank_higher() {
        let order = [
            "_Atlas_MSMAll_hp0_clean_rclean_tclean.dtseries.nii",
            "_Atlas_hp0_clean_rclean_tclean.dtseries.nii",
            "_Atlas_MSMAll_hp2000_clean_rclean_tclean.dtseries.nii",
            "_Atlas_MSMAll_hp2000_clean_tclean.dtseries.nii",
            "_Atlas_MSMAll_hp2000_clean.dtseries.nii",
            "_Atlas_MSMAll_hp2000_clean_s4.dtseries.nii",
            "_Atlas_MSMAll_hp2000_clean_Schaefer100.ptseries.nii",
            "_hp2000_clean.nii.gz",
            "_Atlas_MSMAll_hp2000.dtseries.nii",
            "_Atlas_MSMAll.dtseries.nii",
            "_Atlas.dtseries.nii",
            "_Atlas_MSMAll_hp200_s4.dtseries.nii",
            ".nii.gz",
        ];
        for pair in order.windows(2) {
            let files = [format!("{RUN}{}", pair[0]), format!("{RUN}{}", pair[1])];
            let [better, worse] = files
                .each_ref()
                .map(|file| SignalName::parse(RUN, file).unwrap().rank());
            assert!(better > worse, "{pair:?}");
        }
    }

    #[test]
    fn only_signal_files_of_the_run_are_taken_apart() {
        for file in [
            "rfMRI_REST1_LR_Atlas_stats.dscalar.nii",
            "rfMRI_REST2_LR_Atlas.dtseries.nii",
            "rfMRI_REST1_LRX_Atlas.dtseries.nii",
            "Movement_Regressors.txt",
            "rfMRI_REST1_LR",
            "",
        ] {
            assert!(SignalName::parse(RUN, file).is_none(), "{file}");
        }
    }

    #[test]
    fn volumes_and_fine_grids_are_taken_only_when_asked_for() {
        let allowed = |suffix: &str, options: &ListOptions| {
            let file = format!("{RUN}{suffix}");
            SignalName::parse(RUN, &file).unwrap().is_allowed(options)
        };
        let nothing = ListOptions::default();
        assert!(allowed("_Atlas.dtseries.nii", &nothing));
        assert!(!allowed("_hp2000_clean.nii.gz", &nothing));
        assert!(allowed("_hp2000_clean.nii.gz", &asking(".nii.gz")));
        assert!(!allowed("_SBRef.nii.gz", &asking(".nii.gz")));
        assert!(allowed("_SBRef.nii.gz", &asking("_SBRef.nii.gz")));
        let fine = "_Atlas_1.6mm_MSMAll_hp2000_clean.dtseries.nii";
        assert!(!allowed(fine, &nothing));
        assert!(!allowed(fine, &asking("MSMAll_hp2000_clean")));
        assert!(allowed(fine, &asking("1.6mm")));
    }

    #[test]
    fn the_label_of_an_atlas_chooses_among_parcellations_alone() {
        let options = ListOptions {
            atlas_label: Some("Schaefer100".into()),
            ..ListOptions::default()
        };
        for (suffix, allowed) in [
            ("_Atlas_Schaefer100.ptseries.nii", true),
            ("_Atlas_Glasser.ptseries.nii", false),
            ("_Atlas.dtseries.nii", true),
        ] {
            let file = format!("{RUN}{suffix}");
            let name = SignalName::parse(RUN, &file).unwrap();
            assert_eq!(name.is_allowed(&options), allowed, "{suffix}");
        }
    }
}
