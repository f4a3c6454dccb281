"""Golden arrays of the neural baselines, from PyTorch.

    python make_golden.py        # torch 2.11, safetensors; writes beside itself

Each network is written here from the equations of its paper, with PyTorch's own layers where it has them (convolutions over
crosses, `TransformerEncoderLayer`, `GRU`, `BatchNorm1d`, `MultiheadAttention`), in 64 bits, from random weights and inputs that
are exact in 32 bits. A file holds

    in.*        inputs
    weights.*   weights, by the names of our modules and in PyTorch's layout; statistics of batch norms
    out.*       outputs; `train` with statistics of the batch, `eval` with those of the file; no dropout
    grad.*      gradients of  sum(C * logits) + penalty  in training, C being in.direction

Nothing here comes from a scan.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

torch.set_default_dtype(torch.float64)
HERE = Path(__file__).parent


def draw(*shape, scale=1.0):
    """Normal numbers that are exact in 32 bits."""
    return (scale * torch.randn(*shape)).float().double()


class Weights(dict):
    """Weights by name, drawn when they are first asked for."""

    def get_weight(self, name, *shape, scale=None):
        if name not in self:
            scale = shape[-1] ** -0.5 if scale is None else scale
            self[name] = draw(*shape, scale=scale).requires_grad_()
        return self[name]

    def linear(self, name, n_in, n_out):
        weight = self.get_weight(f"{name}.weight", n_out, n_in)
        bias = self.get_weight(f"{name}.bias", n_out, scale=0.3)
        return lambda x: F.linear(x, weight, bias)

    def layer_norm(self, name, d):
        gamma = self.get_weight(f"{name}.weight", d, scale=0.7)
        beta = self.get_weight(f"{name}.bias", d, scale=0.3)
        return lambda x: F.layer_norm(x, (d,), gamma, beta)

    def batch_norm(self, name, d, training):
        gamma = self.get_weight(f"{name}.gamma", d, scale=0.7)
        beta = self.get_weight(f"{name}.beta", d, scale=0.3)
        if f"{name}.running_mean" not in self:
            self[f"{name}.running_mean"] = draw(d, scale=0.2)
            self[f"{name}.running_var"] = (0.5 + torch.rand(d)).float().double()
        mean, var = self[f"{name}.running_mean"].clone(), self[f"{name}.running_var"].clone()
        return lambda x: F.batch_norm(x, mean, var, gamma, beta, training=training)


def save(name, weights, inputs, outputs, loss):
    loss.backward()
    arrays = {f"in.{k}": v for k, v in inputs.items()}
    arrays |= {f"weights.{k}": v for k, v in weights.items()}
    arrays |= {f"out.{k}": v for k, v in outputs.items()}
    arrays |= {f"grad.{k}": v.grad for k, v in weights.items() if v.grad is not None}
    arrays = {k: v.detach().float().contiguous() for k, v in arrays.items()}
    save_file(arrays, HERE / f"{name}.safetensors", metadata={"torch": torch.__version__})


def correlations(batch, rois):
    """Correlation matrices of random signals."""
    fc = torch.stack([torch.corrcoef(torch.randn(rois, 20)) for _ in range(batch)])
    return fc.float().double()


# BrainNetCNN: Kawahara et al. 2017, section 2.2.


def brainnetcnn(batch=3, rois=5, e2e=(2, 3), e2n=4, n2g=5, dense=(6, 3), n_out=2):
    torch.manual_seed(1)
    w = Weights()

    def cross(name, n_in, n_out):
        # A row of the cross is a convolution with a kernel 1 x rois, a column one with rois x 1.
        fan_in = n_in * rois
        row = w.get_weight(f"{name}.row.weight", n_out, fan_in).view(n_out, n_in, 1, rois)
        column = w.get_weight(f"{name}.column.weight", n_out, fan_in).view(n_out, n_in, rois, 1)
        bias = w.get_weight(f"{name}.column.bias", n_out, scale=0.3)
        return lambda x: (F.conv2d(x, row), F.conv2d(x, column, bias))

    fc = correlations(batch, rois)
    x, n_in = fc[:, None], 1
    for i, n in enumerate(e2e):
        rows, columns = cross(f"e2e.{i}", n_in, n)(x)  # [batch, n, rois, 1] and [batch, n, 1, rois]
        x, n_in = F.leaky_relu(rows + columns, 0.33), n
    rows, columns = cross("e2n", n_in, e2n)(x)
    nodes = F.leaky_relu(rows + columns.transpose(2, 3), 0.33)  # [batch, e2n, rois, 1]
    kernel = w.get_weight("n2g.weight", n2g, rois * e2n).view(n2g, rois, e2n).transpose(1, 2)
    graph = F.conv2d(nodes, kernel[..., None], w.get_weight("n2g.bias", n2g, scale=0.3)).flatten(1)
    x = F.leaky_relu(graph, 0.33)
    x = F.leaky_relu(w.linear("dense.0", n2g, dense[0])(x), 0.33)
    x = F.leaky_relu(w.linear("dense.1", dense[0], dense[1])(x), 0.33)
    logits = w.linear("out", dense[1], n_out)(x)

    direction = draw(batch, n_out)
    inputs = {"fc": fc, "direction": direction}
    save("brainnetcnn", w, inputs, {"train": logits}, (direction * logits).sum())


# Brain Network Transformer: arXiv 2210.06681, sections 3.2 and 3.3.


def bnt(name, clusters, batch=3, rois=6, layers=2, heads=2, hidden=7, kept=3, mlp=(5, 4), n_out=2):
    torch.manual_seed(2)
    w = Weights()
    fc = correlations(batch, rois)
    z = fc
    for i in range(layers):
        layer = nn.TransformerEncoderLayer(rois, heads, hidden, dropout=0.0, batch_first=True)
        p, attention = f"layers.{i}", layer.self_attn
        for part in "qkvo":
            w.linear(f"{p}.attention.{part}", rois, rois)
        for part in "norm1", "norm2":
            w.layer_norm(f"{p}.{part}", rois)
        w.linear(f"{p}.fc1", rois, hidden)
        w.linear(f"{p}.fc2", hidden, rois)
        parameters = {
            "self_attn.in_proj_weight": torch.cat([w[f"{p}.attention.{c}.weight"] for c in "qkv"]),
            "self_attn.in_proj_bias": torch.cat([w[f"{p}.attention.{c}.bias"] for c in "qkv"]),
        }
        for ours, theirs in [
            ("attention.o", "self_attn.out_proj"),
            ("norm1", "norm1"),
            ("norm2", "norm2"),
            ("fc1", "linear1"),
            ("fc2", "linear2"),
        ]:
            for kind in "weight", "bias":
                parameters[f"{theirs}.{kind}"] = w[f"{p}.{ours}.{kind}"]
        z = torch.func.functional_call(layer, parameters, (z,))
    if clusters:
        # Fixed centres with orthonormal rows.
        w["centres"] = torch.linalg.qr(torch.randn(rois, clusters))[0].T.float().double()
        assigned = torch.softmax(torch.einsum("bid,kd->bik", z, w["centres"]), dim=2)
        z = torch.einsum("bik,bid->bkd", assigned, z)
    x = F.leaky_relu(w.linear("reduce", rois, kept)(z), 0.01).flatten(1)
    x = F.leaky_relu(w.linear("hidden.0", x.shape[1], mlp[0])(x), 0.01)
    x = F.leaky_relu(w.linear("hidden.1", *mlp)(x), 0.01)
    logits = w.linear("out", mlp[1], n_out)(x)

    direction = draw(batch, n_out)
    inputs = {"fc": fc, "direction": direction}
    save(name, w, inputs, {"train": logits}, (direction * logits).sum())


# STAGIN: arXiv 2105.13495, section 3.


def stagin(readout, batch=2, rois=5, time=14, window=6, stride=3, d=4, layers=2, n_out=2, ortho_weight=0.05):
    torch.manual_seed(3)
    w = Weights()
    bold = draw(batch, rois, time)
    starts = range(0, time - window + 1, stride)

    def graph(piece):
        fc = torch.corrcoef(piece)
        fc = (fc + fc.T) / 2
        return (fc > torch.quantile(fc, 0.7)).double()

    graphs = torch.stack([torch.stack([graph(b[:, s : s + window]) for s in starts]) for b in bold])

    gru = nn.GRU(rois, d, batch_first=True)
    gates = {
        f"{kind}_{side}_l0": w.get_weight(f"timestamp.{ours}.{kind}", *shape, scale=0.4)
        for side, ours, n_in in [("ih", "input", rois), ("hh", "hidden", d)]
        for kind, shape in [("weight", (3 * d, n_in)), ("bias", (3 * d,))]
    }
    states = torch.func.functional_call(gru, gates, (bold.transpose(1, 2),))[0]
    eta = states[:, [s + window - 1 for s in starts]]  # [batch, windows, d]

    def network(training):
        windows = len(starts)
        onehot = torch.eye(rois).expand(batch, windows, rois, rois)
        h = torch.cat([onehot, eta[:, :, None].expand(-1, -1, rois, -1)], dim=3)
        h = w.linear("initial", rois + d, d)(h)
        logits, penalty = 0, 0
        for i in range(layers):
            p = f"layers.{i}"
            epsilon = w.get_weight(f"{p}.gin.epsilon", 1, scale=0.3)
            x = (graphs @ h + epsilon * h).reshape(-1, d)
            for j in "12":
                x = w.linear(f"{p}.gin.fc{j}", d, d)(x)
                x = F.relu(w.batch_norm(f"{p}.gin.norm{j}", d, training)(x))
            h = x.view(batch, windows, rois, d)

            mean = h.mean(2)  # [batch, windows, d]
            if readout == "garo":
                query = w.linear(f"{p}.readout.query", d, d)(mean)
                key = w.linear(f"{p}.readout.key", d, d)(h)
                worth = torch.sigmoid(torch.einsum("btd,btvd->btv", query, key) / d**0.5)
            else:
                x = w.linear(f"{p}.readout.embed", d, d)(mean.reshape(-1, d))
                x = F.gelu(w.batch_norm(f"{p}.readout.norm", d, training)(x))
                worth = torch.sigmoid(w.linear(f"{p}.readout.attend", d, rois)(x))
                worth = worth.view(batch, windows, rois)
            read = (h * worth[..., None]).mean(2)

            maps = {c: w.linear(f"{p}.time.attention.{c}", d, d) for c in "qkvo"}
            y = F.scaled_dot_product_attention(*(maps[c](read) for c in "qkv"))
            y = w.layer_norm(f"{p}.time.norm1", d)(maps["o"](y))
            z = F.relu(w.linear(f"{p}.time.fc1", d, 2 * d)(y))
            y = w.layer_norm(f"{p}.time.norm2", d)(y + w.linear(f"{p}.time.fc2", 2 * d, d)(z))
            logits = logits + w.linear(f"heads.{i}", d, n_out)(y.sum(1))

            inner = h @ h.transpose(2, 3)
            apart = inner / inner.amax((2, 3), keepdim=True) - torch.eye(rois)
            penalty = penalty + ortho_weight * torch.linalg.matrix_norm(apart).mean()
        return logits, penalty

    logits, penalty = network(True)
    direction = draw(batch, n_out)
    outputs = {"train": logits, "penalty": penalty.reshape(1), "eval": network(False)[0]}
    inputs = {"bold": bold, "direction": direction}
    save(f"stagin-{readout}", w, inputs, outputs, (direction * logits).sum() + penalty)


if __name__ == "__main__":
    brainnetcnn()
    bnt("bnt", clusters=4)
    bnt("bnt-plain", clusters=None)
    stagin("garo")
    stagin("sero")
