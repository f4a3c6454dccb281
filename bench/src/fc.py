# What a lab does today, for `bench fc --python`: numpy, one scan after another or one on each thread.
import json, os, resource, sys, time

path, n_volumes, n_rois, threads, how, out = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], sys.argv[6]
# One scan on each thread leaves one thread for its product. Read when numpy is loaded.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1" if how == "threads" else str(threads)

from concurrent.futures import ThreadPoolExecutor

import numpy

scans = numpy.fromfile(path, dtype="<f4").reshape(-1, n_volumes, n_rois)
correlations = numpy.empty((len(scans), n_rois, n_rois), dtype=numpy.float32)


def blas(i):
    x = scans[i] - scans[i].mean(axis=0)
    x /= numpy.linalg.norm(x, axis=0)
    correlations[i] = x.T @ x


def corrcoef(i):
    correlations[i] = numpy.corrcoef(scans[i], rowvar=False)


one = corrcoef if how == "corrcoef" else blas
with ThreadPoolExecutor(threads) as pool:
    go = pool.map if how == "threads" else map
    list(go(one, range(min(threads, len(scans)))))  # threads start
    correlations[:] = 0  # the system hands out memory when it is first written
    start = time.perf_counter()
    list(go(one, range(len(scans))))
    milliseconds = (time.perf_counter() - start) * 1e3
correlations.tofile(out)
print(json.dumps({"ms": milliseconds, "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
