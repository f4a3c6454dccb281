"""Writes ridge.json: errors of leave-one-out, and the penalty that they choose, by scikit-learn.

    python ridge.py        # seed 11, numpy 2.4.6, scikit-learn 1.9.1
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import RidgeCV

rng = np.random.default_rng(11)
PENALTIES = [1e2, 1e1, 1.0, 1e-1, 1e-2]  # per row


def case(rows, columns, noise):
    x = np.round(rng.normal(size=(rows, columns)), 3)
    x -= x.mean(axis=0)
    y = np.round(5 + 2 * x[:, 0] - x[:, 1] + noise * rng.normal(size=rows), 3)
    model = RidgeCV([rows * penalty for penalty in PENALTIES], store_cv_results=True).fit(x, y)
    return {
        "columns": columns,
        "x": x.ravel().tolist(),
        "y": y.tolist(),
        "squared_errors": model.cv_results_.T.tolist(),
        "chosen": float(model.alpha_ / rows),
    }


golden = {"penalties": PENALTIES, "cases": [case(15, 4, 2), case(12, 20, 5)]}
text = json.dumps(golden).replace("}, ", "},\n").replace("], [", "],\n[").replace('], "', '],\n"')
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
