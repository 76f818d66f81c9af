"""SK204: dropout between a convolution and its norm."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK204",
    slug="dropout-between-conv-and-norm",
    why=(
        "The normalisation after a convolution then measures statistics of dropped feature maps, which differ "
        "from those at inference (variance shift)."
    ),
    remedy="Keep the convolution and its norm together; put dropout after the activation that follows the norm.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Dropout2d(0.1), nn.BatchNorm2d(8), nn.ReLU())
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.1))
""",
    references=("Li et al. 2019, https://arxiv.org/abs/1801.05134",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Convolution, dropout, norm, with nothing else between."""
    for drop in view.dropouts:
        if drop.rate == 0 or not any(o.kind == "conv" for o in view.before(drop, frozenset({"identity"}))):
            continue
        for norm in view.after(drop, frozenset({"identity", "activation"})):
            if norm.kind == "batch_norm" or (
                norm.kind == "norm" and norm.name != "LayerNorm" and norm in view.after(drop)
            ):
                yield RULE.on(
                    drop, say("dropout stands between a convolution and its norm {norm}", norm=norm.site or norm.name)
                )
                break
