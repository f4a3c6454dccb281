//! Batches of the neural baselines: stretches of signals and their correlations, on the device.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::DMatrix;
use rayon::prelude::*;

use brainmae_signals::scales::Scales;

use super::Scaling;
use crate::features::fc_of_examples;
use crate::{Example, Examples, Scan};

/// Inputs that an architecture needs; others are not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Signals.
    pub bold: bool,
    /// Functional connectivity.
    pub fc: bool,
}

impl Needs {
    /// Signals alone.
    pub const BOLD: Self = Self {
        bold: true,
        fc: false,
    };
    /// Functional connectivity alone.
    pub const FC: Self = Self {
        bold: false,
        fc: true,
    };
    /// Signals and functional connectivity.
    pub const BOLD_AND_FC: Self = Self {
        bold: true,
        fc: true,
    };
}

/// A batch of examples, or of crops of them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// `[batch, rois, time]`, z-scored per ROI over the uncensored volumes of the whole scan, or of
    /// the whole example, see [`Scaling`]; 0 for padding of short examples and for
    /// an ROI without variance.
    pub bold: Option<Tensor<3>>,
    /// `[batch, rois, rois]`, Pearson correlation over the uncensored volumes of the whole example;
    /// 0 for an ROI without variance.
    pub fc: Option<Tensor<3>>,
    /// `[batch, classes]`, 1 for the true class; `None` for regression and for prediction.
    pub classes: Option<Tensor<2>>,
}

impl Batch {
    /// The signals, for an architecture that [`Needs`] them.
    pub fn bold(&self) -> Tensor<3> {
        let bold = self.bold.clone();
        bold.expect("the architecture said that it needs signals")
    }

    /// Functional connectivity, for an architecture that [`Needs`] it.
    pub fn fc(&self) -> Tensor<3> {
        let fc = self.fc.clone();
        fc.expect("the architecture said that it needs functional connectivity")
    }
}

/// A crop of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crop {
    /// Number of the example.
    pub example: usize,
    /// First volume, counted from the first of the example.
    pub start_volume: usize,
}

/// Examples, ready to be cropped.
pub(super) struct Stretches<'a> {
    examples: &'a Examples<'a>,
    /// Scales of each example; examples share those of their scan.
    scales: Vec<Arc<Scales>>,
    /// Functional connectivity of each example, if it is needed.
    fc: Vec<Tensor<2>>,
    needs: Needs,
}

impl<'a> Stretches<'a> {
    /// Computes the statistics of the examples.
    pub fn new(
        examples: &'a Examples<'a>,
        needs: Needs,
        scaling: Scaling,
        device: &Device,
    ) -> Self {
        let scales = match needs.bold {
            false => Vec::new(),
            true => scales(examples, scaling),
        };
        let fc = match needs.fc {
            false => Vec::new(),
            true => (fc_of_examples(examples).into_iter())
                .map(|fc| tensor(fc, device))
                .collect(),
        };
        Self {
            examples,
            scales,
            fc,
            needs,
        }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Number of volumes of an example.
    pub fn n_volumes(&self, example: usize) -> usize {
        self.examples.list[example].n_volumes
    }

    /// Scan and first volume of an example, for messages.
    pub fn name(&self, example: usize) -> String {
        let example = self.examples.list[example];
        let scan = &self.examples.scans[example.scan].scan;
        format!("{scan} from volume {}", example.start_volume)
    }

    /// Crops of `n_volumes` that cover an example: the smallest possible number, the first at its
    /// start and the last at its end.
    pub fn tiles(&self, example: usize, n_volumes: usize) -> impl Iterator<Item = Crop> {
        let room = self.n_volumes(example).saturating_sub(n_volumes);
        let tiles = if self.needs.bold {
            room.div_ceil(n_volumes) + 1
        } else {
            1
        };
        (0..tiles).map(move |tile| Crop {
            example,
            start_volume: room * tile / (tiles - 1).max(1),
        })
    }

    /// Crops of `n_volumes` as one batch.
    pub fn batch(&self, crops: &[Crop], n_volumes: usize, device: &Device) -> Batch {
        let bold = self.needs.bold.then(|| self.bold(crops, n_volumes, device));
        let fc = self.needs.fc.then(|| {
            let fc = crops.iter().map(|crop| self.fc[crop.example].clone());
            Tensor::stack::<3>(fc.collect(), 0)
        });
        Batch {
            bold,
            fc,
            classes: None,
        }
    }

    fn bold(&self, crops: &[Crop], n_volumes: usize, device: &Device) -> Tensor<3> {
        let rois = self.scales[crops[0].example].n_rois();
        let mut values = vec![0.0; crops.len() * rois * n_volumes];
        let all = values.par_chunks_exact_mut(rois * n_volumes).zip(crops);
        all.for_each(|(values, crop)| {
            let example = self.examples.list[crop.example];
            let signals = self.examples.scans[example.scan].signals(example);
            let signals = &signals[crop.start_volume * rois..];
            let signals = &signals[..signals.len().min(n_volumes * rois)];
            self.scales[crop.example].standardise_turned(signals, values, n_volumes);
        });
        let shape = [crops.len(), rois, n_volumes];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// Scales of each example.
fn scales(examples: &Examples, scaling: Scaling) -> Vec<Arc<Scales>> {
    let of = |scan: &Scan, example: Example| {
        Arc::new(Scales::of(scan.kept(example), scan.series.n_rois()))
    };
    match scaling {
        Scaling::Example => {
            let all: Vec<(&Scan, Example)> = examples.iter().collect();
            all.into_par_iter().map(|(scan, e)| of(scan, e)).collect()
        }
        Scaling::Scan => {
            let numbers: BTreeSet<usize> = examples.list.iter().map(|e| e.scan).collect();
            let numbers: Vec<usize> = numbers.into_iter().collect();
            let whole = |number: usize| Example {
                scan: number,
                start_volume: 0,
                n_volumes: examples.scans[number].series.n_volumes(),
            };
            let of_scans: BTreeMap<usize, Arc<Scales>> = (numbers.into_par_iter())
                .map(|number| (number, of(&examples.scans[number], whole(number))))
                .collect();
            let shared = |e: &Example| Arc::clone(&of_scans[&e.scan]);
            examples.list.iter().map(shared).collect()
        }
    }
}

/// `[rois, rois]`; symmetric, so row-major and column-major are equal.
fn tensor(fc: DMatrix<f32>, device: &Device) -> Tensor<2> {
    let shape = [fc.nrows(), fc.ncols()];
    let values: Vec<f32> = fc.data.into();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use brainmae_data::BoldSeries;

    use super::*;

    fn scan(values: Vec<f32>, kept: Vec<bool>) -> Scan {
        let series = BoldSeries::new(values, 3, 2.0).unwrap();
        Scan {
            scan: "scan".into(),
            subject: "subject".into(),
            unit: "subject".into(),
            series: Arc::new(series.with_kept(kept).unwrap()),
            confounds: vec![],
            site: None,
            computed: Default::default(),
        }
    }

    fn one(n_volumes: usize) -> Vec<Example> {
        vec![Example {
            scan: 0,
            start_volume: 0,
            n_volumes,
        }]
    }

    const BOTH: Needs = Needs {
        bold: true,
        fc: true,
    };

    fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn signals_are_scored_and_correlated_over_kept_volumes() {
        // The third ROI is constant; the censored volumes, first and last, have extreme values.
        let values = vec![
            1e8, -99., 7., 1001., 1., 5., 1003., -1., 5., 1001., 1., 5., 1003., -1., 5., 9999.,
            99., 5.,
        ];
        let scans = [scan(values, vec![false, true, true, true, true, false])];
        let examples = Examples {
            scans: &scans,
            list: one(6),
        };
        let device = Device::flex();
        let stretches = Stretches::new(&examples, BOTH, Scaling::Scan, &device);
        let crop = Crop {
            example: 0,
            start_volume: 2,
        };
        let batch = stretches.batch(&[crop], 2, &device);
        assert_eq!(list(batch.bold()), [1., -1., -1., 1., 0., 0.]);
        assert_eq!(list(batch.fc()), [1., -1., 0., -1., 1., 0., 0., 0., 0.]);
    }

    #[test]
    fn a_stretch_keeps_its_mean_unless_it_is_scaled_by_itself() {
        // The mean of the first two volumes is far from that of the scan.
        let values = [2.0, 2.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0].map(|x| [x, -x, 1.0]);
        let scans = [scan(values.concat(), vec![true; 8])];
        let examples = Examples {
            scans: &scans,
            list: one(1),
        };
        let device = Device::flex();
        let first = |scaling| {
            let stretches = Stretches::new(&examples, Needs::BOLD, scaling, &device);
            let crop = Crop {
                example: 0,
                start_volume: 0,
            };
            list(stretches.batch(&[crop], 1, &device).bold())
        };
        let z = (2.0f32 - 0.25) / (10.0f32 / 8.0 - 0.0625).sqrt();
        for (found, expected) in first(Scaling::Scan).iter().zip([z, -z, 0.0]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
        assert_eq!(first(Scaling::Example), [0.0; 3]);
    }

    #[test]
    fn tiles_cover_an_example() {
        let scans = [scan(vec![0.5; 33], vec![true; 11])];
        let examples = Examples {
            scans: &scans,
            list: one(11),
        };
        let stretches = Stretches::new(&examples, BOTH, Scaling::Scan, &Device::flex());
        let starts = |n| -> Vec<usize> { stretches.tiles(0, n).map(|c| c.start_volume).collect() };
        assert_eq!(starts(4), [0, 3, 7]);
        assert_eq!(starts(11), [0]);
        assert_eq!(starts(20), [0]);
        assert_eq!(starts(10), [0, 1]);
    }
}
