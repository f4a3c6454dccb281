//! Lengths of segments and samples, in seconds and in volumes.

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Minimum number of volumes in a segment: one volume has no time course.
const LEAST_SEGMENT_TRS: usize = 2;

/// Lengths in seconds, so that one spec fits data of any TR.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SegmentSpec {
    /// Length of a segment, seconds.
    pub segment_secs: f64,
    /// Length of a sample, seconds: a whole number of segments.
    pub sample_secs: f64,
}

impl Default for SegmentSpec {
    /// The lengths of the paper.
    fn default() -> Self {
        Self {
            segment_secs: 15.0,
            sample_secs: 300.0,
        }
    }
}

impl SegmentSpec {
    /// The same lengths in volumes, at an interval of `dt_secs`.
    ///
    /// # Errors
    /// [`DataError::Config`] when a segment has fewer than two volumes, or a sample has no segment.
    pub fn layout(&self, dt_secs: f64) -> Result<SegmentLayout, DataError> {
        if !(dt_secs.is_finite() && dt_secs > 0.0) {
            return Err(DataError::config("dt_secs", dt_secs, "a number above zero"));
        }
        let segment_len_trs = (self.segment_secs / dt_secs).round();
        if !(segment_len_trs.is_finite() && segment_len_trs >= LEAST_SEGMENT_TRS as f64) {
            return Err(DataError::config(
                "segment_secs",
                self.segment_secs,
                format!("at least {LEAST_SEGMENT_TRS} volumes of {dt_secs} s"),
            ));
        }
        let n_segments = (self.sample_secs / self.segment_secs).round();
        if !(n_segments.is_finite() && n_segments >= 1.0) {
            return Err(DataError::config(
                "sample_secs",
                self.sample_secs,
                format!("at least one segment of {} s", self.segment_secs),
            ));
        }
        Ok(SegmentLayout {
            segment_len_trs: segment_len_trs as usize,
            n_segments: n_segments as usize,
        })
    }
}

/// Lengths in volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentLayout {
    /// Volumes in a segment.
    pub segment_len_trs: usize,
    /// Segments in a sample.
    pub n_segments: usize,
}

impl SegmentLayout {
    /// Volumes in a sample.
    pub fn sample_len_trs(&self) -> usize {
        self.segment_len_trs * self.n_segments
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    #[test]
    fn seconds_become_volumes() {
        let spec = SegmentSpec::default();
        let layout = |dt_secs: f64| {
            let layout = spec.layout(dt_secs).unwrap();
            (layout.segment_len_trs, layout.n_segments)
        };
        assert_eq!(layout(2.5), (6, 20));
        assert_eq!(layout(0.75), (20, 20));
        assert_eq!(layout(1.89), (8, 20)); // 7.94 volumes
        for dt_secs in [15.0, 0.0, f64::NAN, f64::INFINITY] {
            let error = spec.layout(dt_secs).unwrap_err();
            let field = if dt_secs == 15.0 {
                "segment_secs"
            } else {
                "dt_secs"
            };
            assert!(
                matches!(error, DataError::Config(InvalidField { field: found, .. }) if found == field),
                "{error}"
            );
        }
    }
}
