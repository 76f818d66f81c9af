"""SK214: a rate that differs between runs of one recipe."""

from __future__ import annotations

from sukima.auditing.rule import Rule

__all__ = ["RULE"]

RULE = Rule(
    code="SK214",
    slug="rate-differs-between-runs",
    why=(
        "Two runs that claim the same recipe ran with different rates, so comparing them compares two things at once."
    ),
    remedy="Apply the recipe with sukima.apply, and set rates nowhere else.",
    bad="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model, recipe=sukima.Recipe(rates={"1": 0.5})):
    model[1].p = 0.3
    model(torch.randn(4, 8)).sum().backward()
""",
    good="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model, recipe=sukima.Recipe(rates={"1": 0.5})):
    model(torch.randn(4, 8)).sum().backward()
""",
)
