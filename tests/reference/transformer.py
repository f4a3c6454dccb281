"""Transformer over volumes: arXiv 1706.03762, sections 3.1 and 3.5; sizes of Popov et al. 2024."""

import torch
from torch import nn

from layers import EncoderLayer


class Transformer(nn.Module):
    def __init__(self, rois, volumes, outputs, layers=2, heads=4, d_head=20, dropout=0.1, head_dropout=0.3):
        super().__init__()
        d = heads * d_head
        self.input, self.out = nn.Linear(rois, d), nn.Linear(d, outputs)
        self.layers = nn.ModuleList(EncoderLayer(d, heads, d_head, 4 * d, dropout) for _ in range(layers))
        self.dropout, self.head_dropout = nn.Dropout(dropout), nn.Dropout(head_dropout)

    def forward(self, bold, fc, classes):
        x = self.input(bold.transpose(1, 2))  # [batch, time, d]
        time, d = x.shape[1:]
        even = torch.arange(0, d, 2, dtype=torch.float64)
        angle = torch.arange(time)[:, None] / 10000 ** (even / d)
        position = torch.stack([angle.sin(), angle.cos()], 2).flatten(1).to(x.dtype)
        x = self.dropout(x + position)
        for layer in self.layers:
            x = layer(x)
        return self.out(self.head_dropout(x.mean(1))), None
