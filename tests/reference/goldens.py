"""Golden arrays of the neural baselines, from the PyTorch networks in this folder.

    python goldens.py [--check | --renew] FOLDER [NETWORK ...]      # torch 2.9 or later, safetensors

Networks compute in 64 bits, from random weights and inputs that are exact in 32 bits. A file holds

    in.*        inputs
    weights.*   weights by the names of our modules, in PyTorch's layout; statistics of batch norms
    out.*       outputs; `train` with statistics of the batch, `eval` with those of the file; no dropout
    grad.*      gradients of `sum(in.direction * logits) + penalty` in training

With --check, outputs and gradients are computed from the inputs and weights of the files that are there, and compared
with those of the files; with --renew, they replace those of the files. Nothing here comes from a scan.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from bnt import Bnt
from bolt import Bolt
from brainnetcnn import BrainNetCnn
from fbnetgen import FbNetGen
from mean_mlp import MeanMlp
from stagin import Stagin
from transformer import Transformer

OUTPUTS = 2
# Network, its inputs besides the direction, batch, ROIs, volumes, and the sizes that differ from the paper's.
SMALL = {
    "brainnetcnn": (BrainNetCnn, "fc", 3, 5, 1, dict(e2e=(2, 3), e2n=4, n2g=5, dense=(6, 3))),
    "bnt": (Bnt, "fc", 3, 6, 1, dict(clusters=4, heads=2, feed_forward=7, kept=3, hidden=(5, 4))),
    "bnt-plain": (Bnt, "fc", 3, 6, 1, dict(clusters=None, heads=2, feed_forward=7, kept=3, hidden=(5, 4))),
    "stagin-garo": (Stagin, "bold", 2, 5, 14, dict(window=6, layers=2, d=4, ortho_weight=0.05)),
    "stagin-sero": (Stagin, "bold", 2, 5, 14, dict(readout="sero", window=6, layers=2, d=4, ortho_weight=0.05)),
    "fbnetgen": (FbNetGen, "bold fc classes", 6, 3, 14, dict(piece=4, layers=2, embedding=3, penalties=(1.0, 2.0, 0.5))),
    "transformer": (Transformer, "bold", 2, 5, 7, dict(heads=2, d_head=4)),
    "mean-mlp": (MeanMlp, "bold", 2, 5, 7, dict(hidden=6)),
    "bolt": (Bolt, "bold", 2, 6, 16, dict(layers=3, heads=2, d_head=4, window=5)),
}


def exact(x):
    """The nearest numbers that are exact in 32 bits."""
    return x.float().double()


def draw_inputs(names, batch, rois, volumes):
    inputs = {"direction": torch.randn(batch, OUTPUTS)}
    if "bold" in names:
        inputs["bold"] = torch.randn(batch, rois, volumes)
    if "fc" in names:
        inputs["fc"] = torch.stack([torch.corrcoef(torch.randn(rois, 20)) for _ in range(batch)])
    if "classes" in names:
        inputs["classes"] = torch.eye(OUTPUTS)[torch.arange(batch) % 3 % OUTPUTS]  # classes of unequal size
    return {name: exact(x) for name, x in inputs.items()}


def draw_weights(network):
    """Scales and offsets, too: their initial values, 1 and 0, would hide mistakes."""
    for name, x in network.state_dict().items():
        if name.endswith("running_var"):
            x.copy_(exact(0.5 + torch.rand_like(x)))
        elif name == "centres":
            x.copy_(exact(x))
        else:
            x.copy_(exact(torch.randn_like(x) * (x.shape[-1] ** -0.5 if x.ndim > 1 else 0.5)))


def computed(network, inputs):
    """Outputs and gradients; the state of the network stays."""
    before = {name: x.clone() for name, x in network.state_dict().items()}
    batch = [inputs.get(name) for name in ("bold", "fc", "classes")]
    arrays = {}
    if any(name.endswith("running_mean") for name in before):
        arrays["out.eval"] = network.eval()(*batch)[0]
    logits, penalty = network.train()(*batch)
    loss = (inputs["direction"] * logits).sum()
    arrays["out.train"] = logits
    if penalty is not None:
        arrays["out.penalty"] = penalty.reshape(1)
        loss = loss + penalty
    loss.backward()
    arrays |= {f"grad.{name}": weight.grad for name, weight in network.named_parameters()}
    network.load_state_dict(before)
    return {name: x.detach().float().contiguous() for name, x in arrays.items()}


def version():
    return {"torch": torch.__version__.split("+")[0]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="those of these names alone")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--renew", action="store_true")
    arguments = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    for seed, (name, (kind, inputs, batch, rois, volumes, sizes)) in enumerate(SMALL.items()):
        if arguments.networks and name not in arguments.networks:
            continue
        torch.manual_seed(seed)
        still = {name: 0.0 for name in ("dropout", "head_dropout") if name in kind.__init__.__code__.co_varnames}
        network = kind(rois, volumes, OUTPUTS, **sizes, **still)
        path = arguments.folder / f"{name}.safetensors"
        if arguments.check or arguments.renew:
            file = {key: x.double() for key, x in load_file(path).items()}
            part = lambda prefix: {k.removeprefix(prefix): x for k, x in file.items() if k.startswith(prefix)}
            network.load_state_dict(part("weights."))
            found = computed(network, part("in."))
            if arguments.renew:
                save_file({key: x.float() for key, x in (file | found).items()}, path, metadata=version())
                continue
            apart = {key: (x - file[key]).abs().max() / file[key].abs().max().clamp_min(1e-9) for key, x in found.items()}
            worst = max(apart, key=apart.get)
            print(f"{name}: {len(found)} arrays; the largest distance is {apart[worst]:.1e}, of {worst}")
            continue
        draw_weights(network)
        drawn = draw_inputs(inputs.split(), batch, rois, volumes)
        arrays = computed(network, drawn)
        arrays |= {f"in.{key}": x.float() for key, x in drawn.items()}
        arrays |= {f"weights.{key}": x.float().contiguous() for key, x in network.state_dict().items()}
        save_file(arrays, path, metadata=version())


if __name__ == "__main__":
    main()
