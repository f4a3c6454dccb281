"""Writes cleaning.json: what numpy, scipy and nilearn make of made-up signals.

    python cleaning.py        # seed 20, numpy 2.4, scipy 1.17.1, nilearn 0.14.1
"""

import json
import pathlib
import warnings

import numpy as np
from nilearn import signal as nilearn_signal
from scipy import signal, stats

warnings.simplefilter("ignore")
rng = np.random.default_rng(20)
N = 160
TR = 0.72

time = np.arange(N)
# Like BOLD: a mean, a drift, slow changes and noise.
raw = 1000 + 0.2 * time + 10 * np.cumsum(rng.normal(size=N)) / 5 + 5 * rng.normal(size=N)
raw = np.round(raw, 6)
motion = np.cumsum(rng.normal(size=(N, 6)) * [0.05, 0.05, 0.05, 5e-4, 5e-4, 5e-4], axis=0)
motion = np.round(motion, 9)


def motion_24(motion):
    derivative = np.vstack([np.zeros(6), np.diff(motion, axis=0)])
    six_and_derivatives = np.hstack([motion, derivative])
    return np.hstack([six_and_derivatives, six_and_derivatives**2])


def sos(high, low, order, tr):
    kind = "bandpass" if high and low else "highpass" if high else "lowpass"
    cut_off = [high, low] if high and low else high or low
    return signal.butter(order, cut_off, kind, fs=1 / tr, output="sos")


def resample(x, up, down):
    # padtype="line" would leave a ripple of a thousandth of the mean.
    slope = (x[-1] - x[0]) / (len(x) - 1)
    y = signal.resample_poly(x - x[0] - slope * np.arange(len(x)), up, down)
    return y + x[0] + slope * np.arange(len(y)) * down / up


band_pass = [
    {
        "high_pass_hz": high,
        "low_pass_hz": low,
        "order": order,
        "expected": signal.sosfiltfilt(sos(high, low, order, TR), raw).tolist(),
    }
    for high, low in [(0.01, 0.1), (None, 0.1), (0.01, None), (0.05, 0.6)]
    for order in [2, 5]
]

resampled = [
    {"tr_secs": tr, "dt_secs": dt, "expected": resample(raw, up, down).tolist()}
    for tr, dt, up, down in [
        (0.72, 0.8, 9, 10),
        (2.0, 0.75, 8, 3),
        (0.8, 0.72, 10, 9),
        (0.735, 0.72, 49, 48),
        (1.333, 1.0, 1333, 1000),
        (0.5, 2.0, 1, 4),
    ]
]

fd = np.insert(np.abs(np.diff(motion, axis=0) * [1, 1, 1, 50, 50, 50]).sum(axis=1), 0, 0)

regressed = nilearn_signal.clean(
    raw[:, None], confounds=motion_24(motion), detrend=False, standardize=False
)[:, 0]
# nilearn takes the mean with the confounds; here it stays.
regressed += raw.mean() - regressed.mean()


def whole(raw, motion):
    """All steps, one after another, with numpy's least squares and interpolation."""
    kept = fd <= 0.28
    kept[1:] &= fd[:-1] <= 0.28
    x, confounds, kept = raw[4:], motion_24(motion)[4:], kept[4:]
    t = np.arange(len(x))
    design = confounds[kept] - confounds[kept].mean(axis=0)
    y = x[kept]
    y = y - design @ np.linalg.lstsq(design, y - y.mean(), rcond=None)[0]
    slope, start = np.polyfit(t[kept], y, 1)
    y = y - slope * (t[kept] - (len(x) - 1) / 2)
    y = np.interp(t, t[kept], y)
    y = signal.sosfiltfilt(sos(0.01, 0.4, 2, TR), y)
    y = resample(y, 9, 10)
    place = np.arange(len(y)) * 10 / 9
    y, place = y[place <= len(x) - 1], place[place <= len(x) - 1]
    # scipy's default window, a sinc in a Kaiser window: at least 80 % of a sample comes from kept volumes.
    taps = signal.firwin(2 * 10 * 10 + 1, 1 / 10, window=("kaiser", 5.0))
    at = np.round((place[:, None] - t) * 9).astype(int) + 10 * 10
    weight = np.where((at >= 0) & (at < len(taps)), np.abs(taps[at.clip(0, len(taps) - 1)]), 0)
    kept = weight[:, kept].sum(axis=1) >= 0.8 * weight.sum(axis=1)
    return (y - y[kept].mean()) / y[kept].std(), kept


cleaned, kept = whole(raw, motion)
assert 10 < (~kept).sum() < 60

golden = {
    "tr_secs": TR,
    "raw": raw.tolist(),
    "motion": motion.T.tolist(),
    "framewise_displacement_mm": fd.tolist(),
    "detrended": (signal.detrend(raw) + raw.mean()).tolist(),
    "z_scored": stats.zscore(raw).tolist(),
    "motion_24_regressed": regressed.tolist(),
    "band_pass": band_pass,
    "resampled": resampled,
    "whole": {"expected": cleaned.tolist(), "kept": kept.tolist()},
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden).replace("}, ", "},\n").replace('], "', '],\n"') + "\n")
