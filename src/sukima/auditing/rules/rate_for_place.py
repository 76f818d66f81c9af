"""SK302: a rate above what is usual at its place."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import batch_norm_beside, place, shown_rate
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.guideline import GUIDELINE
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK302",
    slug="rate-for-place",
    why=(
        "Usual rates: hidden dense layers 0.3–0.5, after convolutions 0.2–0.3, recurrent layers 0.2–0.5. Far "
        "above, the network underfits; measure before keeping such a rate."
    ),
    remedy="Lower the rate into the usual range, or let `sukima tune` measure it.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.7), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
""",
    references=("Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html",),
)

_PLACES = {"hidden": "hidden", "convolution": "convolution", "recurrent": "recurrent"}


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """A known rate over the guideline's upper end; beside batch norm SK303 speaks, from 0.8 on SK211."""
    for drop in view.dropouts:
        where = place(view, drop)
        if drop.rate is None or where not in _PLACES or batch_norm_beside(view, drop):
            continue
        usual = GUIDELINE[where]  # type: ignore[index]
        if usual.high < drop.rate < 0.8:
            yield RULE.on(
                drop,
                say(
                    "rate {rate} is above the usual {low}–{high} for this place ({where})",
                    rate=shown_rate(drop.rate),
                    low=shown_rate(usual.low),
                    high=shown_rate(usual.high),
                    where=where,
                ),
            )
