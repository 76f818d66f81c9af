"""SK110: dropout active while gradients are off."""

from __future__ import annotations

from sukima.auditing.rule import Rule

__all__ = ["RULE"]

RULE = Rule(
    code="SK110",
    slug="dropout-active-without-gradients",
    why=(
        "A forward pass without gradients is an evaluation, and dropout dropped in it: eval() was not called. "
        "For Monte Carlo dropout use sukima's sampling, which says so."
    ),
    remedy="Call model.eval() before evaluating.",
    bad="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model):
    with torch.no_grad():
        model(torch.randn(4, 8))
""",
    good="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model):
    model.eval()
    with torch.no_grad():
        model(torch.randn(4, 8))
""",
)
