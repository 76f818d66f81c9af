"""SK303: a high rate together with batch normalisation."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import batch_norm_beside, shown_rate
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.guideline import WITH_BATCH_NORM
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK303",
    slug="rate-beside-batch-norm",
    why="Batch normalisation regularizes too. Together with it, rates of 0.2–0.3 are usual, and one of the two may do.",
    remedy="Lower the rate to 0.2–0.3 beside batch normalisation, or leave one of the two out.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
""",
    references=("Li et al. 2019, https://arxiv.org/abs/1801.05134",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """A known rate over the guideline's for this company."""
    high = WITH_BATCH_NORM.high
    for drop in view.dropouts:
        if drop.rate is not None and high < drop.rate < 1 and batch_norm_beside(view, drop):
            yield RULE.on(
                drop,
                say(
                    "rate {rate} beside batch normalisation; usual there is at most {high}",
                    rate=shown_rate(drop.rate),
                    high=shown_rate(high),
                ),
            )
