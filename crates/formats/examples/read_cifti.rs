//! Kind, TR, length and ROI means of a dense series, with the labels of a `.dlabel.nii` file.
//!
//! Usage: `read_cifti SCAN.dtseries.nii LABELS.dlabel.nii`. Without arguments it reads two small
//! files of the tests.

use std::error::Error;
use std::path::{Path, PathBuf};

use brainmae_formats::CiftiFile;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cifti");
    let scan = arguments.next();
    let scan = scan.unwrap_or_else(|| golden.join("dense.dtseries.nii"));
    let labels = arguments.next();
    let labels = labels.unwrap_or_else(|| golden.join("labels.dlabel.nii"));

    let file = CiftiFile::open(&scan)?;
    println!(
        "{}, {} grayordinates, {} volumes every {:?} s",
        file.kind(),
        file.n_grayordinates(),
        file.n_volumes(),
        file.tr_secs()
    );
    let atlas = CiftiFile::open(&labels)?.dense_labels()?;
    // Keys of a file may start at any number; ROI numbers start at 1.
    let n_rois = usize::try_from(atlas.table.iter().map(|entry| entry.key).max().unwrap_or(0))?;
    let means = file.roi_means(&atlas.labels, n_rois, None, 2)?;
    for entry in &atlas.table {
        let roi = usize::try_from(entry.key).unwrap_or(0);
        if let Some(roi) = roi.checked_sub(1) {
            let mean = means.signals.roi(roi).iter().sum::<f64>() / file.n_volumes() as f64;
            println!(
                "{:>3} {:<12} {:5.1} % covered, mean {mean:.2}",
                entry.key,
                entry.name,
                100.0 * means.coverage[roi]
            );
        }
    }
    Ok(())
}
