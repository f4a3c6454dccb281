"""Writes linear.json: what scikit-learn makes of made-up rows.

    python linear.py        # seed 14, numpy 2.4, scikit-learn 1.9.1
"""

import json
import pathlib

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import LinearSVC, LinearSVR

rng = np.random.default_rng(14)
TRAINING, TEST = 18, 5
# Solved to the end, so that no difference is due to when a program stops.
EXACT = dict(tol=1e-10, max_iter=100_000, intercept_scaling=1.0, random_state=0)


def rows(columns):
    return np.round(rng.normal(size=(TRAINING + TEST, columns)), 4)


def case(columns):
    """Fewer or more columns than training rows."""
    x = rows(columns)
    y = np.round(2 * x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=len(x)) + 3, 4)
    classes = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    fitted, asked = slice(0, TRAINING), slice(TRAINING, None)

    def svc(cost, truth):
        machine = LinearSVC(C=cost, loss="squared_hinge", dual=True, **EXACT)
        return machine.fit(x[fitted], truth[fitted]).decision_function(x[asked])

    def svr(cost, tube):
        machine = LinearSVR(C=cost, epsilon=tube, loss="squared_epsilon_insensitive", dual=True, **EXACT)
        return machine.fit(x[fitted], y[fitted]).predict(x[asked])

    def kernel_ridge(penalty):
        kernel = np.corrcoef(x)
        mean = y[fitted].mean()
        model = KernelRidge(alpha=penalty, kernel="precomputed")
        model.fit(kernel[fitted, fitted], y[fitted] - mean)
        return model.predict(kernel[asked, fitted]) + mean

    return {
        "columns": columns,
        "x": x.ravel().tolist(),
        "y": y.tolist(),
        "classes": classes.astype(float).tolist(),
        "svc": [{"cost": c, "values": svc(c, classes).ravel().tolist()} for c in (0.01, 0.3)],
        "svc_of_two": [
            {"cost": c, "values": svc(c, np.minimum(classes, 1)).ravel().tolist()} for c in (0.01, 0.3)
        ],
        "svr": [
            {"cost": c, "tube": tube, "values": svr(c, tube).tolist()}
            for c, tube in ((0.02, 0.0), (0.02, 0.5), (0.5, 0.5))
        ],
        "kernel_ridge": [{"penalty": p, "values": kernel_ridge(p).tolist()} for p in (0.01, 1.0)],
    }


cases = [case(4), case(40)]
path = pathlib.Path(__file__).with_name("linear.json")
path.write_text(json.dumps({"training": TRAINING, "cases": cases}) + "\n")
