"""SK203: two dropouts in a row."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK203",
    slug="two-dropouts-in-a-row",
    why="Two dropouts with no weights between act as one with the rate 1 − (1 − a)(1 − b): 0.5 twice is 0.75.",
    remedy="Keep one of the two, with the rate that is meant.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.Dropout(0.5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
""",
)

_NEAR = frozenset({"shape", "flatten", "identity", "activation", "pool"})


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """A dropout that sees nothing but another dropout's result."""
    for drop in view.dropouts:
        before = view.before(drop, _NEAR)
        first = before[0] if len(before) == 1 else None
        if first is None or first.kind not in DROPOUTS or first.rate == 0 or drop.rate == 0:
            continue
        if (first.path, first.line, first.site) == (drop.path, drop.line, drop.site) and first.column == drop.column:
            continue
        if first.rate is not None and drop.rate is not None:
            both = 1 - (1 - first.rate) * (1 - drop.rate)
            yield RULE.on(
                drop,
                say(
                    "a second dropout follows {first} at once: together they drop {both:.0%}",
                    first=first.site or first.name,
                    both=both,
                ),
            )
        else:
            yield RULE.on(drop, say("a second dropout follows {first} at once", first=first.site or first.name))
