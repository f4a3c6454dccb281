//! Cleaning of a dtseries into ROI series: regression of head movement, checked with FC.

use std::error::Error;
use std::path::Path;

use brainmae_formats::CiftiFile;
use brainmae_formats::cifti::writer::{BrainModel, CiftiRows, CiftiWriter, Places};
use brainmae_formats::label_map::GrayordinateLabels;
use brainmae_signals::cleaning::{CleaningStep, ConfoundModel, ScanSignals, clean_scan};
use brainmae_signals::{ConfoundTable, fc};

const N_ROIS: usize = 2;
const N_VOLUMES: usize = 200;
const TR_SECS: f64 = 0.72;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("clean-{}.dtseries.nii", std::process::id()));
    let motion = std::array::from_fn(|axis| (0..N_VOLUMES).map(|t| moved(axis, t)).collect());
    write_scan(&path, &motion)?;
    // Vertices 0 and 1 are ROI 1, vertices 2 and 3 are ROI 2.
    let labels = GrayordinateLabels {
        left: vec![1, 1, 2, 2],
        ..GrayordinateLabels::default()
    };

    // Read and clean the file.
    let raw = CiftiFile::open(&path)?.roi_means(&labels, N_ROIS, None, 1)?;
    let scan = ScanSignals::new(raw.signals.values, N_ROIS, TR_SECS);
    let before = clean_scan(scan.clone(), &[CleaningStep::ZScore])?;
    let model = ConfoundModel::Motion6;
    let steps = [
        CleaningStep::RegressConfounds { model },
        CleaningStep::ZScore,
    ];
    let scan = scan.with_confounds(ConfoundTable::of_motion(motion));
    let (series, _) = clean_scan(scan, &steps)?.into_series(TR_SECS)?;

    let (before, _) = before.into_series(TR_SECS)?;
    println!("correlation before: {:.2}", fc::of_series(&before)[(0, 1)]);
    println!("correlation after:  {:.2}", fc::of_series(&series)[(0, 1)]);
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Position of the head along an axis.
fn moved(axis: usize, volume: usize) -> f64 {
    (volume as f64 * 0.05 * (axis as f64 + 1.0)).sin()
}

/// Writes four vertices whose signals share head movement only.
fn write_scan(path: &Path, motion: &[Vec<f64>; 6]) -> Result<(), Box<dyn Error>> {
    let rows = CiftiRows::Dense(vec![BrainModel {
        structure: "CORTEX_LEFT",
        places: Places::Vertices {
            n_vertices: 4,
            indices: vec![0, 1, 2, 3],
        },
    }]);
    let mut writer = CiftiWriter::create(path, &rows, N_VOLUMES, TR_SECS)?;
    for vertex in 0..4 {
        let frequency = if vertex < 2 { 0.7 } else { 1.1 };
        let row: Vec<f32> = (0..N_VOLUMES)
            .map(|t| (100.0 + (t as f64 * frequency).sin() + 2.0 * motion[0][t]) as f32)
            .collect();
        writer.write_row(&row)?;
    }
    writer.finish()?;
    Ok(())
}
