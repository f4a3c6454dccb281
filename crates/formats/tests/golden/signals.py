"""Writes the golden files of the readers of signals: `python signals.py` in this folder.

Tables hold 5 volumes of 4 ROIs, value = 10 * volume + roi + 0.5, but NaN for ROI 2 in volume 3.
Scan "b" of the files with two scans holds the negative values of the first 4 volumes.
"""

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

NAMES = ["LH_Vis_1", "LH_SomMot_1", "RH_Vis_1", "RH_Default_1"]


def values():
    table = 10.0 * np.arange(5)[:, None] + np.arange(4)[None, :] + 0.5
    table[3, 2] = np.nan
    return table


def npy():
    np.save("signals_f4.npy", values().astype("<f4"))
    np.save("signals_f8_fortran.npy", np.asfortranarray(values()))
    np.save("signals_f8_big_endian.npy", values().astype(">f8"))
    with open("signals_i2_version_2.npy", "wb") as file:
        whole = (2 * np.nan_to_num(values())).astype("<i2")
        np.lib.format.write_array(file, whole, version=(2, 0))
    np.save("signals_object.npy", np.array([[1, "a"]], dtype=object))


def wide():
    frames = []
    for scan, table in [("a", values()), ("b", -values()[:4])]:
        frame = pd.DataFrame(table.astype("f4"), columns=NAMES)
        frame.insert(0, "scan", scan)
        frame.insert(1, "volume", np.arange(len(table)))
        frame.insert(2, "time_secs", 0.72 * np.arange(len(table)))
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    # Rows in another order, several row groups, a scan in two of them.
    shuffled = frame.iloc[[4, 1, 8, 0, 3, 2, 5, 7, 6]]
    return frame, shuffled


def columnar():
    frame, shuffled = wide()
    shuffled.to_parquet("wide_snappy.parquet", row_group_size=4)  # with the index of pandas
    frame["scan"] = frame["scan"].astype("category")
    frame.to_parquet("wide_gzip.parquet", index=False, compression="gzip")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pa.feather.write_feather(table, "wide.arrow", compression="uncompressed", chunksize=4)
    pa.feather.write_feather(table, "wide_lz4.arrow", compression="lz4")

    long = frame.melt(
        id_vars=["scan", "volume", "time_secs"], var_name="roi", value_name="value"
    ).dropna()
    long["volume"] += 1
    long.sample(frac=1.0, random_state=7).to_parquet(
        "long_names.parquet", index=False, compression="zstd"
    )
    long["roi"] = long["roi"].map({name: at for at, name in enumerate(NAMES)})
    long = long[long["scan"] == "a"].drop(columns=["scan"])
    pa.feather.write_feather(
        pa.Table.from_pandas(long, preserve_index=False), "long_numbers.arrow",
        compression="uncompressed",
    )

    rows = pa.FixedSizeListArray.from_arrays(
        pa.array(np.concatenate([values(), -values()[:4]]).ravel().astype("f4")), 4
    )
    bold = pa.table({"scan": ["a"] * 5 + ["b"] * 4, "bold": rows})
    pa.feather.write_feather(bold, "lists.arrow", compression="uncompressed")
    pa.parquet.write_table(bold, "lists.parquet", compression="none")


def images():
    """A scan of 6 volumes on an oblique grid, scaled integers, and labels 1 to 3 with a gap."""
    rng = np.random.default_rng(7)
    shape = (5, 4, 3)
    affine = np.array(
        [[-1.9, 0.2, 0, 90], [0.2, 1.9, 0.1, -126], [0, -0.1, 2, -72], [0, 0, 0, 1]]
    )
    labels = rng.choice([0, 1, 2, 40], size=shape).astype("i2")
    nib.save(nib.Nifti1Image(labels, affine), "labels.nii.gz")
    floats = np.where(labels == 0, np.nan, labels).astype("f4")
    nib.save(nib.Nifti2Image(floats, affine), "labels_f4_version_2.nii")

    bold = rng.normal(500, 50, size=(*shape, 6))
    bold[1, :2] = 0  # Outside the brain mask.
    image = nib.Nifti1Image(bold, affine)
    image.set_data_dtype(np.int16)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 1.6
    nib.save(image, "bold_i2.nii.gz")
    read = nib.load("bold_i2.nii.gz").get_fdata()
    expected = {"means": [], "coverage": [], "regions": {}}
    inside = read[..., 0] != 0
    for key in [1, 2, 40]:
        region = labels == key
        expected["means"].append(read[region & inside].mean(axis=0).tolist())
        expected["coverage"].append(float((region & inside).sum() / region.sum()))
        middle = nib.affines.apply_affine(affine, np.argwhere(region)).mean(axis=0)
        expected["regions"][str(key)] = [int(region.sum()), *middle.tolist()]
    with open("images.json", "w") as file:
        json.dump(expected, file, indent=1)


npy()
columnar()
images()
