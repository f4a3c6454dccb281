"""FBNetGen: arXiv 2205.12465, sections 3.2 to 3.5. A graph learned from signals, and graph convolutions of FC."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import BatchNorm, Gru, recurrent


class Directions(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.forwards, self.backwards = Gru(n_in, n_hidden), Gru(n_in, n_hidden)


class Step(nn.Module):
    def __init__(self, n_in, n_middle, n_out):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_middle)
        self.fc2 = nn.Linear(n_middle, n_out) if n_out else None
        self.norm = BatchNorm(n_out or n_middle)

    def forward(self, graph, x, last):
        x = F.leaky_relu(self.fc1(graph @ x), 0.2)
        x = self.fc2(x) if self.fc2 else x
        x = F.leaky_relu(x, 0.2) if last else x
        return self.norm(x.flatten(0, 1)).view_as(x)


def penalty(graph, classes, intra, inter, sparsity):
    """Graphs of a class lie close to their mean, means of classes far apart, and edges are few."""
    total = sparsity * graph.mean()
    if classes is None:
        return total
    groups = [graph[classes[:, c] == 1] for c in range(classes.shape[1])]
    groups = [group for group in groups if len(group)]
    means = [group.mean(0) for group in groups]
    within = sum((group - mean).square().mean((1, 2)).mean() for group, mean in zip(groups, means))
    pairs = [(a - b).square().mean() for i, a in enumerate(means) for b in means[:i]]
    between = sum(pairs) / len(pairs) if pairs else 0.0
    return total + intra * within - inter * between


class FbNetGen(nn.Module):
    def __init__(self, rois, volumes, outputs, piece=8, layers=4, embedding=8, dropout=0.5,
                 penalties=(1.0, 2.0, 1e-4)):
        super().__init__()
        self.piece, units = min(piece, volumes), piece
        self.gru = nn.ModuleList(Directions(2 * units if i else self.piece, units) for i in range(layers))
        self.embed1, self.embed2 = nn.Linear(2 * units, units), nn.Linear(units, embedding)
        sizes = [(rois, rois, rois), (rois, rois, None), (rois, 64, 8)]
        self.steps = nn.ModuleList(Step(*size) for size in sizes)
        self.hidden = nn.ModuleList([nn.Linear(8 * rois, 256), nn.Linear(256, 32)])
        self.out = nn.Linear(32, outputs)
        self.dropout, self.penalties = nn.Dropout(dropout), penalties

    def encode(self, bold):
        batch, rois, time = bold.shape
        pieces = time // self.piece
        x = bold[:, :, : pieces * self.piece].reshape(batch * rois, pieces, self.piece)
        layers = [[layer.forwards, layer.backwards] for layer in self.gru]
        _, last = recurrent(x, layers, self.training)
        h = torch.cat([last[-2], last[-1]], 1)  # both directions of the last layer, each at its own end
        h = self.embed2(F.leaky_relu(self.embed1(self.dropout(h)), 0.2))
        return h.softmax(1).view(batch, rois, -1)

    def forward(self, bold, fc, classes):
        kinds = self.encode(bold)
        graph = kinds @ kinds.transpose(1, 2)
        x = fc
        for i, step in enumerate(self.steps):
            x = step(graph, x, i == len(self.steps) - 1)
        x = x.flatten(1)
        for layer in self.hidden:
            x = F.leaky_relu(layer(x), 0.2)
        return self.out(x), penalty(graph, classes, *self.penalties)
