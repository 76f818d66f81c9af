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

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model):
    for _ in range(4):
        torch.manual_seed(0)
        model(torch.randn(4, 8)).sum().backward()
""",
    good="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model):
    for _ in range(4):
        model(torch.randn(4, 8)).sum().backward()
""",
)
