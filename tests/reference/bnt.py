"""Brain Network Transformer: arXiv 2210.06681, sections 3.2 and 3.3. Tokens are rows of the FC matrix."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import EncoderLayer


class Bnt(nn.Module):
    """Without clusters it is the paper's VanillaTF; otherwise 3.6 ROIs make a cluster, as 360 made 100."""

    def __init__(self, rois, volumes, outputs, clusters="per rois", layers=2, heads=4, feed_forward=1024, kept=8,
                 hidden=(256, 32), dropout=0.1):
        super().__init__()
        d_head = -(-rois // heads)
        self.layers = nn.ModuleList(EncoderLayer(rois, heads, d_head, feed_forward, dropout) for _ in range(layers))
        clusters = round(rois / 3.6) if clusters == "per rois" else clusters
        orthonormal = torch.linalg.qr(torch.randn(rois, clusters or 1))[0].T.contiguous()
        self.centres = nn.Buffer(orthonormal) if clusters else None
        self.reduce = nn.Linear(rois, kept)
        self.hidden = nn.ModuleList([nn.Linear(kept * (clusters or rois), hidden[0]), nn.Linear(*hidden)])
        self.out = nn.Linear(hidden[1], outputs)

    def forward(self, bold, fc, classes):
        z = fc
        for layer in self.layers:
            z = layer(z)
        if self.centres is not None:
            z = (z @ self.centres.T).softmax(2).transpose(1, 2) @ z
        x = F.leaky_relu(self.reduce(z)).flatten(1)
        for layer in self.hidden:
            x = F.leaky_relu(layer(x))
        return self.out(x), None
