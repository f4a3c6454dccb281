# What a lab does today, for `bench ingest --python`: nibabel + numpy, one file to ROI means.
import json, resource, sys, time

import nibabel
import numpy

path, rois_of_grayordinates, n_rois = sys.argv[1], sys.argv[2], int(sys.argv[3])
rois = numpy.fromfile(rois_of_grayordinates, dtype="<u4")
start = time.perf_counter()
signals = nibabel.load(path).get_fdata(dtype=numpy.float32)
means = numpy.stack([signals[:, rois == roi].mean(axis=1, dtype=numpy.float64) for roi in range(1, n_rois + 1)], axis=1)
milliseconds = (time.perf_counter() - start) * 1e3
means.T.astype("<f8").tofile(sys.argv[4])  # [roi][volume]
print(json.dumps({"ms": milliseconds, "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
