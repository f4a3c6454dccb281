//! Exclusion limits: maximum head movement and minimum data after censoring.

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::cleaning::CleanedSignals;
use crate::error::SignalError;

/// Limits beyond which a scan is excluded; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExclusionLimits {
    /// Highest mean framewise displacement, in mm. A scan without a known value is excluded.
    pub max_mean_fd_mm: Option<f64>,
    /// Minimum uncensored time, in seconds.
    pub min_kept_secs: Option<f64>,
    /// Minimum share of uncensored volumes among those that are not dropped, 0 to 1.
    pub min_kept_share: Option<f64>,
}

impl ExclusionLimits {
    /// Checks that each limit is valid.
    ///
    /// # Errors
    /// [`SignalError::Config`] for a limit below 0, NaN, or a share above 1.
    pub fn check(&self) -> Result<(), SignalError> {
        for (key, limit, highest, expected) in [
            (
                "max_mean_fd_mm",
                self.max_mean_fd_mm,
                f64::INFINITY,
                "0 or above",
            ),
            (
                "min_kept_secs",
                self.min_kept_secs,
                f64::INFINITY,
                "0 or above",
            ),
            ("min_kept_share", self.min_kept_share, 1.0, "0 to 1"),
        ] {
            if let Some(limit) = limit.filter(|limit| !(0.0..=highest).contains(limit)) {
                return Err(SignalError::config(key, limit, expected));
            }
        }
        Ok(())
    }

    /// Why a scan must be excluded, as text for a person; `None` if it is within the limits.
    pub fn reason(&self, scan: &CleanedSignals) -> Option<String> {
        let n_kept = scan.kept.iter().filter(|kept| **kept).count();
        let share = n_kept as f64 / scan.kept.len() as f64;
        let secs = n_kept as f64 * scan.dt_secs;
        let mut reasons = Vec::new();
        if let Some(limit) = self.max_mean_fd_mm {
            match scan.mean_fd_mm {
                Some(mean) if mean <= limit => {}
                Some(mean) => reasons.push(format!(
                    "the mean framewise displacement is {mean:.3} mm, the limit {limit} mm"
                )),
                None => reasons.push(format!(
                    "the mean framewise displacement is not known, the limit {limit} mm"
                )),
            }
        }
        if let Some(limit) = self.min_kept_secs.filter(|limit| secs < *limit) {
            reasons.push(format!("{secs:.1} s are kept, the limit is {limit} s"));
        }
        if let Some(limit) = self.min_kept_share.filter(|limit| share < *limit) {
            reasons.push(format!(
                "a share of {share:.3} of the volumes is kept, the limit is {limit}"
            ));
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    fn scan(mean_fd_mm: Option<f64>) -> CleanedSignals {
        CleanedSignals {
            values: vec![0.0; 4],
            n_rois: 1,
            dt_secs: 2.0,
            kept: vec![true, true, true, false],
            dropped_volumes: 0,
            mean_fd_mm,
            quality: Default::default(),
            constants: Vec::new(),
        }
    }

    #[test]
    fn a_scan_within_the_limits_stays() {
        let limits = ExclusionLimits {
            max_mean_fd_mm: Some(0.25),
            min_kept_secs: Some(6.0),
            min_kept_share: Some(0.75),
        };
        assert_eq!(limits.reason(&scan(Some(0.25))), None);
        assert_eq!(ExclusionLimits::default().reason(&scan(None)), None);
    }

    #[test]
    fn every_limit_that_is_passed_is_told() {
        let limits = ExclusionLimits {
            max_mean_fd_mm: Some(0.25),
            min_kept_secs: Some(6.1),
            min_kept_share: Some(0.8),
        };
        assert_eq!(
            limits.reason(&scan(Some(0.3))).unwrap(),
            "the mean framewise displacement is 0.300 mm, the limit 0.25 mm; \
             6.0 s are kept, the limit is 6.1 s; \
             a share of 0.750 of the volumes is kept, the limit is 0.8"
        );
        assert!(limits.reason(&scan(None)).unwrap().contains("not known"));
        assert!(
            limits
                .reason(&scan(Some(f64::NAN)))
                .unwrap()
                .contains("NaN")
        );
    }

    #[test]
    fn limits_that_cannot_be_are_refused() {
        for (text, key, value) in [
            ("min_kept_share = 1.5", "min_kept_share", "1.5"),
            ("max_mean_fd_mm = -0.1", "max_mean_fd_mm", "-0.1"),
            ("min_kept_secs = nan", "min_kept_secs", "NaN"),
        ] {
            let limits: ExclusionLimits = toml::from_str(text).unwrap();
            assert!(matches!(
                limits.check(),
                Err(SignalError::Config(InvalidField { field, found, .. })) if field == key && found == value
            ));
        }
        let unknown = toml::from_str::<ExclusionLimits>("max_fd_mm = 1").unwrap_err();
        assert!(unknown.message().contains("max_fd_mm"), "{unknown}");
    }
}
