"""SK301: unit dropout on feature maps."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.placement import channels_known
from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import TRANSPARENT, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK301",
    slug="unit-dropout-on-maps",
    why=(
        "Neighbouring pixels of a feature map say much the same, so dropping single ones removes little "
        "information. Dropping whole channels regularizes."
    ),
    remedy="Use Dropout2d (torch) or SpatialDropout2D (Keras) on feature maps.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(8, 8, 3))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Dropout2d(0.2), nn.Conv2d(8, 8, 3))
""",
    references=("Tompson et al. 2015, https://arxiv.org/abs/1411.4280",),
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Unit dropout between convolutions."""
    for drop in view.dropouts:
        if drop.kind != "dropout" or drop.rate == 0 or not channels_known(view, drop):
            continue
        after = view.after(drop, TRANSPARENT | {"activation", "batch_norm", "pool"} - {"flatten"})
        if after and all(o.kind == "conv" for o in after):
            yield RULE.on(drop, say("unit dropout on feature maps; whole channels regularize better"))
