"""SK109: a hand-written mask that never looks at the mode."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.mask_findings import mask_findings
from sukima.auditing.rule import Rule
from sukima.auditing.source.caller_gating import gated_by_callers
from sukima.auditing.source.context import Context
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.intent import is_meant, mentions_mode
from sukima.auditing.source.masks import HandMask
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK109",
    slug="mask-ignores-mode",
    why=(
        "A mask drawn by bernoulli or rand and multiplied in acts at evaluation too unless the code asks for the mode."
    ),
    remedy="Return the input as it is unless self.training, or use the layer that exists.",
    bad="""
import torch
import torch.nn as nn

class Dropout(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        mask = torch.bernoulli(torch.full_like(x, 1 - self.p))
        return x * mask / (1 - self.p)
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
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Hand-written dropout in a model's forward pass that no condition on the mode surrounds."""
    message = say("a hand-written dropout mask that never looks at the mode")
    yield from mask_findings(RULE, context, lambda mask: _ignores_mode(context, mask), message)


def _ignores_mode(context: Context, mask: HandMask) -> bool:
    module, draw = context.module, mask.draw
    if is_gated(module, draw) or mentions_mode(module, draw) or is_meant(module, draw):
        return False
    return not all(is_gated(module, use) for use in mask.uses) and not gated_by_callers(context, draw, None)
