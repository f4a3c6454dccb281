"""Time and memory of a neural baseline in PyTorch, for `bench baselines --reference`.

Times training steps (forward, loss, backward, clip, AdamW) and predictions on random inputs, and prints one JSON line:
train_ms (median of the steps), infer_ms (median, for all scans) and peak_rss_mib.
"""

import argparse
import json
import resource
import time

import torch
import torch.nn.functional as F

from bnt import Bnt
from bolt import Bolt
from brainnetcnn import BrainNetCnn
from fbnetgen import FbNetGen
from mean_mlp import MeanMlp
from stagin import Stagin
from transformer import Transformer

NETWORKS = {
    "brainnetcnn": (BrainNetCnn, {}),
    "bnt": (Bnt, {}),
    "bnt-plain": (Bnt, {"clusters": None}),
    "stagin-garo": (Stagin, {"readout": "garo"}),
    "stagin-sero": (Stagin, {"readout": "sero"}),
    "fbnetgen": (FbNetGen, {}),
    "transformer": (Transformer, {}),
    "mean-mlp": (MeanMlp, {}),
    "bolt": (Bolt, {}),
}


def median_ms(work, steps):
    """Milliseconds of `work`, after one call to warm up."""
    times = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times[1:])[steps // 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    for name in ("batch", "scans", "rois", "volumes", "threads", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    kind, sizes = NETWORKS[a.network]
    network = kind(a.rois, a.volumes, 2, **sizes)
    bold = torch.randn(max(a.batch, a.scans), a.rois, a.volumes)
    fc = torch.stack([torch.corrcoef(scan) for scan in bold])
    truth = torch.arange(a.batch) % 2
    classes = F.one_hot(truth, 2).float()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def train():
        optimizer.zero_grad()
        logits, penalty = network(bold[: a.batch], fc[: a.batch], classes)
        loss = F.cross_entropy(logits, truth)
        (loss if penalty is None else loss + penalty).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1e9)
        optimizer.step()

    @torch.no_grad()
    def infer():
        for first in range(0, a.scans, a.batch):
            network(bold[first : min(first + a.batch, a.scans)], fc[first : min(first + a.batch, a.scans)], None)

    train_ms = median_ms(train, a.steps)
    network.eval()
    infer_ms = median_ms(infer, a.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"train_ms": train_ms, "infer_ms": infer_ms, "peak_rss_mib": peak}))


if __name__ == "__main__":
    main()
