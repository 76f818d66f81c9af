"""SK207: dropout on a final embedding that distances are taken of."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK207",
    slug="dropout-on-embedding",
    why=(
        "Distances and cosines between embeddings with random coordinates missing are noise: two copies of one "
        "sample are far apart in training and near at inference."
    ),
    remedy="Put dropout before the last projection, not on the embedding that is compared.",
    bad="""
import torch.nn as nn
import torch.nn.functional as F

class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(512, 128)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        return F.normalize(self.drop(self.project(x)), dim=-1)
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(512, 128)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        return F.normalize(self.project(self.drop(x)), dim=-1)
""",
)


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Dropout whose result is normalised to length one or compared."""
    for drop in view.dropouts:
        if drop.rate == 0:
            continue
        after = view.after(drop)
        if after and all(o.kind == "distance" for o in after):
            yield RULE.on(
                drop, say("dropout acts on an embedding that is compared by distance ({how})", how=after[0].name)
            )
