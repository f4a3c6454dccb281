"""meanMLP: Popov et al. 2024. One network for every volume, and the mean of its outputs."""

import torch.nn.functional as F
from torch import nn


class MeanMlp(nn.Module):
    def __init__(self, rois, volumes, outputs, hidden=160, dropout=0.49):
        super().__init__()
        self.fc1, self.norm, self.fc2 = nn.Linear(rois, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, bold, fc, classes):
        x = F.relu(self.norm(self.fc1(bold.transpose(1, 2))))
        return self.fc2(self.dropout(x)).mean(1), None
