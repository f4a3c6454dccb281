"""Writes tangent.json: tangent vectors by nilearn of made-up scans.

    python tangent.py        # seed 14, numpy 2.4.6, nilearn 0.14.1

The mean is of the training scans alone; vectors are of the test scans.
"""

import json
import pathlib

import numpy as np
from nilearn.connectome import ConnectivityMeasure

rng = np.random.default_rng(14)
ROIS = 6


def scan(volumes):
    """Correlated ROIs of different means and scales, exact in 32 bits, [volumes, rois]."""
    mixing = np.eye(ROIS) + 0.5 * rng.normal(size=(ROIS, ROIS))
    signals = rng.normal(size=(volumes, ROIS)) @ mixing
    signals = 100 * (1 + np.arange(ROIS)) + signals * (1 + np.arange(ROIS))
    return np.round(signals * 8).astype(np.float32) / 8


def standardised(signals):
    """Mean 0 and variance 1 of every ROI."""
    signals = signals.astype(np.float64)
    return (signals - signals.mean(axis=0)) / signals.std(axis=0)


training = [scan(volumes) for volumes in [20, 30, 40, 25, 60, 35, 24, 50]]
test = [scan(volumes) for volumes in [8, 45, 200]]
measure = ConnectivityMeasure(kind="tangent", vectorize=True)
measure.fit([standardised(signals) for signals in training])
vectors = measure.transform([standardised(signals) for signals in test])

golden = {
    "rois": ROIS,
    "training": [signals.ravel().tolist() for signals in training],
    "test": [signals.ravel().tolist() for signals in test],
    "vectors": vectors.tolist(),
}
text = json.dumps(golden).replace("], [", "],\n[").replace('], "', '],\n"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
