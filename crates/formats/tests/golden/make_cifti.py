"""Writes the CIFTI files and the expected means in `cifti/`.

nibabel 5.4.2, numpy 2.4, Connectome Workbench's `wb_command` for `workbench.ptseries.nii`; seed 7.
Run in this folder: `python make_cifti.py`.
"""

import json
import pathlib
import subprocess

import nibabel as nib
import numpy as np
from nibabel import cifti2

OUT = pathlib.Path(__file__).parent / "cifti"
OUT.mkdir(exist_ok=True)
rng = np.random.default_rng(7)

LEFT, RIGHT, SHAPE, N_VOLUMES = 12, 10, (5, 4, 3), 7
left = cifti2.BrainModelAxis.from_surface([0, 2, 3, 5, 6, 8, 11], LEFT, "CortexLeft")
right = cifti2.BrainModelAxis.from_surface([1, 2, 4, 7, 9], RIGHT, "CortexRight")
mask = np.zeros(SHAPE, bool)
mask[1:4, 1, 1] = mask[2, 2, 0:2] = True
affine = np.array([[-2, 0, 0, 4], [0, 2, 0, -6], [0, 0, 2, -3], [0, 0, 0, 1]], float)
voxels = cifti2.BrainModelAxis.from_mask(mask, affine=affine, name="ThalamusLeft")
models = left + right + voxels
series = cifti2.SeriesAxis(0, 0.72, N_VOLUMES)
values = (1000 + 50 * rng.standard_normal((N_VOLUMES, len(models)))).astype("f4")

# Keys with a gap; 0 is no label.
keys = np.array([1, 1, 2, 0, 2, 2, 1, 3, 3, 0, 5, 5, 6, 6, 6, 0, 5])
names = {0: "???", 1: "LH_A", 2: "LH_B", 3: "RH_A", 5: "RH_B_and_thalamus", 6: "thalamus"}
table = {key: (name, (0.5, 0.5, 0.5, 1.0)) for key, name in names.items()}
labels = cifti2.LabelAxis(["first"], [table])


def save(name, data, axes, intent, dtype=None):
    header = cifti2.Cifti2Header.from_axes(axes)
    nifti = nib.Nifti2Header()
    nifti.set_intent(intent)
    image = cifti2.Cifti2Image(data, header, nifti_header=nifti)
    image.update_headers()
    image.nifti_header.set_intent(intent)
    if dtype:
        image.set_data_dtype(dtype)
    image.to_filename(OUT / name)


save("dense.dtseries.nii", values, (series, models), "ConnDenseSeries")
save("transposed.dtseries.nii", values.T.copy(), (models, series), "none")
save("labels.dlabel.nii", keys[None].astype("i4"), (labels, models), "ConnDenseLabel", "i4")
subprocess.run(
    ["wb_command", "-disable-provenance", "-cifti-parcellate", OUT / "dense.dtseries.nii",
     OUT / "labels.dlabel.nii", "COLUMN", OUT / "workbench.ptseries.nii"],
    check=True,
)

expected = {
    "tr_secs": 0.72,
    "n_grayordinates": len(models),
    "left": [int(key) for key in np.bincount([0, 2, 3, 5, 6, 8, 11], keys[:7], LEFT)],
    "right": [int(key) for key in np.bincount([1, 2, 4, 7, 9], keys[7:12], RIGHT)],
    "voxels": [[*map(int, ijk), int(key)] for ijk, key in zip(voxels.voxel, keys[12:])],
    "names": names,
    # [volume][roi], the ROI of index k - 1 being that of key k; nobody has key 4.
    "means": [
        [None if k == 4 else float(row[keys == k].astype("f8").mean()) for k in range(1, 7)]
        for row in values
    ],
}
(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
