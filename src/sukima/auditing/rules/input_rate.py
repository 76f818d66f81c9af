"""SK206: a high rate right after the input."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import WEIGHTED, shown_rate
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.guideline import GUIDELINE
from sukima.records.model_view import TRANSPARENT, ModelView, Operation

__all__ = ["RULE"]

RULE = Rule(
    code="SK206",
    slug="input-rate-high",
    why=(
        "What the input layer drops is lost to the whole network; later layers can only guess it. The usual "
        "rates there are 0.1 to 0.2."
    ),
    remedy="Lower the rate at the input to 0.1–0.2, or start dropping after the first hidden layer.",
    bad="""
import torch.nn as nn

model = nn.Sequential(nn.Dropout(0.5), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
""",
    good="""
import torch.nn as nn

model = nn.Sequential(nn.Dropout(0.2), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
""",
    references=("Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Dropout on the raw input of a whole model that has layers enough to be more than a head."""
    limit = GUIDELINE["input"].high
    for drop in view.dropouts:
        if drop.rate is None or not limit < drop.rate < 1 or not _is_model(view):
            continue
        before = view.before(drop, TRANSPARENT | {"scaling", "augmentation"})
        if any(o.kind != "input" for o in before) or not before:
            continue
        weighted = [o for o in view.after(drop) if o.kind in {"linear", "conv", "recurrent"}]
        if weighted and len(_downstream(view, weighted[0])) >= 1:
            yield RULE.on(
                drop,
                say(
                    "rate {rate} right after the input; usual there is at most {limit}",
                    rate=shown_rate(drop.rate),
                    limit=shown_rate(limit),
                ),
            )


def _is_model(view: ModelView) -> bool:
    return view.whole or bool(view.extras.get("live") or view.extras.get("model"))


def _downstream(view: ModelView, operation: Operation) -> list[Operation]:
    return [o for o in view.operations if o.kind in WEIGHTED and o.index > operation.index]
