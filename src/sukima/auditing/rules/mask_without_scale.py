"""SK221: a hand-written mask that does not scale."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.mask_findings import mask_findings
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK221",
    slug="mask-not-scaled",
    why=(
        "Dropping without scaling the rest by 1/(1 − rate) makes activations larger at inference than in "
        "training (unless inference scales by 1 − rate instead)."
    ),
    remedy="Divide by 1 − rate in training, or use the layer that exists.",
    bad="""
import torch
import torch.nn as nn

class Dropout(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = torch.bernoulli(torch.full_like(x, 1 - self.p))
        return x * mask
""",
    good="""
import torch
import torch.nn as nn

class Dropout(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = torch.bernoulli(torch.full_like(x, 1 - self.p))
        return x * mask / (1 - self.p)
""",
    references=("Srivastava et al. 2014, section 10, https://jmlr.org/papers/v15/srivastava14a.html",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Hand-written dropout whose function never divides or multiplies by the probability of keeping."""
    message = say("a hand-written dropout mask without the scale 1/(1 − rate)")
    yield from mask_findings(RULE, context, lambda mask: not mask.scaled, message)
