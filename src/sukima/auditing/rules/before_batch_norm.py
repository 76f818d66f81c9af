"""SK201: dropout right before batch normalisation."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK201",
    slug="dropout-before-batch-norm",
    why=(
        "Dropout raises the variance of its output in training and not at inference. Batch normalisation after "
        "it stores the raised variance and normalises wrongly at inference (variance shift)."
    ),
    remedy="Put dropout after the normalisation and the activation: layer, batch norm, activation, dropout.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.BatchNorm1d(64), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
""",
    references=("Li et al. 2019, https://arxiv.org/abs/1801.05134",),
)

_NEAR = frozenset({"shape", "flatten", "identity", "activation", "pool"})


@RULE.view
def check(view: ModelView) -> Iterator[Finding]:
    """Dropout, then batch normalisation, with no weights between; after a convolution it is SK204's case."""
    for drop in view.dropouts:
        if drop.rate == 0 or drop.conditional or any(o.kind == "conv" for o in view.before(drop)):
            continue
        for norm in view.after(drop, _NEAR):
            if norm.kind == "batch_norm":
                yield RULE.on(
                    drop, say("dropout stands right before batch normalisation {norm}", norm=norm.site or norm.name)
                )
                break
