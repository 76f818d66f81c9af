"""SK205: channel dropout on a two-dimensional input."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK205",
    slug="channel-dropout-on-vectors",
    why=(
        "Channel dropout drops whole slices. On the (batch, features) result of a dense layer there are no "
        "channels: depending on the version it warns, drops whole samples, or acts as plain dropout."
    ),
    remedy="Use Dropout after dense layers, and Dropout2d or SpatialDropout2D on feature maps.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout2d(0.5), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
""",
    references=("Tompson et al. 2015, https://arxiv.org/abs/1411.4280",),
)

_KEEPING = frozenset({"identity", "activation", "batch_norm", "norm", "dropout"})


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Channel dropout fed by a dense layer or a flattening, with no reshaping between."""
    for drop in view.dropouts:
        if drop.kind != "channel_dropout" or drop.name in {"DropBlock2d", "FeatureAlphaDropout"}:
            continue
        before = view.before(drop, _KEEPING)
        if before and all(o.kind in {"linear", "flatten"} or o.rank == 2 for o in before):
            yield RULE.on(
                drop,
                say(
                    "{name} acts on the two-dimensional result of {layer}",
                    name=drop.name,
                    layer=before[0].site or before[0].name or before[0].kind,
                ),
            )
