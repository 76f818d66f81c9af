"""SK143: the same mask in two sites or on two ranks."""

from __future__ import annotations

from sukima.auditing.rule import Rule

__all__ = ["RULE"]

RULE = Rule(
    code="SK143",
    slug="mask-shared",
    why=(
        "Two sites, or two workers of a data-parallel run, drop the same elements: their noise is correlated "
        "and averages out less."
    ),
    remedy="Give each site and each rank its own seed or stream.",
    bad="""
import sukima
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Dropout(0.5)
        self.second = nn.Dropout(0.5)
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        state = torch.get_rng_state()
        x = self.fc(self.first(x))
        torch.set_rng_state(state)
        return self.second(x)

model = Net()
with sukima.watch(model):
    for _ in range(4):
        model(torch.randn(8, 16)).sum().backward()
""",
    good="""
import sukima
import torch
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Dropout(0.5)
        self.second = nn.Dropout(0.5)
        self.fc = nn.Linear(16, 16)

    def forward(self, x):
        x = self.fc(self.first(x))
        return self.second(x)

model = Net()
with sukima.watch(model):
    for _ in range(4):
        model(torch.randn(8, 16)).sum().backward()
""",
)
