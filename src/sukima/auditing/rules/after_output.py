"""SK111: dropout after the output layer."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import SQUASHING, is_output_layer, last_layer_before
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS, TRANSPARENT, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK111",
    slug="dropout-after-output",
    why=(
        "Dropout after the output layer zeroes predictions themselves: a class whose logit is dropped is judged "
        "at random, the loss gets noise that no weight can learn away, and a softmax no longer sums to one."
    ),
    remedy="Move the dropout before the output layer, or remove it.",
    bad="""
import torch.nn as nn

model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10), nn.Dropout(0.5))
""",
    good="""
import torch.nn as nn

model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))
""",
    references=("Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html",),
)

_PASSING = TRANSPARENT | SQUASHING | DROPOUTS


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Dropout whose input is the output layer's result and whose own result is the model's."""
    for drop in view.dropouts:
        if drop.rate == 0 and drop.owner:
            continue  # in a part that was made with this rate: nothing is dropped
        layer = last_layer_before(view, drop)
        if layer is None or drop.conditional or any(o.kind not in _PASSING for o in view.successors[drop.index]):
            continue
        if not view.reaches_output(drop, _PASSING):
            continue
        near = [*view.before(drop, TRANSPARENT), *view.after(drop, TRANSPARENT | DROPOUTS)]
        if is_output_layer(view, layer, squashed=any(o.kind in SQUASHING for o in near)):
            yield RULE.on(
                drop,
                say(
                    "dropout acts after the output layer {layer}: predictions are dropped",
                    layer=layer.site or layer.name,
                ),
            )
