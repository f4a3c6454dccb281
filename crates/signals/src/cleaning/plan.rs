//! Plan of the cleaning steps for one scan, and their execution ROI by ROI.

use super::band_pass::{BandPass, Filter};
use super::censor::{Censoring, fill};
use super::confound_model::ConfoundModel;
use super::detrend::detrend;
use super::freedom::{Freedom, band_share};
use super::regression::Regression;
use super::resample::Resampler;
use super::steps::{CleaningStep, Dummies};
use super::unusable::{ConfoundProblem, Unusable};
use super::z_score::{is_constant, mean_and_sd, z_score};
use super::{RoiConstants, ScanSignals};
use crate::confounds::ConfoundTable;
use crate::motion::mean_fd_mm;

/// Problem of one ROI.
pub(super) enum Flaw {
    NotFinite,
    Constant,
}

/// Work buffers that all ROIs share.
#[derive(Default)]
pub(super) struct Buffers {
    /// The signal of an ROI: the uncensored volumes at first, the result at the end.
    pub signal: Vec<f64>,
    other: Vec<f64>,
}

/// The settings of the requested steps.
#[derive(Default)]
struct Asked {
    dummies: Option<Dummies>,
    model: Option<ConfoundModel>,
    censoring: Option<Censoring>,
    detrends: bool,
    band: Option<BandPass>,
    dt_secs: Option<f64>,
    z_scores: bool,
}

impl Asked {
    fn of(steps: &[CleaningStep]) -> Self {
        let mut asked = Self::default();
        for step in steps {
            match *step {
                CleaningStep::DropDummies(dummies) => asked.dummies = Some(dummies),
                CleaningStep::RegressConfounds { model } => asked.model = Some(model),
                CleaningStep::Censor(censoring) => asked.censoring = Some(censoring),
                CleaningStep::DetrendLinear => asked.detrends = true,
                CleaningStep::BandPass(band) => asked.band = Some(band),
                CleaningStep::Resample { dt_secs } => asked.dt_secs = Some(dt_secs),
                CleaningStep::ZScore => asked.z_scores = true,
            }
        }
        asked
    }
}

/// The plan for one scan, the same for all its ROIs.
pub(super) struct Plan {
    /// Number of volumes dropped at the start.
    pub dropped: usize,
    /// Number of other volumes.
    n_volumes: usize,
    /// Indices of the uncensored ones among them.
    kept_at: Vec<usize>,
    regression: Option<Regression>,
    detrends: bool,
    filter: Option<Filter>,
    resampler: Option<Resampler>,
    z_scores: bool,
    /// By volume after cleaning: whether it is uncensored.
    pub kept: Vec<bool>,
    /// Mean over the volumes that are not dropped, censored ones included.
    pub mean_fd_mm: Option<f64>,
}

impl Plan {
    pub fn new(input: &ScanSignals, steps: &[CleaningStep]) -> Result<Self, Unusable> {
        let asked = Asked::of(steps);
        let acquired = input.n_volumes();
        let confounds = input.confounds.as_ref();
        for (what, found) in [
            ("rows of confounds", confounds.map(ConfoundTable::n_volumes)),
            ("marks of outliers", input.outliers.as_ref().map(Vec::len)),
        ] {
            if let Some(found) = found.filter(|found| *found != acquired) {
                return Err(Unusable::Length {
                    what,
                    found,
                    expected: acquired,
                });
            }
        }
        let needed = |step: &'static str| confounds.ok_or(Unusable::NoConfounds { step });

        let dropped = match asked.dummies {
            None => 0,
            Some(Dummies::Volumes(volumes)) => volumes,
            Some(Dummies::NonSteadyState) => {
                let table = needed("dropping volumes before the steady state")?;
                table.non_steady_state.ok_or(Unusable::Confound {
                    column: "non_steady_state_outlier_XX".into(),
                    problem: ConfoundProblem::OfFmriprep,
                })?
            }
        };
        let n_volumes = acquired.saturating_sub(dropped);
        let start = acquired - n_volumes;

        let fd_mm = confounds.and_then(ConfoundTable::fd_mm);
        let mut kept: Vec<bool> = match &input.outliers {
            Some(outliers) => outliers[start..].iter().map(|outlier| !outlier).collect(),
            None => vec![true; n_volumes],
        };
        if let Some(censoring) = asked.censoring {
            needed("censoring")?;
            let fd_mm = fd_mm.as_ref().ok_or_else(|| Unusable::Confound {
                column: "framewise_displacement".into(),
                problem: ConfoundProblem::Missing,
            })?;
            censoring.mark(&fd_mm[start..], &mut kept);
        }
        let kept_at: Vec<usize> = (0..n_volumes).filter(|volume| kept[*volume]).collect();
        let nothing_kept = Unusable::NothingKept {
            n_volumes: acquired,
            dropped,
            censored: n_volumes - kept_at.len(),
        };
        if kept_at.is_empty() {
            return Err(nothing_kept);
        }

        let regression = match asked.model {
            None => None,
            Some(model) => {
                let confounds = model.confounds(needed("confound regression")?)?;
                let acquired_at: Vec<usize> = kept_at.iter().map(|at| at + dropped).collect();
                Some(Regression::new(&confounds, &acquired_at)?)
            }
        };
        if asked.model.is_some() || asked.band.is_some() {
            Freedom {
                kept: kept_at.len(),
                band_share: band_share(asked.band, input.tr_secs, asked.dt_secs),
                confounds: regression.as_ref().map_or(0, Regression::rank),
            }
            .check()?;
        }
        let filter = match asked.band {
            None => None,
            Some(band) => Some(band.filter(input.tr_secs, n_volumes)?),
        };
        let resampler = match asked.dt_secs {
            None => None,
            Some(dt_secs) => Resampler::new(input.tr_secs, dt_secs, n_volumes)?,
        };
        if let Some(resampler) = &resampler {
            kept = resampler.kept(&kept);
            if !kept.contains(&true) {
                return Err(nothing_kept);
            }
        }
        Ok(Self {
            dropped,
            n_volumes,
            kept_at,
            regression,
            detrends: asked.detrends,
            filter,
            resampler,
            z_scores: asked.z_scores,
            kept,
            mean_fd_mm: fd_mm.and_then(|fd_mm| mean_fd_mm(&fd_mm[start..])),
        })
    }

    /// Cleans the signal of one ROI as acquired; the result is in the first buffer.
    pub fn clean(
        &self,
        acquired: &[f64],
        Buffers { signal, other }: &mut Buffers,
    ) -> Result<RoiConstants, Flaw> {
        let mut constants = RoiConstants::default();
        let acquired = &acquired[self.dropped..];
        signal.clear();
        signal.extend(self.kept_at.iter().map(|&volume| acquired[volume]));
        // Signals are kept in 32 bits.
        if !signal.iter().all(|value| (*value as f32).is_finite()) {
            return Err(Flaw::NotFinite);
        }
        let scale = signal
            .iter()
            .fold(0.0, |max: f64, value| max.max(value.abs()));
        if is_constant(mean_and_sd(signal.iter().copied()).1, scale) {
            return Err(Flaw::Constant);
        }
        if let Some(regression) = &self.regression {
            regression.remove(signal);
        }
        if self.detrends {
            constants.slope_per_volume = Some(detrend(signal, &self.kept_at, self.n_volumes));
        }
        if self.kept_at.len() < self.n_volumes {
            fill(signal, &self.kept_at, self.n_volumes, other);
            std::mem::swap(signal, other);
        }
        if let Some(filter) = &self.filter {
            filter.run(signal, other);
        }
        if let Some(resampler) = &self.resampler {
            resampler.run(signal, other);
            std::mem::swap(signal, other);
        }
        if self.z_scores {
            // A straight line is constant once detrended.
            let (mean, sd) = z_score(signal, &self.kept, scale).ok_or(Flaw::Constant)?;
            (constants.mean, constants.sd) = (Some(mean), Some(sd));
        }
        Ok(constants)
    }
}
