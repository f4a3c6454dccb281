"""Layers that several networks share. Weights have the names of our weight files."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class BatchNorm(nn.Module):
    """Batch norm over the rows of [rows, d]."""

    def __init__(self, d):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))
        self.register_buffer("running_mean", torch.zeros(d))
        self.register_buffer("running_var", torch.ones(d))

    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var, self.gamma, self.beta, self.training)


class Gru(nn.Module):
    """Weights of one direction of a recurrent layer, gates in PyTorch's order."""

    def __init__(self, n_in, n_hidden):
        super().__init__()
        bound = n_hidden**-0.5
        self.input, self.hidden = nn.Linear(n_in, 3 * n_hidden), nn.Linear(n_hidden, 3 * n_hidden)
        for weight in self.parameters():
            nn.init.uniform_(weight, -bound, bound)

    def flat(self):
        return [self.input.weight, self.hidden.weight, self.input.bias, self.hidden.bias]


def recurrent(x, layers, training):
    """States [batch, time, directions * n] and last states [directions * layers, batch, n].

    layers: one list of directions for every layer.
    """
    n, directions = layers[0][0].hidden.in_features, len(layers[0])
    h = x.new_zeros(directions * len(layers), x.shape[0], n)
    flat = [weight for layer in layers for gru in layer for weight in gru.flat()]
    return torch.gru(x, h, flat, True, len(layers), 0.0, training, directions == 2, True)


class Attention(nn.Module):
    def __init__(self, d_model, heads, d_head, dropout):
        super().__init__()
        inner = heads * d_head
        self.q, self.k, self.v = (nn.Linear(d_model, inner) for _ in range(3))
        self.o = nn.Linear(inner, d_model)
        self.heads, self.dropout = heads, nn.Dropout(dropout)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def attend(self, x, k, v, bias=0.0):
        """Queries of x [.., n, d]; k and v [.., m, inner]; bias is added to the scores [.., heads, n, m]."""
        q, k, v = self.split(self.q(x)), self.split(k), self.split(v)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + bias
        return self.o((self.dropout(scores.softmax(-1)) @ v).transpose(-3, -2).flatten(-2))

    def forward(self, x):
        return self.attend(x, self.k(x), self.v(x))


class EncoderLayer(nn.Module):
    """Layer of arXiv 1706.03762, section 3.1: the norm follows each sum."""

    def __init__(self, d_model, heads, d_head, feed_forward, dropout):
        super().__init__()
        self.attention = Attention(d_model, heads, d_head, dropout)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.fc1, self.fc2 = nn.Linear(d_model, feed_forward), nn.Linear(feed_forward, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.norm1(x + self.dropout(self.attention(x)))
        return self.norm2(x + self.dropout(self.fc2(self.dropout(F.relu(self.fc1(x))))))
