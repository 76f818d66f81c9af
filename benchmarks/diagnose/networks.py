"""The networks: four architectures, each a page or less. Those of one kind may be trained side by side."""

from __future__ import annotations

from itertools import pairwise

import torch
from configuration import Configuration
from datasets import Rows
from torch import Tensor, nn


def network(c: Configuration, rows: Rows) -> nn.Module:
    """An untrained network for these data."""
    outputs = rows.classes or 1
    if c.architecture == "cnn":
        channels = max(2, min(8, c.width // 4))
        side = rows.shape[-1] // 2
        return nn.Sequential(
            nn.Conv2d(1, channels, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Dropout(c.rate / 2),
            nn.Flatten(),
            nn.Linear(channels * side * side, c.width),
            nn.ReLU(),
            nn.Dropout(c.rate),
            nn.Linear(c.width, outputs),
        )
    return Sequence(c, rows, outputs)


class Sequence(nn.Module):
    """Reads a text, or an image row by row, with a GRU or one transformer block."""

    def __init__(self, c: Configuration, rows: Rows, outputs: int) -> None:
        super().__init__()
        width = max(4, c.width)
        text = rows.inputs.dtype == torch.int64
        self.enter: nn.Module = nn.Embedding(rows.classes, width) if text else nn.Linear(rows.shape[-1], width)
        self.place = nn.Parameter(0.1 * torch.randn(rows.shape[-1] if text else rows.shape[-2], width))
        self.core: nn.Module = (
            nn.GRU(width, width, batch_first=True) if c.architecture == "rnn" else Block(width, c.rate)
        )
        self.drop = nn.Dropout(c.rate)
        self.leave = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs for a batch."""
        if x.dtype != torch.int64:
            x = x[:, 0]
        states = self.core(self.enter(x) + self.place)
        out: Tensor = self.leave(self.drop(states.mean(1) if isinstance(states, Tensor) else states[0][:, -1]))
        return out


class Block(nn.Module):
    """Attention and two dense layers, each beside a shortcut; small, where PyTorch's own is made for large ones."""

    def __init__(self, width: int, rate: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.dense = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(rate), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """States of the same shape."""
        query, key, value = self.mix(self.norm(x)).chunk(3, -1)
        weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, -1)
        x = x + weights @ value
        out: Tensor = x + self.dense(x)
        return out


class Stack(nn.Module):
    """Several MLPs side by side: member × row × feature. Units beyond a member's own width are masked."""

    def __init__(self, members: list[Configuration], rows: Rows) -> None:
        super().__init__()
        text = rows.inputs.dtype == torch.int64
        widest = max(c.width for c in members)
        inputs = rows.inputs[0].numel() * (8 if text else 1)
        sizes = [inputs, *[widest] * members[0].depth, rows.classes or 1]
        self.symbols = nn.Parameter(torch.randn(len(members), rows.classes, 8)) if text else None
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, (before, after) in enumerate(pairwise(sizes)):
            fan_in = torch.tensor([before if i == 0 else c.width for c in members])[:, None, None]
            bound = fan_in.rsqrt()
            self.weights.append(nn.Parameter((2 * torch.rand(len(members), before, after) - 1) * bound))
            self.biases.append(nn.Parameter((2 * torch.rand(len(members), 1, after) - 1) * bound))
        used = torch.tensor([[unit < c.width for unit in range(widest)] for c in members])
        self.register_buffer("used", used[:, None].float())
        self.register_buffer("rates", torch.tensor([c.rate for c in members])[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, member × row × class."""
        if self.symbols is not None:
            x = self.symbols[torch.arange(len(x))[:, None, None], x]
        x = x.flatten(2)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.baddbmm(bias, x, weight).relu() * self.used
            if self.training:
                x = x * (torch.rand_like(x) >= self.rates) / (1 - self.rates)
        return torch.baddbmm(self.biases[-1], x, self.weights[-1])
