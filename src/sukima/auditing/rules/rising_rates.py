"""SK304: rates that rise with depth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sukima.auditing.placement import place, shown_rate
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK304",
    slug="rates-rise-with-depth",
    why=(
        "A common schedule lowers the rate down the layers (0.5, 0.4, 0.3). Texts disagree on the direction, so "
        "this is advice only: measure it."
    ),
    remedy="Try the opposite order, or let `sukima tune` find the rate of each layer.",
    bad="""
import torch.nn as nn

model = nn.Sequential(
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10)
)
""",
    good="""
import torch.nn as nn

model = nn.Sequential(
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10)
)
""",
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Rates after dense layers that only rise."""
    drops = [d for d in view.dropouts if d.rate and place(view, d) == "hidden" and not d.owner]
    rates = [d.rate or 0.0 for d in drops]
    if len(drops) >= 2 and all(a <= b for a, b in pairwise(rates)) and rates[0] < rates[-1]:
        shown = ", ".join(map(shown_rate, rates))
        yield RULE.on(drops[-1], say("the rates rise with depth: {rates}", rates=shown))
