#![no_main]
//! CIFTI-2 readers: headers, XML, axes, dense and parcellated series, labels.

use brainmae_formats::cifti::CiftiFile;
use brainmae_formats::label_map::GrayordinateLabels;
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = file("a.dtseries.nii", data);
    let Ok(cifti) = CiftiFile::open(&path) else { return };
    let labels = GrayordinateLabels {
        left: (0..32_492).map(|vertex| vertex % 4).collect(),
        right: (0..32_492).map(|vertex| vertex % 4).collect(),
        ..GrayordinateLabels::default()
    };
    let _ = cifti.roi_means(&labels, 3, None, 1);
    let _ = cifti.roi_means(&GrayordinateLabels::default(), 3, Some(0..1), 2);
    let _ = cifti.roi_signals_of_parcels(None);
    let _ = cifti.dense_labels();
});
