"""SK202: dropout right before a softmax."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import SQUASHING, is_output_layer, last_layer_before
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK202",
    slug="dropout-before-softmax",
    why=(
        "A dropped score is 0, not minus infinity: the softmax still gives it a share, often a larger one than "
        "before. In attention, dropout belongs on the weights, after the softmax."
    ),
    remedy="Put dropout after the softmax of an attention, and before the output layer of a classifier.",
    bad="""
import torch
import torch.nn as nn

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.1)

    def forward(self, q, k, v):
        scores = torch.matmul(q, k.transpose(-2, -1))
        weights = torch.softmax(self.drop(scores), dim=-1)
        return torch.matmul(weights, v)
""",
    good="""
import torch
import torch.nn as nn

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.1)

    def forward(self, q, k, v):
        scores = torch.matmul(q, k.transpose(-2, -1))
        weights = self.drop(torch.softmax(scores, dim=-1))
        return torch.matmul(weights, v)
""",
    references=("Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Dropout whose result goes straight into a softmax, unless SK111 names it already."""
    for drop in view.dropouts:
        after = [o for o in view.after(drop) if o.kind == "softmax"]
        if not after or drop.rate == 0 or drop.conditional:
            continue
        layer = last_layer_before(view, drop)
        if (
            layer is not None
            and view.reaches_output(drop, SQUASHING | {"shape"})
            and is_output_layer(view, layer, squashed=True)
        ):
            continue
        yield RULE.on(drop, say("dropout stands right before a softmax: a dropped score still gets a share"))
