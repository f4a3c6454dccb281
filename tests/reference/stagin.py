"""STAGIN: arXiv 2105.13495, section 3. Graph isomorphism networks on windows, attention over ROIs and time."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Attention, BatchNorm, Gru, recurrent


def neighbours(bold, window, stride, density):
    """[batch * windows, rois, rois]: 1 where a correlation of the window is among its largest, else 0."""
    x = bold.unfold(2, window, stride).transpose(1, 2).flatten(0, 1)  # [batch * windows, rois, window]
    x = x - x.mean(2, keepdim=True)
    z = x / x.norm(dim=2, keepdim=True).clamp_min(1e-6)
    fc = z @ z.transpose(1, 2)
    fc = (fc + fc.transpose(1, 2)) / 2
    below = int((1 - density) * (fc[0].numel() - 1))
    threshold = fc.flatten(1).kthvalue(below + 1, 1).values
    return (fc > threshold[:, None, None]).to(bold.dtype)


class Gin(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.epsilon = nn.Parameter(torch.zeros(1))
        self.fc1, self.fc2 = nn.Linear(d, d), nn.Linear(d, d)
        self.norm1, self.norm2 = BatchNorm(d), BatchNorm(d)

    def forward(self, h, graph):
        x = (graph @ h + self.epsilon * h).flatten(0, 1)
        x = F.relu(self.norm1(self.fc1(x)))
        return F.relu(self.norm2(self.fc2(x))).view_as(h)


class Garo(nn.Module):
    def __init__(self, d, rois):
        super().__init__()
        self.query, self.key = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, h):
        query = self.query(h.mean(1))
        return torch.sigmoid((self.key(h) @ query[:, :, None])[:, :, 0] / h.shape[2] ** 0.5)


class Sero(nn.Module):
    def __init__(self, d, rois):
        super().__init__()
        self.embed, self.norm, self.attend = nn.Linear(d, d), BatchNorm(d), nn.Linear(d, rois)

    def forward(self, h):
        return torch.sigmoid(self.attend(F.gelu(self.norm(self.embed(h.mean(1))))))


class Time(nn.Module):
    def __init__(self, d, dropout):
        super().__init__()
        self.attention = Attention(d, 1, d, 0.0)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.fc1, self.fc2 = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        y = self.norm1(self.dropout(self.attention(x)))
        z = self.dropout(self.fc2(self.dropout(F.relu(self.fc1(y)))))
        return self.norm2(y + z)


class Layer(nn.Module):
    def __init__(self, readout, d, rois, dropout):
        super().__init__()
        self.gin, self.readout, self.time = Gin(d), readout(d, rois), Time(d, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h, graph, batch):
        h = self.gin(h, graph)
        worth = self.dropout(self.readout(h))
        read = (h * worth[:, :, None]).mean(1)
        return h, self.time(read.unflatten(0, (batch, -1))).sum(1)


def orthogonality(h):
    """Distance of the vectors of ROIs from orthogonality, mean over windows, with rows scaled as in the released code."""
    inner = h @ h.transpose(1, 2)
    largest = inner.max(2, keepdim=True).values.clamp_min(1e-6)
    apart = inner / largest - torch.eye(h.shape[1], dtype=h.dtype)
    return (apart.triu().square().sum((1, 2)) + 1e-12).sqrt().mean()


class Stagin(nn.Module):
    """Window and stride are in volumes: 36 and 2.16 s at a TR of 0.72 s."""

    def __init__(self, rois, volumes, outputs, readout="garo", window=50, stride=3, density=0.3, layers=4, d=128,
                 dropout=0.1, head_dropout=0.5, ortho_weight=1e-5):
        super().__init__()
        kind = {"garo": Garo, "sero": Sero}[readout]
        self.timestamp, self.initial = Gru(rois, d), nn.Linear(rois + d, d)
        self.layers = nn.ModuleList(Layer(kind, d, rois, dropout) for _ in range(layers))
        self.heads = nn.ModuleList(nn.Linear(d, outputs) for _ in range(layers))
        self.window, self.stride, self.density = min(window, volumes), stride, density
        self.head_dropout, self.ortho_weight = nn.Dropout(head_dropout), ortho_weight

    def forward(self, bold, fc, classes):
        batch, rois, _ = bold.shape
        graph = neighbours(bold, self.window, self.stride, self.density)
        states, _ = recurrent(bold.transpose(1, 2), [[self.timestamp]], self.training)
        ends = states[:, self.window - 1 :: self.stride].flatten(0, 1)  # [batch * windows, d]
        # The map of [one-hot ROI, state] is a column of the weights for the ROI plus a map of the state.
        weight = self.initial.weight
        h = (weight[:, :rois].T + self.initial.bias) + (ends @ weight[:, rois:].T)[:, None]
        logits, penalty = 0, 0
        for layer, head in zip(self.layers, self.heads):
            h, seen = layer(h, graph, batch)
            logits = logits + head(self.head_dropout(seen))
            if self.training:
                penalty = penalty + self.ortho_weight * orthogonality(h)
        return logits, penalty if self.training else None
