"""BrainNetCNN: Kawahara et al. 2017, section 2.2. Convolutions over the cross of an edge."""

import torch.nn.functional as F
from torch import nn


class Cross(nn.Module):
    """A kernel of one row and one of one column; weights are flat: [out, in * rois]."""

    def __init__(self, rois, n_in, n_out):
        super().__init__()
        self.row, self.column = nn.Linear(n_in * rois, n_out, bias=False), nn.Linear(n_in * rois, n_out)
        self.rois = rois

    def forward(self, edges):
        """[batch, in, rois, rois] to [batch, out, rois, 1] and [batch, out, 1, rois]"""
        row = self.row.weight.unflatten(1, (-1, 1, self.rois))
        column = self.column.weight.unflatten(1, (-1, self.rois, 1))
        return F.conv2d(edges, row), F.conv2d(edges, column, self.column.bias)


class BrainNetCnn(nn.Module):
    def __init__(self, rois, volumes, outputs, e2e=(32, 32), e2n=64, n2g=256, dense=(128, 30), dropout=0.5):
        super().__init__()
        self.e2e = nn.ModuleList(Cross(rois, *size) for size in zip((1, *e2e), e2e))
        self.e2n, self.n2g = Cross(rois, e2e[-1], e2n), nn.Linear(rois * e2n, n2g)
        self.dense = nn.ModuleList([nn.Linear(n2g, dense[0]), nn.Linear(*dense)])
        self.out, self.dropout = nn.Linear(dense[1], outputs), nn.Dropout(dropout)

    def forward(self, bold, fc, classes):
        x = fc[:, None]
        for layer in self.e2e:
            rows, columns = layer(x)
            x = F.leaky_relu(rows + columns, 0.33)
        rows, columns = self.e2n(x)
        nodes = F.leaky_relu(rows.squeeze(3) + columns.squeeze(2), 0.33)  # [batch, e2n, rois]
        x = self.dropout(F.leaky_relu(self.n2g(nodes.transpose(1, 2).flatten(1)), 0.33))
        x = self.dropout(F.leaky_relu(self.dense[0](x), 0.33))
        return self.out(F.leaky_relu(self.dense[1](x), 0.33)), None
