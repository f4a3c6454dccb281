# What a lab does today, for `bench linear --python`: scikit-learn on rows that are already standardised.
import json, os, resource, sys, time

folder, how, n_features, n_classes, n_targets, threads = *sys.argv[1:3], *map(int, sys.argv[3:7])
penalties, tolerance, max_iter = [float(x) for x in sys.argv[7].split(",")], float(sys.argv[8]), int(sys.argv[9])
# Read when numpy is loaded.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import numpy
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV


def read(name, columns):
    return numpy.fromfile(os.path.join(folder, name), dtype="<f8").reshape(-1, columns)


x, other = read("x.f64", n_features), read("other.f64", n_features)
classes, targets = read("classes.f64", 1)[:, 0], read("targets.f64", n_targets)
n = len(x)
numpy.linalg.norm(x[:64] @ x[:64].T)  # threads start


def logistic():
    # Ours: mean loss + penalty / 2 |W|^2; theirs: C times the sum of losses + 1 / 2 |W|^2.
    model = LogisticRegression(C=1 / (penalties[0] * n), tol=tolerance, max_iter=max_iter).fit(x, classes)
    assert model.classes_.tolist() == list(range(n_classes))
    return lambda: (model.predict_proba(other), {"iterations": int(model.n_iter_[0])})


def ridge():
    models = [Ridge(alpha=penalty * n).fit(x, targets) for penalty in penalties]
    return lambda: (numpy.stack([model.predict(other) for model in models]), {})


def ridge_cv():
    model = RidgeCV(alphas=[penalty * n for penalty in penalties], alpha_per_target=True).fit(x, targets)
    chosen = [penalties.index(min(penalties, key=lambda p: abs(p * n - alpha))) for alpha in model.alpha_]
    return lambda: (model.predict(other), {"chosen": chosen})


start = time.perf_counter()
predict = {"logistic": logistic, "ridge": ridge, "ridge-cv": ridge_cv}[how]()
milliseconds = (time.perf_counter() - start) * 1e3
predictions, more = predict()
predictions.astype("<f8").tofile(os.path.join(folder, "peer.f64"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": milliseconds, "peak_rss_mib": peak, **more}))
