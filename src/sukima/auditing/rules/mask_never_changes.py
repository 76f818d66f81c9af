"""SK141: a site whose mask never changes."""

from __future__ import annotations

from sukima.auditing.rule import Rule

__all__ = ["RULE"]

RULE = Rule(
    code="SK141",
    slug="mask-never-changes",
    why=(
        "The same units are dropped in every pass, so the network trains a fixed smaller network: a generator "
        "that is seeded anew each step, or a key without a step."
    ),
    remedy="Seed once, or let the key follow the step.",
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
