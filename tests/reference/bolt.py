"""BolT: arXiv 2205.11578, section 2.1. Attention in overlapping windows whose fringe grows with the layer."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from layers import Attention


class Windows:
    """All whole windows in `time` volumes."""

    def __init__(self, time, length, stride):
        self.starts = range(0, time - length + 1, stride)
        self.length, self.covered = length, self.starts[-1] + length

    def places(self, fringe):
        """Volume of every position, [windows, length + 2 fringe]; beyond the ends it isn't within 0..covered."""
        return torch.tensor(self.starts)[:, None] + torch.arange(-fringe, self.length + fringe)

    def cut(self, x, fringe):
        """[batch, covered, d] to [batch, windows, length + 2 fringe, d]"""
        return x[:, self.places(fringe).clamp(0, self.covered - 1)]

    def fuse(self, x):
        """Mean of every volume over its windows, [batch, windows, length, d] to [batch, covered, d]."""
        at = self.places(0).flatten()
        times = torch.bincount(at, minlength=self.covered).to(x.dtype)
        total = x.new_zeros(x.shape[0], self.covered, x.shape[3]).index_add(1, at, x.flatten(1, 2))
        return total / times[:, None]


class Block(nn.Module):
    def __init__(self, d, heads, d_head, window, fringe, dropout):
        super().__init__()
        keys = window + 2 * fringe
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = Attention(d, heads, d_head, dropout)
        self.fc1, self.fc2 = nn.Linear(d, d), nn.Linear(d, d)
        self.distance_bias = nn.Parameter(0.02 * torch.randn(2 * (window + fringe) - 1, heads))
        self.cls_asks_bias = nn.Parameter(0.02 * torch.randn(heads, 1, keys))
        self.cls_asked_bias = nn.Parameter(0.02 * torch.randn(heads, window, 1))
        self.cls_self_bias = nn.Parameter(0.02 * torch.randn(heads, 1, 1))
        self.window, self.fringe, self.dropout = window, fringe, nn.Dropout(dropout)

    def bias(self, windows):
        """[windows, heads, 1 + window, 1 + keys]; the CLS token comes first on both axes."""
        keys = self.window + 2 * self.fringe
        # 0 is the farthest key after the query's volume.
        apart = torch.arange(self.window)[:, None] - torch.arange(keys) + keys - 1
        between = self.distance_bias[apart].permute(2, 0, 1)
        top = torch.cat([self.cls_self_bias, self.cls_asks_bias], 2)
        learned = torch.cat([top, torch.cat([self.cls_asked_bias, between], 2)], 1)
        places = windows.places(self.fringe)
        outside = (places < 0) | (places >= windows.covered)
        return learned + F.pad(outside, (1, 0)).to(learned.dtype)[:, None, None] * -1e9

    def feed_forward(self, x):
        return x + self.fc2(self.dropout(F.gelu(self.fc1(self.norm2(x)))))

    def forward(self, x, cls, windows):
        normed, normed_cls = self.norm1(x), self.norm1(cls)
        # Keys and values of a volume are the same in all windows, so they are projected once.
        k, v = (
            torch.cat([project(normed_cls)[:, :, None], windows.cut(project(normed), self.fringe)], 2)
            for project in (self.attention.k, self.attention.v)
        )
        asking = torch.cat([normed_cls[:, :, None], windows.cut(normed, 0)], 2)
        y = self.dropout(self.attention.attend(asking, k, v, self.bias(windows)))
        cls, x = cls + y[:, :, 0], x + windows.fuse(y[:, :, 1:])
        return self.feed_forward(x), self.feed_forward(cls)


class Bolt(nn.Module):
    def __init__(self, rois, volumes, outputs, layers=4, heads=36, d_head=20, window=20, stride=0.4, fringe=2.0,
                 dropout=0.1, cross_window_weight=1.0):
        super().__init__()
        window = min(window, volumes)
        beyond = fringe * (1 - stride) * window
        self.cls = nn.Parameter(torch.randn(rois))
        self.blocks = nn.ModuleList(
            Block(rois, heads, d_head, window, math.ceil(layer * beyond), dropout) for layer in range(layers)
        )
        self.norm, self.out = nn.LayerNorm(rois), nn.Linear(rois, outputs)
        self.window, self.stride = window, max(1, int(stride * window))
        self.cross_window_weight = cross_window_weight

    def forward(self, bold, fc, classes):
        x = bold.transpose(1, 2)
        windows = Windows(x.shape[1], self.window, self.stride)
        x = x[:, : windows.covered]
        cls = self.cls.expand(x.shape[0], len(windows.starts), -1)
        for block in self.blocks:
            x, cls = block(x, cls, windows)
        cls = self.norm(cls)
        mean = cls.mean(1, keepdim=True)
        return self.out(mean[:, 0]), self.cross_window_weight * (cls - mean).square().mean()
