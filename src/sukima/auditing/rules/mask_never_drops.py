"""SK142: a site that never drops."""

from __future__ import annotations

from sukima.auditing.rule import Rule

__all__ = ["RULE"]

RULE = Rule(
    code="SK142",
    slug="mask-never-drops",
    why=(
        "The site has a rate above zero, the model was trained, and nothing was ever dropped there: the layer "
        "is bypassed or stuck in eval mode."
    ),
    remedy="Check that train() reaches the layer and that its result is used.",
    bad="""
import sukima
import torch
import torch.nn as nn

model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2))
with sukima.watch(model):
    model[1].eval()
    for _ in range(4):
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
