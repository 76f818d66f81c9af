"""SK211: a rate at which almost nothing is left."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import shown_rate
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK211",
    slug="rate-very-high",
    why=(
        "At 0.8 and more four of five units are gone and the rest scaled five times: the network underfits. "
        "Often a keep probability was written where the rate is meant."
    ),
    remedy="Write the probability of dropping: 0.2 where 0.8 was meant to be kept.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.9), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
""",
    references=("Srivastava et al. 2014, figure 9, https://jmlr.org/papers/v15/srivastava14a.html",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """A known rate from 0.8 up to, but not including, 1."""
    for drop in view.dropouts:
        if drop.rate is not None and 0.8 <= drop.rate < 1 and "keep" not in drop.rate_text:
            yield RULE.on(drop, say("rate {rate}: hardly anything is left", rate=shown_rate(drop.rate)))
