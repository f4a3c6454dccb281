//! Quality of a scan: filtered head movement, censored volumes, DVARS.

use serde::{Deserialize, Serialize};

use super::ScanSignals;
use super::band_pass::BandPass;
use crate::confounds::ConfoundTable;
use crate::motion::{framewise_displacement, mean_fd_mm};

/// Low-pass of the motion parameters: breathing, at 0.2 to 0.4 Hz, moves the image and not the head
/// of a person who lies still, and fast TRs sample it.
///
/// # Source
/// Gratton et al. (2020), Removal of high frequency contamination from motion estimates in
/// single-band fMRI saves data without biasing functional connectivity, NeuroImage 217: cut-off
/// 0.1 Hz. Fair et al. (2020), Correction of respiratory artifacts in MRI head motion estimates,
/// NeuroImage 208, remove the band of breathing alone. The order is our choice.
const MOTION_LOW_PASS: BandPass = BandPass {
    high_pass_hz: None,
    low_pass_hz: Some(0.1),
    order: 2,
};

/// An ROI whose mean is below this number of standard deviations has lost its mean: z-scores,
/// residuals. In raw signals of ROIs it is 20 and more.
const LEAST_MEAN_IN_SDS: f64 = 5.0;

/// Measures of how well a scan was acquired; dropped volumes do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanQuality {
    /// Mean framewise displacement after a low-pass of the motion parameters at 0.1 Hz, in mm;
    /// `None` without motion parameters, for a TR of 5 s and more, or for fewer than 10 volumes.
    pub mean_filtered_fd_mm: Option<f64>,
    /// Share of the volumes that are censored, 0 to 1.
    pub censored_share: Option<f64>,
    /// Minutes of uncensored volumes.
    pub kept_minutes: Option<f64>,
    /// Mean DVARS of the ROI signals before cleaning, in % of the mean of each ROI; `None` if fewer
    /// than half of the ROIs have kept their mean.
    pub mean_dvars_percent: Option<f64>,
}

impl ScanQuality {
    /// The quality of a scan of `n_volumes` volumes, all of them `tr_secs` apart and `n_kept` of
    /// them uncensored, of which neither movement nor raw signals are known.
    pub fn of_volumes(n_kept: usize, n_volumes: usize, tr_secs: f64) -> Self {
        let has_volumes = n_volumes > 0;
        Self {
            censored_share: has_volumes.then(|| 1.0 - n_kept as f64 / n_volumes as f64),
            kept_minutes: has_volumes.then(|| n_kept as f64 * tr_secs / 60.0),
            ..Self::default()
        }
    }

    /// The quality of a scan from volume `start` on, of which `n_kept` volumes are uncensored.
    pub(super) fn of(input: &ScanSignals, start: usize, n_kept: usize) -> Self {
        let n_volumes = input.n_volumes();
        Self {
            mean_filtered_fd_mm: input
                .confounds
                .as_ref()
                .and_then(|table| filtered_fd_mm(table, input.tr_secs))
                .and_then(|fd_mm| mean_fd_mm(&fd_mm[start..])),
            mean_dvars_percent: mean_dvars_percent(input, start),
            ..Self::of_volumes(n_kept, n_volumes - start, input.tr_secs)
        }
    }
}

/// Framewise displacement by volume, in mm, after a low-pass of the motion parameters.
fn filtered_fd_mm(confounds: &ConfoundTable, tr_secs: f64) -> Option<Vec<f64>> {
    let mut motion = confounds.motion.clone()?;
    let filter = MOTION_LOW_PASS.filter(tr_secs, motion[0].len()).ok()?;
    let mut longer = Vec::new();
    for values in &mut motion {
        filter.run(values, &mut longer);
    }
    Some(framewise_displacement(&motion))
}

/// Mean DVARS: the root mean square over ROIs of the change between consecutive volumes, each ROI
/// in % of its mean, averaged over pairs of volumes that both have values.
///
/// # Source
/// Power et al. (2012), NeuroImage 59, of voxels; here of ROIs, whose averages have less noise, so
/// that values are lower.
fn mean_dvars_percent(input: &ScanSignals, start: usize) -> Option<f64> {
    let n_volumes = input.n_volumes();
    let has_values = |volume: usize| {
        let is_outlier = input.outliers.as_ref().is_some_and(|marks| marks[volume]);
        !is_outlier && (0..input.n_rois).any(|roi| input.roi(roi)[volume].is_finite())
    };
    let valid: Vec<usize> = (start..n_volumes).filter(|at| has_values(*at)).collect();
    let mut squares = vec![0.0; n_volumes];
    let mut n_used = 0;
    for roi in 0..input.n_rois {
        let signal = input.roi(roi);
        let values = valid.iter().map(|at| signal[*at]);
        let (mean, sd) = super::z_score::mean_and_sd(values);
        // False for NaN, too: an ROI with missing values.
        if !(mean.is_finite() && mean > LEAST_MEAN_IN_SDS * sd && mean > 0.0) {
            continue;
        }
        n_used += 1;
        for pair in valid.windows(2).filter(|pair| pair[1] == pair[0] + 1) {
            let change = 100.0 * (signal[pair[1]] - signal[pair[0]]) / mean;
            squares[pair[1]] += change * change;
        }
    }
    if n_used == 0 || 2 * n_used < input.n_rois {
        return None;
    }
    let pairs = valid.windows(2).filter(|pair| pair[1] == pair[0] + 1);
    let dvars: Vec<f64> = pairs
        .map(|pair| (squares[pair[1]] / n_used as f64).sqrt())
        .collect();
    (!dvars.is_empty()).then(|| dvars.iter().sum::<f64>() / dvars.len() as f64)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    const TR_SECS: f64 = 0.72;

    /// A head that breathes at 0.3 Hz by 0.2 mm, and in addition moves slowly at 0.02 Hz by
    /// `slow_mm`.
    fn scan(slow_mm: f64) -> ScanSignals {
        let wave = |hz: f64, t: usize| (2.0 * PI * hz * TR_SECS * t as f64).sin();
        let position = |t: usize| 0.2 * wave(0.3, t) + slow_mm * wave(0.02, t);
        let mut motion: [Vec<f64>; 6] = std::array::from_fn(|_| vec![0.0; 500]);
        motion[1] = (0..500).map(position).collect();
        let values = (0..1000)
            .map(|at| 100.0 + f64::from(at as u32 % 2))
            .collect();
        ScanSignals::new(values, 2, TR_SECS).with_confounds(ConfoundTable::of_motion(motion))
    }

    #[test]
    fn breathing_is_no_movement_and_slow_movement_is() {
        let [still, moving] = [0.0, 2.0].map(|slow_mm| {
            let scan = scan(slow_mm);
            let fd_mm = scan.confounds.as_ref().and_then(ConfoundTable::fd_mm);
            let raw = mean_fd_mm(&fd_mm.expect("motion")).expect("volumes");
            let filtered = ScanQuality::of(&scan, 0, 500).mean_filtered_fd_mm;
            (raw, filtered.expect("a low-pass fits"))
        });
        // |Δ sin| has the mean 2/π · 2 sin(π f TR) · amplitude.
        let expected = |hz: f64, mm: f64| 2.0 / PI * 2.0 * (PI * hz * TR_SECS).sin() * mm;
        assert!((still.0 - expected(0.3, 0.2)).abs() < 0.003, "{still:?}");
        assert!(still.1 < 0.03 * still.0, "{still:?}");
        assert!((moving.1 - expected(0.02, 2.0)).abs() < 0.003, "{moving:?}");
    }

    #[test]
    fn without_parameters_or_with_a_slow_tr_there_is_no_filtered_movement() {
        let filtered = |scan: &ScanSignals| ScanQuality::of(scan, 0, 1).mean_filtered_fd_mm;
        let slow = ScanSignals {
            tr_secs: 5.0,
            ..scan(1.0)
        };
        assert_eq!(filtered(&slow), None);
        let unknown = ScanSignals {
            confounds: None,
            ..scan(1.0)
        };
        assert_eq!(filtered(&unknown), None);
        let mut short = scan(1.0);
        short.confounds = Some(ConfoundTable::of_motion(Default::default()));
        assert_eq!(filtered(&short), None);
    }

    #[test]
    fn shares_and_minutes_are_of_the_volumes_that_are_not_dropped() {
        let quality = ScanQuality::of(&scan(0.0), 100, 300);
        assert_eq!(quality.censored_share, Some(0.25));
        assert_eq!(quality.kept_minutes, Some(300.0 * 0.72 / 60.0));
        assert_eq!(ScanQuality::of_volumes(0, 0, 2.0), ScanQuality::default());
    }

    #[test]
    fn dvars_is_the_change_in_percent_of_the_mean() {
        // Steps of 2 around 100 and of 4 around 200: 2 % in both ROIs.
        let values = [vec![99., 101., 99., 101.], vec![198., 202., 198., 202.]].concat();
        let mut scan = ScanSignals::new(values, 2, 1.0);
        let dvars = |scan: &ScanSignals, start| mean_dvars_percent(scan, start);
        assert_eq!(dvars(&scan, 0), Some(2.0));
        // A volume without values ends two pairs; without pairs there is no DVARS.
        scan.outliers = Some(vec![false, true, false, false]);
        let mean = (99.0 + 99.0 + 101.0) / 3.0;
        assert!((dvars(&scan, 0).expect("one pair") - 200.0 / mean).abs() < 1e-12);
        assert_eq!(dvars(&scan, 3), None);
    }

    #[test]
    fn signals_without_their_mean_have_no_dvars() {
        let residuals = ScanSignals::new(vec![-1.0, 1.0, -1.0, 1.0], 1, 1.0);
        assert_eq!(mean_dvars_percent(&residuals, 0), None);
        let missing = ScanSignals::new(vec![f64::NAN; 4], 1, 1.0);
        assert_eq!(mean_dvars_percent(&missing, 0), None);
        let empty = ScanSignals::new(Vec::new(), 0, 1.0);
        assert_eq!(mean_dvars_percent(&empty, 0), None);
        // One of two ROIs has its mean.
        let half = [vec![99., 101., 99., 101.], vec![-1., 1., -1., 1.]].concat();
        assert_eq!(
            mean_dvars_percent(&ScanSignals::new(half, 2, 1.0), 0),
            Some(2.0)
        );
    }
}
