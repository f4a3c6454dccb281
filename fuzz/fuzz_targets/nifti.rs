#![no_main]
//! NIfTI readers, plain and compressed: volumes, label volumes, means of ROIs.

use brainmae_formats::label_map::VoxelLabels;
use brainmae_formats::nifti::{NiftiReader, roi_means};
use brainmae_fuzz::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for name in ["image.nii", "image.nii.gz"] {
        let path = file(name, data);
        let Ok(mut reader) = NiftiReader::open(&path) else { continue };
        let mut voxels = Vec::new();
        while let Ok(true) = reader.read_volume(&mut voxels) {}
        let labels = VoxelLabels::read(&path).map(|labels| labels.regions().len());
        let shape = reader.header().shape();
        let n_voxels = shape.iter().product::<u64>();
        if labels.is_err() && n_voxels < 1 << 16 {
            let labels = VoxelLabels {
                shape,
                affine: reader.header().affine,
                labels: (0..n_voxels as u32).map(|voxel| voxel % 4).collect(),
            };
            let _ = roi_means(&path, &labels, 3, None);
        }
    }
});
